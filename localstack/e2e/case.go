package e2e

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

	"backroom/localstack/lane"
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
	t.Logf(lane.FigureMark+format, args...)
}

// Suite runs cases on one cloud.
type Suite struct {
	Cloud string
	// Exceptions are the cases that are known to fail on each cloud, with the reason.
	Exceptions map[string]map[string]string

	mu  sync.Mutex
	met map[string]bool
}

// Run runs a case. One that is excepted runs too, and must fail: an exception that passes has outlived its reason.
func (s *Suite) Run(t *testing.T, demand func(T)) {
	t.Helper()
	reason, excepted := s.Exceptions[s.Cloud][t.Name()]
	if !excepted {
		demand(t)
		return
	}
	s.mu.Lock()
	if s.met == nil {
		s.met = map[string]bool{}
	}
	s.met[t.Name()] = true
	s.mu.Unlock()
	found := failures(t, demand)
	if len(found) == 0 {
		t.Errorf("an exception that passes: %s does this right by now; next: remove %q from localstack/e2e/exceptions.go", s.Cloud, t.Name())
		return
	}
	t.Logf("%s%s: %s", lane.ExceptionMark, s.Cloud, reason)
	t.Logf("what it did: %s", strings.Join(found, "\n"))
}

// Main runs the tests of a package and returns its exit code. An exception of the suite's cloud that no case met fails it.
func (s *Suite) Main(m *testing.M) int {
	code := m.Run()
	everything := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	if unmet := s.unmet(); code == 0 && everything && len(unmet) > 0 {
		fmt.Fprintf(os.Stderr, "exceptions of %s without a case: %s; next: remove them from localstack/e2e/exceptions.go\n", s.Cloud, strings.Join(unmet, ", "))
		return 1
	}
	return code
}

// unmet returns the exceptions of the suite's cloud, by name, that belong to no case that ran.
func (s *Suite) unmet() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.Exceptions[s.Cloud])), func(name string) bool { return s.met[name] })
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
