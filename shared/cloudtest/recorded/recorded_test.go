package recorded

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/cloudtest"
)

var update = flag.Bool("update", false, "keep what was recorded")

// TestWhatIsKeptIsWhatTheTestsRecord needs the notes of a run of the tests: `make contract` and `make test` make them and then run this.
func TestWhatIsKeptIsWhatTheTestsRecord(t *testing.T) {
	folder := os.Getenv("BACKROOM_RECORDED")
	if folder == "" {
		t.Skip("it compares what the tests recorded; next: make contract")
	}
	for kind, collect := range map[string]func(string) ([]byte, error){cloudtest.Grants: grants, cloudtest.Exchanges: exchanges} {
		got, err := collect(folder)
		require.NoError(t, err)
		if *update {
			require.NoError(t, os.WriteFile(file(kind), got, 0o644))
		}
		want, err := os.ReadFile(file(kind))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s are not what is kept; if it is meant: make contract UPDATE=1", kind)
	}
}
