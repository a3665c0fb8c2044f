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

// Vulnerabilities looks for known vulnerabilities that functions reach, in libraries and in Go itself. The
// database is a Go module; its newest version is downloaded as other modules are. The note has the day of
// that version.
func (a Audit) Vulnerabilities(ctx context.Context) (note string, err error) {
	const next = "check that go mod download reaches a module proxy, then run the command again"
	described, _, err := a.run(ctx, 0, nil, "go", "mod", "download", "-json", "golang.org/x/vulndb@latest")
	if err != nil {
		return "", remedy.For(err, next)
	}
	var database struct{ Version, Dir string }
	if err := json.Unmarshal(described, &database); err != nil {
		return "", err
	}
	report, _, err := a.run(ctx, 0, nil, "go", "tool", toolsModule, "govulncheck", "-format=json", "-tags=lambda.norpc",
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
			fmt.Errorf("functions, built with %s, reach %d known vulnerabilities:\n%s",
				read.goVersion, len(read.reached), strings.Join(read.reached, "\n")),
			"update the modules above; update Go itself with GOTOOLCHAIN=auto, or raise the version in go.mod")
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
	reached   []string // a line for each vulnerability that functions reach, sorted
}

// readScan reads govulncheck's report. A vulnerability counts if a function calls the vulnerable code; an
// import is not enough. An empty report is an error: nothing was scanned.
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
			at := f.Trace[0]
			reached[f.OSV] = fmt.Sprintf("%s@%s, fixed in %s; as in %s.%s", at.Module, at.Version, f.Fixed, at.Package,
				at.Function)
		}
	}
	if s.goVersion == "" {
		return scan{}, errors.New("govulncheck reported nothing, not even its configuration")
	}
	for _, id := range slices.Sorted(maps.Keys(reached)) {
		s.reached = append(s.reached, fmt.Sprintf("%s %s: %s", id, summaries[id], reached[id]))
	}
	return s, nil
}
