package tools

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/shared/ops/remedy"
)

func TestVersion_ComparesByNumber(t *testing.T) {
	t.Parallel()
	require.True(t, version{3, 11}.atLeast(3, 11))
	require.True(t, version{3, 13, 1}.atLeast(3, 9))
	require.True(t, version{4}.atLeast(3, 11))
	require.False(t, version{3, 9, 20}.atLeast(3, 11))
	require.False(t, version{3}.atLeast(3, 11))
	require.False(t, version{}.atLeast(1))
}

func TestVersionOf_MissingProgramIsAnError(t *testing.T) {
	t.Parallel()
	_, err := versionOf(t.Context(), "no-such-program", "--version")
	require.Error(t, err)
	v, err := versionOf(t.Context(), "go", "version")
	require.NoError(t, err)
	require.True(t, v.atLeast(1, 26))
}

func TestLock_HasOneHolderAtATime(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/venv.lock"
	unlock, err := lock(t.Context(), path)
	require.NoError(t, err)
	second := make(chan error, 1)
	go func() {
		unlock, err := lock(t.Context(), path)
		if err == nil {
			unlock()
		}
		second <- err
	}()
	select {
	case <-second:
		t.Fatal("two held the lock")
	default:
	}
	unlock()
	require.NoError(t, <-second)
}

func TestPython_WithoutVenvIsNamedBeforeTheWork(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "python3")
	const script = "#!/bin/sh\n[ \"$1\" = --version ] && echo Python 3.12.1 && exit\necho No module named ensurepip " +
		">&2\nexit 1\n"
	require.NoError(t, os.WriteFile(fake, []byte(script), 0o700))
	t.Setenv("BACKROOM_PYTHON", fake)
	_, _, err := python(t.Context())
	require.ErrorContains(t, err, "has no module venv")
	require.ErrorContains(t, err, "No module named ensurepip")
	require.Contains(t, remedy.Next(err), "apt install python3.12-venv")
}
