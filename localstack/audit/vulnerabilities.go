package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"backroom/shared/ops/remedy"
)

// Vulnerabilities looks for known weaknesses that functions reach: in libraries and in Go itself. The database is a module, and
// comes as modules come, in its newest version. The note says of which day that is.
func (a Audit) Vulnerabilities(ctx context.Context) (note string, err error) {
	const next = "check that go mod download reaches a module proxy, then run the command again"
	described, _, err := a.said(ctx, 0, nil, "go", "mod", "download", "-json", "golang.org/x/vulndb@latest")
	if err != nil {
		return "", remedy.For(err, next)
	}
	var database struct{ Version, Dir string }
	if err := json.Unmarshal(described, &database); err != nil {
		return "", err
	}
	report, _, err := a.said(ctx, 0, nil, "go", "tool", toolbox, "govulncheck", "-format=json", "-tags=lambda.norpc",
		"-db=file://"+filepath.ToSlash(filepath.Join(database.Dir, "data", "osv")), "./functions/...")
	if err != nil {
		return "", err
	}
	read, err := readScan(report)
	if err != nil {
		return "", err
	}
	if len(read.reached) > 0 {
		return "", remedy.For(
			fmt.Errorf("functions reach %d known weaknesses, built with %s:\n%s", len(read.reached), read.goVersion, strings.Join(read.reached, "\n")),
			"update what is named; Go itself with GOTOOLCHAIN=auto, or the version that go.mod names")
	}
	return fmt.Sprintf("none reached with %s; database of %s", read.goVersion, day(database.Version)), nil
}

// day returns the day of a pseudo-version, as in v0.0.0-20261105234957-e22db6528018.
func day(version string) string {
	if _, stamp, _ := strings.Cut(version, "-"); len(stamp) > 8 {
		return stamp[:4] + "-" + stamp[4:6] + "-" + stamp[6:8]
	}
	return version
}

// A scan is what govulncheck found.
type scan struct {
	goVersion string
	reached   []string // a line for each weakness that functions reach, sorted
}

// readScan reads govulncheck's report. A weakness counts if a function calls what is weak: that it is imported is not enough.
// An empty report is an error: it would say that nothing was looked at.
func readScan(report []byte) (scan, error) {
	summaries, reached := map[string]string{}, map[string]string{}
	var s scan
	for lines := json.NewDecoder(bytes.NewReader(report)); ; {
		var message struct {
			Config struct {
				GoVersion string `json:"go_version"`
			}
			OSV     struct{ ID, Summary string }
			Finding struct {
				OSV   string
				Fixed string `json:"fixed_version"`
				Trace []struct{ Module, Version, Package, Function string }
			}
		}
		if err := lines.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return scan{}, fmt.Errorf("govulncheck: %w", err)
		}
		if message.Config.GoVersion != "" {
			s.goVersion = message.Config.GoVersion
		}
		summaries[message.OSV.ID] = message.OSV.Summary
		if f := message.Finding; len(f.Trace) > 0 && f.Trace[0].Function != "" {
			weak := f.Trace[0]
			reached[f.OSV] = fmt.Sprintf("%s@%s, fixed in %s; as in %s.%s", weak.Module, weak.Version, f.Fixed, weak.Package, weak.Function)
		}
	}
	if s.goVersion == "" {
		return scan{}, errors.New("govulncheck reported nothing, not even what it looked at")
	}
	for _, id := range slices.Sorted(maps.Keys(reached)) {
		s.reached = append(s.reached, fmt.Sprintf("%s %s: %s", id, summaries[id], reached[id]))
	}
	return s, nil
}
