package e2e

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
	s := &Suite{Cloud: "here", Exceptions: map[string]map[string]string{
		"here":  {"TestGone": "it failed here once", "TestThere": "it fails here"},
		"there": {"TestOther": "it fails there"},
	}, met: map[string]bool{"TestThere": true}}
	require.Equal(t, []string{"TestGone"}, s.unmet())
}
