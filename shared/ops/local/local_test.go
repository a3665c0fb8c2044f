package local_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/shared/ops/local"
)

func TestFind_ReturnsARunUntilItIsReleased(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	inside := filepath.Join(repo, "shared", "ops")
	require.NoError(t, os.MkdirAll(inside, 0o755))
	_, ok := local.Find(inside)
	require.False(t, ok, "nothing is claimed")

	claim, err := local.Take(repo)
	require.NoError(t, err)
	_, ok = local.Find(inside)
	require.False(t, ok, "it serves nothing yet")
	run := local.Run{Pid: os.Getpid(), Endpoint: "http://127.0.0.1:4566", API: "http://127.0.0.1:8080",
		Stack: "backroom"}
	require.NoError(t, claim.Announce(run))
	for _, folder := range []string{repo, inside} {
		found, ok := local.Find(folder)
		require.True(t, ok, folder)
		require.Equal(t, run, found)
	}
	require.NoError(t, claim.Release())
	_, ok = local.Find(inside)
	require.False(t, ok, "the run is released")
}

func TestTake_RefusesASecondRunAndKeepsTheFirst(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	first, err := local.Take(repo)
	require.NoError(t, err)
	_, err = local.Take(repo)
	require.Equal(t, local.TakenError{By: local.Run{Pid: os.Getpid()}}, err)
	require.ErrorContains(t, err, "is starting")

	run := local.Run{Pid: os.Getpid(), Endpoint: "http://127.0.0.1:1", API: "http://127.0.0.1:2", Stack: "backroom"}
	require.NoError(t, first.Announce(run))
	_, err = local.Take(repo)
	require.ErrorContains(t, err, "serves this repository at http://127.0.0.1:2")
	found, ok := local.Running(repo)
	require.True(t, ok, "the refused run has not removed what the first announced")
	require.Equal(t, run, found)

	require.NoError(t, first.Release())
	second, err := local.Take(repo)
	require.NoError(t, err)
	require.NoError(t, second.Release())
}

// After SIGKILL the file stays, and its process id may belong to another process by then: here, to this one.
func TestTake_IgnoresWhatAKilledRunLeft(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	left, err := json.Marshal(local.Run{Pid: os.Getpid(), Endpoint: "http://127.0.0.1:1", Stack: "backroom"})
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(repo, ".backroom"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(repo, ".backroom", "running.json"), left, 0o600))
	_, ok := local.Running(repo)
	require.False(t, ok)
	claim, err := local.Take(repo)
	require.NoError(t, err)
	require.NoError(t, claim.Release())
	require.NoFileExists(t, filepath.Join(repo, ".backroom", "running.json"))
}
