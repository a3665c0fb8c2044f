package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnExceptedCaseRunsAndIsKnownByWhatItFinds(t *testing.T) {
	t.Parallel()
	ran := ""
	found := failures(t, func(t T) {
		ran += "begun"
		require.Equal(t, 502, 500, "the gateway answers otherwise")
		ran += " and gone on"
	})
	require.Equal(t, "begun", ran, "a demand that is not met ends the case")
	require.Len(t, found, 1)
	require.Contains(t, found[0], "the gateway answers otherwise")

	require.Empty(t, failures(t, func(T) {}), "by this an exception that passes is found")
}

func TestAnExceptionWithoutACaseIsFound(t *testing.T) {
	t.Parallel()
	s := &Suite{Cloud: "here", File: "exceptions.go", Exceptions: map[string]map[string]string{
		"here":  {"a case that is gone": "it failed here once", "a case that is there": "it fails here"},
		"there": {"another": "it fails there"},
	}}
	s.meet("a case that is there")
	require.EqualError(t, s.unmet(), "exceptions of here without a case: a case that is gone; next: remove them from exceptions.go")
	s.meet("a case that is gone")
	require.NoError(t, s.unmet())
}
