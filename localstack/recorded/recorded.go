// Package recorded has what functions did during the tests: the permissions that they used, and
// their answers to the sample events. Its files are generated. `make contract` records both again
// and compares them; with UPDATE=1 it updates the files.
package recorded

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"backroom/localstack/cloudtest"
)

//go:embed testdata
var kept embed.FS

// Grants returns the permissions that functions used.
func Grants() ([]cloudtest.Grant, error) { return read[cloudtest.Grant](cloudtest.Grants) }

// Exchanges returns the sample events of the API's functions with their answers, one for each
// status.
func Exchanges() ([]cloudtest.Exchange, error) {
	return read[cloudtest.Exchange](cloudtest.Exchanges)
}

func file(kind string) string { return "testdata/" + kind + ".json" }

func read[T any](kind string) (all []T, err error) {
	text, err := kept.ReadFile(file(kind))
	if err != nil {
		return nil, fmt.Errorf("recorded: %w; next: make contract UPDATE=1", err)
	}
	return all, json.Unmarshal(text, &all)
}

// written returns the text of a file of notes, one note per line.
func written[T any](all []T) ([]byte, error) {
	text := []byte("[")
	for i, one := range all {
		line, err := json.Marshal(one)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, '\n'), line...)
	}
	return append(text, "\n]\n"...), nil
}

// grants returns the used grants without duplicates.
func grants(folder string) ([]byte, error) {
	all, err := cloudtest.Recorded[cloudtest.Grant](folder, cloudtest.Grants)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b cloudtest.Grant) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Action, b.Action),
			cmp.Compare(a.Resource, b.Resource))
	})
	return written(slices.Compact(all))
}

// exchanges returns the longest answer for each event and status. The order of the tests' calls
// does not matter.
func exchanges(folder string) ([]byte, error) {
	all, err := cloudtest.Recorded[cloudtest.Exchange](folder, cloudtest.Exchanges)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Body = withoutChance(all[i].Body)
	}
	slices.SortFunc(all, func(a, b cloudtest.Exchange) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Event, b.Event),
			cmp.Compare(a.Status, b.Status),
			cmp.Compare(len(b.Body), len(a.Body)), cmp.Compare(a.Body, b.Body))
	})
	return written(
		slices.CompactFunc(all,
			func(a, b cloudtest.Exchange) bool { return a.Event == b.Event && a.Status == b.Status }))
}

// chance are the parts of answers that depend on random keys, with their replacements.
var chance = []struct {
	match   *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`"access_token":"[^"]+"`),
		`"access_token":"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjbGllbnQ6Ym9vdHN0cmFwIn0.c2FtcGxl"`},
	{regexp.MustCompile(`"(kid|x|y)":"[A-Za-z0-9_-]{43}"`), `"$1":"c2FtcGxlLXNhbXBsZS1zYW1wbGUtc2FtcGxlLXNhbXA"`},
}

func withoutChance(body string) string {
	for _, c := range chance {
		body = c.match.ReplaceAllString(body, c.instead)
	}
	return body
}
