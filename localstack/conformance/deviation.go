// Package conformance runs a suite of cases on several clouds, each with the exceptions that are known of it. An excepted case
// runs too, and must fail: an exception that passes has outlived its reason, and one without a case is a mistake.
package conformance

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// ExceptionMark begins what a test logs when its case is a known deviation of the cloud it runs on, and FigureMark what
// should be read even though the test passed. localstack/lane looks for both.
const (
	ExceptionMark = "exception: "
	FigureMark    = "figure: "
)

// T is what a case sees of its test.
type T interface {
	require.TestingT
	Helper()
	Name() string
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
}

// Figure logs what should be read even though the case passed.
func Figure(t T, format string, args ...any) {
	t.Helper()
	t.Logf(FigureMark+format, args...)
}

// Suite runs cases on one cloud. It is safe for concurrent use.
type Suite struct {
	// Cloud names it. Without one, each case skips itself: whoever runs the suite for its result takes that for a failure.
	Cloud string
	// Exceptions are the cases that are known to fail on each cloud, with the reason.
	Exceptions map[string]map[string]string
	// File is where the exceptions are listed, from the root of the repository.
	File string

	mu  sync.Mutex
	met map[string]bool
}

// Run runs the test as a case that is called as the test is.
func (s *Suite) Run(t *testing.T, demand func(T)) {
	t.Helper()
	s.Case(t, t.Name(), demand)
}

// Case runs a case. One that is excepted runs too, and must fail.
func (s *Suite) Case(t *testing.T, name string, demand func(T)) {
	t.Helper()
	if s.Cloud == "" {
		t.Skip("this case needs a deployed stack; next: make e2e CLOUD=ministack|localstack|aws")
	}
	reason, excepted := s.Exceptions[s.Cloud][name]
	if !excepted {
		demand(t)
		return
	}
	s.meet(name)
	found := failures(t, demand)
	if len(found) == 0 {
		t.Errorf("an exception that passes: %s does this right by now; next: remove %q from %s", s.Cloud, name, s.File)
		return
	}
	t.Logf("%s%s: %s", ExceptionMark, s.Cloud, reason)
	t.Logf("what it did: %s", strings.Join(found, "\n"))
}

func (s *Suite) meet(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.met == nil {
		s.met = map[string]bool{}
	}
	s.met[name] = true
}

// Main runs the tests of a package and returns its exit code. An exception of the suite's cloud that no case met fails it.
func (s *Suite) Main(m *testing.M) int {
	code := m.Run()
	if err := s.unmet(); code == 0 && everything("") && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Finish fails the test if an exception of the suite's cloud was met by no case. It is for a suite inside one test, after its
// last case; where only some of the test's cases were asked for, it says nothing.
func (s *Suite) Finish(t *testing.T) {
	t.Helper()
	if err := s.unmet(); everything("/") && err != nil {
		t.Error(err)
	}
}

// everything reports whether no test is left out by a pattern with the given text in it.
func everything(text string) bool {
	chosen := func(name string) bool {
		pattern := flag.Lookup(name).Value.String()
		return pattern != "" && strings.Contains(pattern, text)
	}
	return !chosen("test.run") && !chosen("test.skip")
}

// unmet names the exceptions of the suite's cloud that belong to no case that ran.
func (s *Suite) unmet() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Exceptions[s.Cloud])), func(name string) bool { return s.met[name] })
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("exceptions of %s without a case: %s; next: remove them from %s", s.Cloud, strings.Join(names, ", "), s.File)
}

// failures runs a case whose failure is no failure of the test, and returns what it found wrong.
func failures(t *testing.T, demand func(T)) []string {
	r := &recorder{T: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		demand(r)
	}()
	<-ended
	return r.found
}

// recorder is a T that keeps failures to itself.
type recorder struct {
	*testing.T
	mu    sync.Mutex
	found []string
}

var _ T = (*recorder)(nil)

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

func (r *recorder) FailNow() { runtime.Goexit() }
