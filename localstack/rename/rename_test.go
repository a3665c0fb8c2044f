package rename_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/rename"
)

// repository writes files into a folder of their own.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	repo := t.TempDir()
	for name, content := range files {
		file := filepath.Join(repo, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	}
	return repo
}

func TestModule_ChangesNamesOfTheModuleAndNothingElse(t *testing.T) {
	t.Parallel()
	files := map[string]struct{ before, after string }{
		"go.mod":         {"module old\n\ngo 1.26.0\n", "module example.com/shop/new\n\ngo 1.26.0\n"},
		"tools/lint.mod": {"// Tools.\nmodule old\n", "// Tools.\nmodule example.com/shop/new\n"},
		"else/go.mod":    {"module other\n", "module other\n"},
		"a.go": {
			"package a\n\nimport (\n\t\"fmt\"\n\n\tz \"old/functions/z\"\n\t\"old/shared/money\"\n)\n\n" +
				"// See old/shared/money.\nvar stack, bin, packages = \"old\", \".old/shared\", " +
				"\"old/localstack/e2e\"\n",
			"package a\n\nimport (\n\t\"fmt\"\n\n\tz " +
				"\"example.com/shop/new/functions/z\"\n\t\"example.com/shop/new/shared/money\"\n)\n\n" +
				"// See example.com/shop/new/shared/money.\n" +
				"var stack, bin, packages = \"old\", \".old/shared\", \"example.com/shop/new/localstack/e2e\"\n",
		},
		"sorted.go": {
			"package a\n\nimport (\n\t\"fmt\"\n\t\"old/shared/money\"\n\t\"strings\"\n)\n",
			"package a\n\nimport (\n\t\"example.com/shop/new/shared/money\"\n\t\"fmt\"\n\t\"strings\"\n)\n",
		},
		"unchanged.go": {"package a\nvar  x = `it is not formatted`\n", "package a\nvar  x = `it is not formatted`\n"},
		"README.md": {
			"`go get old/shared/client`, stack old, folder `.old/bin`, github.com/x/old/shared\n",
			"`go get example.com/shop/new/shared/client`, stack old, folder `.old/bin`, github.com/x/old/shared\n",
		},
		".git/a.md": {"old/shared\n", "old/shared\n"},
	}
	before := map[string]string{}
	for name, f := range files {
		before[name] = f.before
	}
	repo := repository(t, before)

	changed, err := rename.Module(repo, "example.com/shop/new")
	require.NoError(t, err)

	for name, f := range files {
		content, err := os.ReadFile(filepath.Join(repo, name))
		require.NoError(t, err)
		assert.Equal(t, f.after, string(content), name)
	}
	assert.Equal(t, rename.Changed{
		From: "old", To: "example.com/shop/new",
		Modules: []string{"go.mod", "tools/lint.mod"}, Sources: []string{"a.go", "sorted.go"},
		Texts: []string{"README.md"},
	}, changed)
}

func TestModule_RefusesPathsThatNobodyCanImport(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "backroom", "https://example.com/backroom", "example.com", "example.com/back room", "example.com/shop/",
		"example.com//shop",
		"example.com/shop/v1", "../shop", "/shop", "example.com/../shop", "example.com/shop.", "Example.com/shop",
		"example.com/old",
	} {
		repo := repository(t, map[string]string{"go.mod": "module example.com/old\n"})
		_, err := rename.Module(repo, path)
		require.Error(t, err, path)
		content, err := os.ReadFile(filepath.Join(repo, "go.mod"))
		require.NoError(t, err)
		assert.Equal(t, "module example.com/old\n", string(content), path)
	}
}

func TestCheck_AcceptsPathsOfRepositories(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"example.com/shop", "github.com/Some-One/back_room.go", "example.com/shop/v2"} {
		assert.NoError(t, rename.Check(path), path)
	}
}
