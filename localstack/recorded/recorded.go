// Package recorded keeps what functions did while the tests ran: what they used of their roles, and what they answered to the
// sample events. Nobody writes it by hand. `make contract` records it anew and compares; UPDATE=1 keeps what is new.
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

// Grants returns what functions used of what their roles allow.
func Grants() ([]cloudtest.Grant, error) { return read[cloudtest.Grant](cloudtest.Grants) }

// Exchanges returns the sample events of the API's functions and their answers, one for each status.
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

// written returns notes as they are kept: a line each.
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

// grants returns each grant that was used, once.
func grants(folder string) ([]byte, error) {
	all, err := cloudtest.Recorded[cloudtest.Grant](folder, cloudtest.Grants)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b cloudtest.Grant) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource))
	})
	return written(slices.Compact(all))
}

// exchanges returns of each event and status the answer that says most. Which of a test's calls came first does not matter.
func exchanges(folder string) ([]byte, error) {
	all, err := cloudtest.Recorded[cloudtest.Exchange](folder, cloudtest.Exchanges)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Body = withoutChance(all[i].Body)
	}
	slices.SortFunc(all, func(a, b cloudtest.Exchange) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Status, b.Status),
			cmp.Compare(len(b.Body), len(a.Body)), cmp.Compare(a.Body, b.Body))
	})
	return written(slices.CompactFunc(all, func(a, b cloudtest.Exchange) bool { return a.Event == b.Event && a.Status == b.Status }))
}

// chance is what keys and signatures bring into an answer, and what stands for it.
var chance = []struct {
	is   *regexp.Regexp
	said string
}{
	{regexp.MustCompile(`"access_token":"[^"]+"`), `"access_token":"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjbGllbnQ6Ym9vdHN0cmFwIn0.c2FtcGxl"`},
	{regexp.MustCompile(`"(kid|x|y)":"[A-Za-z0-9_-]{43}"`), `"$1":"c2FtcGxlLXNhbXBsZS1zYW1wbGUtc2FtcGxlLXNhbXA"`},
}

func withoutChance(body string) string {
	for _, c := range chance {
		body = c.is.ReplaceAllString(body, c.said)
	}
	return body
}
