package local_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/shared/ops/local"
)

func TestFind_ReturnsARunUntilItIsWithdrawn(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	inside := filepath.Join(repo, "shared", "ops")
	require.NoError(t, os.MkdirAll(inside, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(repo, ".backroom"), 0o755))
	_, ok := local.Find(inside)
	require.False(t, ok, "nothing is announced")

	run := local.Run{Pid: os.Getpid(), Endpoint: "http://127.0.0.1:4566", API: "http://127.0.0.1:8080",
		Stack: "backroom"}
	require.NoError(t, local.Announce(repo, run))
	for _, folder := range []string{repo, inside} {
		found, ok := local.Find(folder)
		require.True(t, ok, folder)
		require.Equal(t, run, found)
	}
	require.NoError(t, local.Withdraw(repo))
	_, ok = local.Find(inside)
	require.False(t, ok, "the run is withdrawn")
}

func TestRunning_IgnoresARunWhoseProcessEnded(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(repo, ".backroom"), 0o755))
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	require.NoError(t, local.Announce(repo, local.Run{Pid: ended.Process.Pid, Stack: "backroom"}))
	_, ok := local.Running(repo)
	require.False(t, ok)
}
