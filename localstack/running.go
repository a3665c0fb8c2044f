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

// stateFolder is where MiniStack keeps what it holds.
func (d app) stateFolder() string { return filepath.Join(d.repo, ".backroom", "ministack") }

// rows is raised whenever rows of the tables are not what they were before. There is no stack but those of make run whose rows
// are older, and they are made again sooner than migrated.
const rows = "3"

// stored reports whether earlier runs stored something. It returns an error if this version cannot read that.
func (d app) stored() (bool, error) {
	mark := filepath.Join(d.stateFolder(), "rows")
	written, err := os.ReadFile(mark)
	if err == nil && string(written) == rows {
		return true, nil
	}
	if _, err := os.Stat(filepath.Join(d.stateFolder(), "state")); err == nil {
		return false, remedy.For(errors.New("what earlier runs stored is of another version of Backroom"), "make reset, which forgets it, then make run")
	}
	if err := os.MkdirAll(d.stateFolder(), 0o755); err != nil {
		return false, err
	}
	return false, os.WriteFile(mark, []byte(rows), 0o644)
}

// nobodyElseRuns is an error while another `make run` has the state folder.
func (d app) nobodyElseRuns() error {
	if r, ok := local.Running(d.repo); ok {
		return remedy.For(fmt.Errorf("another make run (process %d) serves this repository at %s", r.Pid, r.API), fmt.Sprintf("use that one, or stop it: kill %d", r.Pid))
	}
	return nil
}

// reset is `make reset`: it forgets what MiniStack holds. Built functions and installed tools stay.
func reset(_ context.Context, d app, _ []string) error {
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
