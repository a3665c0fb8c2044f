package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"backroom/localstack/cloud"
	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
)

// stateFolder is where all MiniStacks of make run store their data.
func (d app) stateFolder() string { return filepath.Join(d.repo, ".backroom", "ministack") }

// stateOf is where the MiniStack at a port stores its data. Each port has its own, because the data contain the
// port: in the URLs of queues and of the API, and in what the functions are configured with.
func (d app) stateOf(port int) string { return filepath.Join(d.stateFolder(), strconv.Itoa(port)) }

// rowFormat is raised with every change of the rows' format. Only stacks of make run can have rows of an
// older format, and those are deleted, not migrated.
const rowFormat = "4"

// checkStored returns an error if this version cannot read what earlier runs stored for a port. It marks what
// the next run stores.
func (d app) checkStored(port int) error {
	mark := filepath.Join(d.stateOf(port), "rows")
	written, err := os.ReadFile(mark)
	if err == nil && string(written) == rowFormat {
		return nil
	}
	for _, earlier := range []string{filepath.Join(d.stateOf(port), "state"), filepath.Join(d.stateFolder(), "state")} {
		if _, err := os.Stat(earlier); err == nil {
			return remedy.For(errors.New("earlier runs stored data in the format of another version of Backroom"),
				"make reset, which deletes the data, then make run")
		}
	}
	if err := os.MkdirAll(d.stateOf(port), 0o755); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte(rowFormat), 0o644)
}

// others returns the ports, apart from one, for which earlier runs stored data.
func (d app) others(port int) (ports []string) {
	// The pattern is well-formed.
	found, _ := filepath.Glob(filepath.Join(d.stateFolder(), "*", "state", "dynamodb.json"))
	for _, tables := range found {
		if folder := filepath.Dir(filepath.Dir(tables)); folder != d.stateOf(port) {
			ports = append(ports, filepath.Base(folder))
		}
	}
	return ports
}

// claim makes this process the only one that uses what make run stores. It returns an error while another does.
func (d app) claim() (*local.Claim, error) {
	claim, err := local.Take(d.repo)
	if taken, ok := errors.AsType[local.TakenError](err); ok {
		return nil, remedy.For(err, fmt.Sprintf("use that one, or stop it with Ctrl-C in its terminal or kill %d; "+
			"a second clone of the repository can run beside it", taken.By.Pid))
	}
	return claim, err
}

// reset is `make reset`: it deletes what MiniStack stored. Built functions and installed tools stay.
func reset(_ context.Context, d app, _ []string) (err error) {
	claim, err := d.claim()
	if err != nil {
		return err
	}
	defer closing(&err, claim.Release)
	if _, err := os.Stat(d.stateFolder()); errors.Is(err, fs.ErrNotExist) {
		d.Linef("nothing to delete: make run has not stored anything yet")
		return nil
	}
	inUse, _ := filepath.Glob(filepath.Join(d.stateFolder(), "*")) // the pattern is well-formed
	for _, state := range inUse {
		lock, err := cloud.Hold(state)
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	if err := os.RemoveAll(d.stateFolder()); err != nil {
		return err
	}
	d.Linef("deleted all orders, stock and products, of every CLOUD_PORT; the next make run deploys a new stack")
	return nil
}
