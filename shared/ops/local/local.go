// Package local lets a running `make run` announce to other programs on this machine which stack it
// serves.
package local

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
)

// A Run is a `make run`: the process, and the stack that it serves.
type Run struct {
	Pid      int    `json:"pid"`
	Endpoint string `json:"endpoint"` // of the local cloud
	API      string `json:"api"`
	Stack    string `json:"stack"` // its name
}

func notice(repo string) string { return filepath.Join(repo, ".backroom", "running.json") }

// Announce makes a run known to Running and Find. The folder .backroom must exist.
func Announce(repo string, r Run) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(notice(repo), text, 0o644)
}

// Withdraw removes what Announce wrote.
func Withdraw(repo string) error { return os.Remove(notice(repo)) }

// Running returns the run of a repository. It returns false if none was announced, or if the
// process has ended since.
func Running(repo string) (r Run, ok bool) {
	text, err := os.ReadFile(notice(repo))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return Run{}, false
	}
	return r, syscall.Kill(r.Pid, 0) == nil
}

// Find returns the run of the repository that a folder is in.
func Find(folder string) (r Run, ok bool) {
	for {
		if r, ok = Running(folder); ok || folder == filepath.Dir(folder) {
			return r, ok
		}
		folder = filepath.Dir(folder)
	}
}
