package audit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWriteSBOM_ListsWhatABinaryLinks(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	binary, file := filepath.Join(folder, "get-health"), filepath.Join(folder, "get-health.cdx.json")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags",
		"-s -w -buildid=", "-buildvcs=false", "-o", binary, "../../functions/get-health")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	printed, err := build.CombinedOutput()
	require.NoError(t, err, string(printed))
	require.NoError(t, WriteSBOM("get-health", binary, file))
	text, err := os.ReadFile(file)
	require.NoError(t, err)

	var bom cyclonedx.BOM
	require.NoError(t,
		cyclonedx.NewBOMDecoder(strings.NewReader(string(text)), cyclonedx.BOMFileFormatJSON).Decode(&bom))
	assert.Equal(t, "CycloneDX", bom.BOMFormat)
	assert.Equal(t, "get-health", bom.Metadata.Component.Name)
	parts := map[string]cyclonedx.Component{}
	for _, part := range *bom.Components {
		assert.NotContains(t, parts, part.BOMRef, "each component is listed once")
		assert.NotEmpty(t, part.Version, part.Name)
		if part.Name != "std" {
			require.NotNil(t, part.Hashes, "%s has a hash", part.Name)
			assert.Len(t, (*part.Hashes)[0].Value, 64)
		}
		parts[part.BOMRef] = part
	}
	listed,
		err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "-f",
		`{{with .Module}}{{if not .Main}}pkg:golang/{{.Path}}@{{.Version}}{{end}}{{end}}`,
		"../../functions/get-health").Output()
	require.NoError(t, err)
	needs := (*bom.Dependencies)[0]
	assert.Equal(t, bom.Metadata.Component.BOMRef, needs.Ref)
	assert.Len(t, *needs.Dependencies, len(parts))
	modules := strings.Fields(string(listed))
	require.NotEmpty(t, modules)
	for _, m := range modules {
		assert.Contains(t, parts, m)
	}

	again := filepath.Join(folder, "again.cdx.json")
	require.NoError(t, WriteSBOM("get-health", binary, again))
	second, err := os.ReadFile(again)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(second), "the same binary gives the same document")
}
