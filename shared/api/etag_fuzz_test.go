package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/shared/api"
)

// FuzzTags checks that a valid header stays valid with another tag, which then matches, and that a
// strong match is also a weak match.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{``, `"v3"`, `W/"v3"`, `"v2",,"v3",`, "\t\"a,b\" , W/\"\"", `*`, `*, "v3"`, `"v3`, "\"\x80\""} {
		f.Add(seed, int64(3), `"v3"`)
	}
	f.Add(`"v1"`, int64(-1), `W/"v1"`)
	f.Fuzz(func(t *testing.T, header string, version int64, stored string) {
		var tags api.Tags
		if tags.UnmarshalText([]byte(header)) != nil {
			require.Equal(t, api.Tags{}, tags, "nothing is kept of what is refused")
			return
		}
		require.False(t, tags.Match("") || tags.MatchWeakly(""), "nothing is stored: nothing matches")
		if tags.Match(stored) {
			require.True(t, tags.MatchWeakly(stored))
		}
		if tags.Any() {
			require.Equal(t, "*", strings.Trim(header, " \t,"))
			return
		}
		own := api.ETag(version)
		var more api.Tags
		require.NoError(t, more.UnmarshalText([]byte(header+","+own)))
		require.True(t, more.Given() && more.Match(own) && more.MatchWeakly("W/"+own))
		if tags.Match(stored) {
			require.True(t, more.Match(stored))
		}
	})
}
