package audit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/deploy"
)

func TestSameZips_NamesFunctionsThatDiffer(t *testing.T) {
	t.Parallel()
	packed := func(orders string) *deploy.Build {
		b := &deploy.Build{Repo: t.TempDir(), Arch: deploy.ARM64, Release: true,
			Names: []string{"get-order", "place-order"}}
		require.NoError(t, os.MkdirAll(filepath.Dir(b.Zip("get-order")), 0o755))
		require.NoError(t, os.WriteFile(b.Zip("get-order"), []byte("the same"), 0o644))
		require.NoError(t, os.WriteFile(b.Zip("place-order"), []byte(orders), 0o644))
		return b
	}
	assert.NoError(t, sameZips(packed("one"), packed("one")))
	err := sameZips(packed("one"), packed("two"))
	assert.ErrorContains(t, err, "place-order")
	assert.NotContains(t, err.Error(), "get-order")
}
