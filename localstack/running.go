package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
)

// stateFolder is where MiniStack stores its data.
func (d app) stateFolder() string { return filepath.Join(d.repo, ".backroom", "ministack") }

// rowFormat is raised with every change of the rows' format. Only stacks of make run can have rows of an
// older format, and those are deleted, not migrated.
const rowFormat = "4"

// stored reports whether earlier runs stored data. It returns an error if this version cannot read them.
func (d app) stored() (bool, error) {
	mark := filepath.Join(d.stateFolder(), "rows")
	written, err := os.ReadFile(mark)
	if err == nil && string(written) == rowFormat {
		return true, nil
	}
	if _, err := os.Stat(filepath.Join(d.stateFolder(), "state")); err == nil {
		return false, remedy.For(errors.New("earlier runs stored data in the format of another version of Backroom"),
			"make reset, which deletes the data, then make run")
	}
	if err := os.MkdirAll(d.stateFolder(), 0o755); err != nil {
		return false, err
	}
	return false, os.WriteFile(mark, []byte(rowFormat), 0o644)
}

// checkNotRunning returns an error while another `make run` uses the state folder.
func (d app) checkNotRunning() error {
	if r, ok := local.Running(d.repo); ok {
		return remedy.For(fmt.Errorf("another make run (process %d) serves this repository at %s", r.Pid, r.API),
			fmt.Sprintf("use that one, or stop it: kill %d", r.Pid))
	}
	return nil
}

// reset is `make reset`: it deletes what MiniStack stored. Built functions and installed tools stay.
func reset(_ context.Context, d app, _ []string) error {
	if err := d.checkNotRunning(); err != nil {
		return err
	}
	if _, err := os.Stat(d.stateFolder()); errors.Is(err, fs.ErrNotExist) {
		d.Linef("nothing to delete: make run has not stored anything yet")
		return nil
	}
	if err := os.RemoveAll(d.stateFolder()); err != nil {
		return err
	}
	d.Linef("deleted all orders, stock and products; the next make run deploys a new stack")
	return nil
}
