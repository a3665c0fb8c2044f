package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFailures_AFailingCaseReturnsItsFailures(t *testing.T) {
	t.Parallel()
	ran := ""
	found := failures(t, func(t T) {
		ran += "begun"
		require.Equal(t, 502, 500, "the gateway answers with another status")
		ran += " and gone on"
	})
	require.Equal(t, "begun", ran, "a failed require ends the case")
	require.Len(t, found, 1)
	require.Contains(t, found[0], "the gateway answers with another status")

	require.Empty(t, failures(t, func(T) {}), "a passing case has no failures")
}

func TestSuite_AnExceptionWithoutACaseIsAnError(t *testing.T) {
	t.Parallel()
	s := &Suite{Cloud: "here", File: "exceptions.go", Exceptions: map[string]map[string]string{
		"here":  {"a removed case": "it failed here once", "an existing case": "it fails here"},
		"there": {"another": "it fails there"},
	}}
	s.meet("an existing case")
	require.EqualError(t, s.unmet(),
		"exceptions of here without a case: a removed case; next: remove them from exceptions.go")
	s.meet("a removed case")
	require.NoError(t, s.unmet())
}
