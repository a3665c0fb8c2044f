package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/ops/remedy"
)

func TestMoment_RefusesATimeThatHasNotPassed(t *testing.T) {
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	for given, want := range map[string]time.Time{
		"26h":                    now.Add(-26 * time.Hour),
		"90m":                    now.Add(-90 * time.Minute),
		"2026-11-21T10:00Z":      time.Date(2026, time.November, 21, 10, 0, 0, 0, time.UTC),
		"2026-11-21T10:00+01:00": time.Date(2026, time.November, 21, 9, 0, 0, 0, time.UTC),
		"2026-11-21T10:00:30Z":   time.Date(2026, time.November, 21, 10, 0, 30, 0, time.UTC),
		"2026-11-20T10:00":       time.Date(2026, time.November, 20, 10, 0, 0, 0, time.Local),
		"2026-11-20":             time.Date(2026, time.November, 20, 0, 0, 0, 0, time.Local),
	} {
		at, err := moment(given, now)
		require.NoError(t, err, given)
		assert.True(t, want.Equal(at), "%s is %s", given, at)
	}
	for _, given := range []string{"", "yesterday", "-5h", "2026-11-23T10:00Z", "26"} {
		_, err := moment(given, now)
		require.Error(t, err, given)
		assert.Contains(t, remedy.Next(err), "--since 2026-11-21T10:00Z")
	}
}
