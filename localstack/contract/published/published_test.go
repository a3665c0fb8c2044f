package published_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/contract/collection"
	"backroom/localstack/contract/published"
)

// operations returns the operations of a valid document: method, path and id.
func operations(t *testing.T, text []byte, version string) (all []string) {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(text)
	require.NoError(t, err)
	require.NoError(t, document.Validate(t.Context()), version)
	assert.Equal(t, version, document.OpenAPI)
	assert.Equal(t, published.Version, document.Info.Version)
	for path, item := range document.Paths.Map() {
		for method, o := range item.Operations() {
			all = append(all, method+" "+path+" "+o.OperationID)
		}
	}
	return all
}

func TestRelease_TheFilesShowTheSameOperationsAsTheDocument(t *testing.T) {
	t.Parallel()
	made, err := published.Make()
	require.NoError(t, err)
	folder := filepath.Join(t.TempDir(), "release")
	names, err := published.Release(folder)
	require.NoError(t, err)
	file := func(name string) []byte {
		assert.Contains(t, names, filepath.Join(folder, name))
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		assert.Greater(t, len(text), 50_000, "%s: it has examples", name)
		return text
	}

	want := operations(t, made.OpenAPI, "3.1.0")
	assert.Greater(t, len(want), 15)
	assert.ElementsMatch(t, want, operations(t, file("openapi-3.0.yaml"), "3.0.3"))

	var requests collection.Collection
	require.NoError(t, json.Unmarshal(file("backroom.postman_collection.json"), &requests))
	sent := map[string]bool{}
	for _, group := range requests.Item {
		for _, item := range group.Item {
			assert.NotEmpty(t, item.Request.Method+item.Request.URL.Raw, item.Name)
			sent[item.Name] = true
			require.NotEmpty(t, item.Event, "%s checks its answer", item.Name)
			assert.Contains(t, item.Event[0].Script.Exec[0], "pm.response.to.have.status(", item.Name)
			assert.NotRegexp(t, `ord_|MUG-1|BOWL-1`, item.Request.URL.Raw, "ids are those of the run")
		}
	}
	for _, operation := range want {
		assert.True(t, sent[operation[strings.LastIndex(operation, " ")+1:]], "no request for %s", operation)
	}
	assert.Equal(t, "delete-product", requests.Item[len(requests.Item)-1].Item[0].Name, "a run leaves nothing on sale")
	assert.Len(t, names, 2)
}

func TestOpenAPI_DescribesEveryValueOfAnEnum(t *testing.T) {
	t.Parallel()
	made, err := published.Make()
	require.NoError(t, err)
	document, err := openapi3.NewLoader().LoadFromData(made.OpenAPI)
	require.NoError(t, err)
	described := 0
	for name, schema := range document.Components.Schemas {
		for member, property := range schema.Value.Properties {
			if len(property.Value.Enum) < 2 {
				continue
			}
			for _, value := range property.Value.Enum {
				assert.Contains(t, property.Value.Description, value.(string)+": ", "%s.%s", name, member)
				described++
			}
		}
	}
	assert.Positive(t, described)
}
