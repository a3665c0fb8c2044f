package deploy

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPack_SameBinaryGivesSameZip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary, archive := filepath.Join(dir, "place-order"), filepath.Join(dir, "place-order.zip")
	packed := func(program string) (written bool, zipped []byte) {
		require.NoError(t, os.WriteFile(binary, []byte(program), 0o755))
		written, err := pack(binary, archive)
		require.NoError(t, err)
		zipped, err = os.ReadFile(archive)
		require.NoError(t, err)
		return written, zipped
	}

	written, first := packed("one")
	require.True(t, written)
	later := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(binary, later, later))
	written, _ = packed("one")
	require.False(t, written, "an unchanged binary is not packed again")
	written, other := packed("two")
	require.True(t, written)
	require.NotEqual(t, first, other)
	_, again := packed("one")
	require.Equal(t, first, again)

	reader, err := zip.OpenReader(archive)
	require.NoError(t, err)
	defer reader.Close()
	require.Len(t, reader.File, 1)
	require.Equal(t, "bootstrap", reader.File[0].Name)
	require.Equal(t, os.FileMode(0o755), reader.File[0].Mode())
}
