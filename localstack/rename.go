package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"backroom/localstack/rename"
	"backroom/shared/ops/remedy"
)

// renameModule is `make rename MODULE=…`. It changes files in the whole repository. It returns an error if
// there are uncommitted changes, so that the two do not mix; with FORCE=1 it renames nevertheless.
func renameModule(ctx context.Context, d app, args []string) error {
	path := strings.Join(args, " ")
	if err := rename.Check(path); err != nil {
		return err
	}
	if os.Getenv("FORCE") != "1" {
		if err := d.committed(ctx); err != nil {
			return err
		}
	}
	changed, err := rename.Module(d.repo, path)
	if err != nil {
		return err
	}
	for _, file := range append(changed.Modules, changed.Texts...) {
		d.Linef("%s", file)
	}
	d.Linef("and %d Go files changed: the module %s is now %s", len(changed.Sources), changed.From, changed.To)
	d.Linef("stacks, tables and the product keep their names\nnext: go vet ./... && make test")
	return nil
}

// committed returns an error if git reports uncommitted changes.
func (d app) committed(ctx context.Context) error {
	status := exec.CommandContext(ctx, "git", "status", "--porcelain")
	status.Dir = d.repo
	out, err := status.Output()
	if err != nil {
		return remedy.For(fmt.Errorf("git status: %w", err), "FORCE=1 goes on without git")
	}
	if len(out) > 0 {
		return remedy.For(errors.New("there are uncommitted changes"), "git commit, or FORCE=1")
	}
	return nil
}
