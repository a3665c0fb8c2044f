package recorded

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
)

var update = flag.Bool("update", false, "update the files")

// TestRecorded_FilesEqualWhatTheTestsRecord needs the notes of a test run. `make contract` and
// `make test` record them first.
func TestRecorded_FilesEqualWhatTheTestsRecord(t *testing.T) {
	folder := os.Getenv("BACKROOM_RECORDED")
	if folder == "" {
		t.Skip("it needs the notes of a test run; next: make contract")
	}
	for kind, collect := range map[string]func(string) ([]byte, error){cloudtest.Grants: grants, cloudtest.Exchanges: exchanges} {
		got, err := collect(folder)
		require.NoError(t, err)
		if *update {
			require.NoError(t, os.WriteFile(file(kind), got, 0o644))
		}
		want, err := os.ReadFile(file(kind))
		require.NoError(t, err)
		if !bytes.Equal(want, got) {
			t.Errorf(
				"the recorded %s differ from the file; if the change is meant: make contract UPDATE=1\nonly in the "+
					"file:%s\nonly recorded:%s",
				kind, only(want, got), only(got, want))
		}
	}
}

func TestOnly_ReturnsTheLinesThatDiffer(t *testing.T) {
	kept, recorded := []byte("[\n1,\n2,\n3\n]\n"), []byte("[\n1,\n3,\n4\n]\n")
	assert.Equal(t, "\n2", only(kept, recorded))
	assert.Equal(t, "\n4", only(recorded, kept))
}

// only returns the lines of one text that the other lacks.
func only(one, other []byte) (lines string) {
	known := map[string]bool{}
	for line := range strings.Lines(string(other)) {
		known[strings.TrimRight(line, ",\n")] = true
	}
	for line := range strings.Lines(string(one)) {
		if line = strings.TrimRight(line, ",\n"); !known[line] {
			lines += "\n" + line
		}
	}
	return lines
}
