// Package local lets a running `make run` announce to other programs on this machine which stack it
// serves, and keeps a second one from starting.
package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A Run is a `make run`: the process, and the stack that it serves.
type Run struct {
	Pid      int    `json:"pid"`
	Endpoint string `json:"endpoint,omitempty"` // of the local cloud; empty until the stack is deployed
	API      string `json:"api,omitempty"`
	Stack    string `json:"stack,omitempty"` // its name
}

// A TakenError says that another `make run` uses a repository.
type TakenError struct{ By Run }

func (e TakenError) Error() string {
	if e.By.API == "" {
		return fmt.Sprintf("another make run (process %d) is starting in this repository", e.By.Pid)
	}
	return fmt.Sprintf("another make run (process %d) serves this repository at %s", e.By.Pid, e.By.API)
}

func notice(repo string) string { return filepath.Join(repo, ".backroom", "running.json") }

func guard(repo string) string { return filepath.Join(repo, ".backroom", "running.lock") }

// A Claim makes this process the only `make run` of a repository.
type Claim struct {
	repo string
	lock *os.File
}

// Take claims a repository until Release, or until this process ends, however it ends: the kernel holds the
// claim, so neither a file that was left nor a process id that was given again can look like one. It returns
// a TakenError while another process has the claim.
func Take(repo string) (*Claim, error) {
	if err := os.MkdirAll(filepath.Dir(guard(repo)), 0o755); err != nil {
		return nil, err
	}
	lock, err := Lock(guard(repo))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		by, _ := read(repo)
		return nil, TakenError{by}
	}
	if err != nil {
		return nil, err
	}
	c := &Claim{repo, lock}
	if err := c.Announce(Run{Pid: os.Getpid()}); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return c, nil
}

// Announce makes the run known to Running and Find.
func (c *Claim) Announce(r Run) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	written := notice(c.repo) + ".new" // a reader never sees half of it
	if err := os.WriteFile(written, text, 0o644); err != nil {
		return err
	}
	return os.Rename(written, notice(c.repo))
}

// Release gives the claim up, and withdraws what was announced.
func (c *Claim) Release() error {
	err := os.Remove(notice(c.repo))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, c.lock.Close())
}

// patience is how long Lock waits for a program that only looks whether a file is locked.
const patience = 500 * time.Millisecond

// Lock locks the file at path, and creates it if it is absent. The lock ends when the file is closed here and in
// every process that inherited it. While another process has the lock, it returns EWOULDBLOCK.
func Lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(until) {
			return nil, errors.Join(err, file.Close())
		}
	}
}

// Running returns the run that serves a repository. It returns false if no process has claimed the repository, or
// if the one that did has not deployed its stack yet.
func Running(repo string) (r Run, ok bool) {
	file, err := os.Open(guard(repo))
	if err != nil {
		return Run{}, false
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return Run{}, false
	}
	r, err = read(repo)
	return r, err == nil && r.Endpoint != ""
}

func read(repo string) (r Run, err error) {
	text, err := os.ReadFile(notice(repo))
	if err != nil {
		return Run{}, err
	}
	return r, json.Unmarshal(text, &r)
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
