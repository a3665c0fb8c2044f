// Package conformance runs a suite of cases on several clouds. Each cloud may have known
// exceptions. An excepted case runs too, and must fail. An exception whose case passes, or that has
// no case, is an error.
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

// ExceptionMark begins the log line of a case that is a known exception of its cloud. FigureMark
// begins a log line that should be read even if the test passes. localstack/lane looks for both.
const (
	ExceptionMark = "exception: "
	FigureMark    = "figure: "
)

// T is the part of testing.T that a case may use.
type T interface {
	require.TestingT
	Helper()
	Name() string
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
}

// Figure logs a line that should be read even if the case passes.
func Figure(t T, format string, args ...any) {
	t.Helper()
	t.Logf(FigureMark+format, args...)
}

// Suite runs cases on one cloud. It is safe for concurrent use.
type Suite struct {
	// Cloud is the name of the cloud. If it is empty, each case is skipped, which localstack/lane
	// counts as a failure.
	Cloud string
	// Exceptions are the cases that are known to fail: cloud → case → reason.
	Exceptions map[string]map[string]string
	// File is the file with the exceptions, relative to the root of the repository.
	File string

	mu  sync.Mutex
	met map[string]bool
}

// Run runs the test as a case with the test's name.
func (s *Suite) Run(t *testing.T, demand func(T)) {
	t.Helper()
	s.Case(t, t.Name(), demand)
}

// Case runs a case. An excepted case must fail.
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
		t.Errorf("the excepted case passes: %s now does this right; next: remove %q from %s", s.Cloud, name, s.File)
		return
	}
	t.Logf("%s%s: %s", ExceptionMark, s.Cloud, reason)
	t.Logf("failures: %s", strings.Join(found, "\n"))
}

func (s *Suite) meet(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.met == nil {
		s.met = map[string]bool{}
	}
	s.met[name] = true
}

// Main runs the tests of a package and returns the exit code. It fails if an exception of the
// suite's cloud had no case.
func (s *Suite) Main(m *testing.M) int {
	code := m.Run()
	if err := s.unmet(); code == 0 && everything("") && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Finish fails the test if an exception of the suite's cloud had no case. It is for a suite inside
// one test, after the last case. It does nothing if -run or -skip selected some of the cases.
func (s *Suite) Finish(t *testing.T) {
	t.Helper()
	if err := s.unmet(); everything("/") && err != nil {
		t.Error(err)
	}
}

// everything reports whether neither -run nor -skip has a pattern that contains the text.
func everything(text string) bool {
	chosen := func(name string) bool {
		pattern := flag.Lookup(name).Value.String()
		return pattern != "" && strings.Contains(pattern, text)
	}
	return !chosen("test.run") && !chosen("test.skip")
}

// unmet returns an error that names the exceptions of the suite's cloud without a case that ran.
func (s *Suite) unmet() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Exceptions[s.Cloud])),
		func(name string) bool { return s.met[name] })
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("exceptions of %s without a case: %s; next: remove them from %s", s.Cloud,
		strings.Join(names, ", "), s.File)
}

// failures runs a case and returns its failures. They do not fail the test.
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

// recorder is a T that records failures instead of failing the test.
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
