// Package lane runs a part of the test suite and counts what ran. A skipped test fails its lane, because a
// skip proves nothing.
package lane

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"backroom/shared/ops/remedy"
)

// ExceptionMark and FigureMark begin the lines of a test's log that the lane prints although the test
// passed: known deviations of the cloud that it ran on, and measurements. They equal those of
// localstack/conformance, which this package must not link, because that imports testing:
//
//	t.Logf("exception: ministack: the gateway answers 502 where AWS answers 500")
//	t.Logf("figure: 150 of 200 accepted orders had no outcome")
const (
	ExceptionMark = "exception: "
	FigureMark    = "figure: "
)

// A Lane is one run of go test.
type Lane struct {
	Name     string
	Repo     string
	Packages []string
	Args     []string // further arguments of go test
	Environ  []string // the whole environment
	Out      io.Writer
}

// A Tally counts what a lane ran. A case is a test without subtests.
type Tally struct {
	Name       string
	Passed     int
	Failed     []string
	Skipped    []string
	Exceptions []string
	Figures    []string
	Took       time.Duration
}

// String returns one line with all counts.
func (t Tally) String() string {
	return fmt.Sprintf("%s: %d cases passed, %d failed, %d skipped, %d exceptions, %.1f s",
		t.Name, t.Passed, len(t.Failed), len(t.Skipped), len(t.Exceptions), t.Took.Seconds())
}

// Folded returns the exceptions, one line for each reason.
func (t Tally) Folded() []string {
	cases := map[string][]string{}
	for _, exception := range t.Exceptions {
		test, reason, _ := strings.Cut(exception, ": ")
		cases[reason] = append(cases[reason], test)
	}
	var lines []string
	for reason, tests := range cases {
		if len(tests) == 1 {
			lines = append(lines, tests[0]+": "+reason)
		} else {
			lines = append(lines, fmt.Sprintf("%s: %d cases, such as %s", reason, len(tests), tests[0]))
		}
	}
	slices.Sort(lines)
	return lines
}

// event is a line of `go test -json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// Run runs the lane and writes the output of failed tests to Out. It returns an error if a test fails, if a
// test is skipped, or if no test runs.
func (l Lane) Run(ctx context.Context) (Tally, error) {
	began := time.Now()
	args := append([]string{"test", "-json", "-count=1"}, l.Args...)
	tests := exec.CommandContext(ctx, "go", append(args, l.Packages...)...)
	tests.Dir, tests.Env = l.Repo, l.Environ
	tests.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// the process group, with the test binaries
	tests.Cancel = func() error { return syscall.Kill(-tests.Process.Pid, syscall.SIGTERM) }
	tests.WaitDelay = 5 * time.Second
	stream, err := tests.StdoutPipe()
	if err != nil {
		return Tally{}, err
	}
	var stderr strings.Builder
	tests.Stderr = &stderr
	if err := tests.Start(); err != nil {
		return Tally{}, err
	}
	tally := l.count(stream)
	err = tests.Wait()
	tally.Took = time.Since(began)
	if ctx.Err() != nil {
		return tally, ctx.Err()
	}
	if err != nil {
		fmt.Fprint(l.Out, stderr.String())
	}
	return tally, l.check(tally, err)
}

// check returns an error unless every test of the tally passed and go test succeeded.
func (l Lane) check(t Tally, run error) error {
	const again = "read the output above; to run one test alone: make run, and in another terminal " +
		"BACKROOM_ENDPOINT=http://127.0.0.1:4566 BACKROOM_CLOUD=ministack go test -run <Test> ./<package>"
	switch {
	case len(t.Failed) > 0:
		return remedy.For(fmt.Errorf("%s: %d failed: %s", l.Name, len(t.Failed), strings.Join(t.Failed, ", ")), again)
	case run != nil:
		return remedy.For(fmt.Errorf("%s: %w", l.Name, run), again)
	case len(t.Skipped) > 0:
		return remedy.For(fmt.Errorf("%s: %d skipped: %s", l.Name, len(t.Skipped), strings.Join(t.Skipped, ", ")),
			"provide what they need; a skip counts as a failure")
	case t.Passed == 0:
		return remedy.For(fmt.Errorf("%s: no test ran", l.Name), "look for tests in "+strings.Join(l.Packages, " "))
	}
	return nil
}

// count reads the stream of events to its end.
func (l Lane) count(stream io.Reader) Tally {
	tally := Tally{Name: l.Name}
	printed := map[string][]string{} // what a running test has printed
	parents := map[string]bool{}     // tests that have subtests; they are not counted
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) != nil:
			fmt.Fprintf(l.Out, "%s", line)
		default:
			l.note(&tally, e, printed, parents)
		}
		if err != nil {
			slices.Sort(tally.Exceptions)
			return tally
		}
	}
}

// module is the prefix of the paths of this module's packages.
var module = strings.TrimSuffix(reflect.TypeFor[Lane]().PkgPath(), "localstack/lane")

// note counts one event, and writes the output of a failed test to Out.
func (l Lane) note(tally *Tally, e event, printed map[string][]string, parents map[string]bool) {
	name := strings.TrimPrefix(e.Package, module) + "." + e.Test
	switch e.Action {
	case "run":
		for i, r := range e.Test {
			if r == '/' {
				parents[strings.TrimSuffix(name, e.Test[i:])] = true
			}
		}
	case "build-output":
		fmt.Fprint(l.Out, e.Output)
	case "output":
		printed[name] = append(printed[name], e.Output)
		if _, text, ok := strings.Cut(e.Output, ExceptionMark); ok && e.Test != "" {
			tally.Exceptions = append(tally.Exceptions, e.Test+": "+strings.TrimSpace(text))
		}
		if _, text, ok := strings.Cut(e.Output, FigureMark); ok && e.Test != "" {
			tally.Figures = append(tally.Figures, e.Test+": "+strings.TrimSpace(text))
		}
	case "pass":
		if e.Test != "" && !parents[name] {
			tally.Passed++
		}
		delete(printed, name)
	case "skip":
		if e.Test != "" { // go test also reports a package without tests as skipped
			tally.Skipped = append(tally.Skipped, name)
		}
	case "fail":
		fmt.Fprint(l.Out, strings.Join(printed[name], ""))
		if e.Test != "" && !parents[name] {
			tally.Failed = append(tally.Failed, name)
		}
	}
}
