package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"backroom/localstack/remedy"
)

// running tells other commands where `make run` serves.
type running struct {
	Pid      int    `json:"pid"`
	Endpoint string `json:"endpoint"`
	API      string `json:"api"`
	Stack    string `json:"stack"`
}

// stateFolder is where MiniStack keeps what it holds.
func (d desk) stateFolder() string { return filepath.Join(d.repo, ".backroom", "ministack") }

func (d desk) noticeFile() string { return filepath.Join(d.repo, ".backroom", "running.json") }

func (d desk) announce(r running) error {
	notice, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(d.noticeFile(), notice, 0o644)
}

func (d desk) withdraw() error { return os.Remove(d.noticeFile()) }

// whereRunning returns what `make run` announced, if the process that did is there.
func (d desk) whereRunning() (r running, ok bool) {
	notice, err := os.ReadFile(d.noticeFile())
	if err != nil || json.Unmarshal(notice, &r) != nil {
		return running{}, false
	}
	return r, syscall.Kill(r.Pid, 0) == nil
}

// nobodyElseRuns is an error while another `make run` has the state folder.
func (d desk) nobodyElseRuns() error {
	if r, ok := d.whereRunning(); ok {
		return remedy.For(fmt.Errorf("another make run (process %d) serves this repository at %s", r.Pid, r.API), fmt.Sprintf("use that one, or stop it: kill %d", r.Pid))
	}
	return nil
}

// reset is `make reset`: it forgets what MiniStack holds. Built functions and installed tools stay.
func reset(_ context.Context, d desk, _ []string) error {
	if err := d.nobodyElseRuns(); err != nil {
		return err
	}
	if _, err := os.Stat(d.stateFolder()); errors.Is(err, fs.ErrNotExist) {
		d.Linef("nothing is stored")
		return nil
	}
	if err := os.RemoveAll(d.stateFolder()); err != nil {
		return err
	}
	d.Linef("forgot all orders, stock and products; the next make run deploys afresh")
	return nil
}
