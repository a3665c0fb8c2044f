package client_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/contract/published"
)

func TestClient_IsGeneratedFromTheDocument(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("client.go")
	require.NoError(t, err)
	said := regexp.MustCompile(`(?m)^//go:generate go (.+) -o api\.gen\.go \S+/(\S+)$`).FindSubmatch(source)
	require.NotNil(t, said, "client.go has the go:generate line")
	folder := t.TempDir()
	_, err = published.ForClient(folder)
	require.NoError(t, err)
	made := filepath.Join(folder, "api.gen.go")
	arguments := append(strings.Fields(string(said[1])), "-o", made, filepath.Join(folder, string(said[2])))
	printed, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput()
	require.NoError(t, err, "%s", printed)
	want, err := os.ReadFile(made)
	require.NoError(t, err)
	kept, err := os.ReadFile("api.gen.go")
	require.NoError(t, err)
	if string(kept) != string(want) {
		t.Error("api.gen.go differs from the API document. If the change is meant: go generate ./shared/client")
	}
	assert.NotRegexp(t, `JSON\d+ +\*Problem`, string(want),
		"a refusal is an error: overlay.yaml removes every status of a refusal")
}
