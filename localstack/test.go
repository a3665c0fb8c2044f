package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"backroom/localstack/cloud"
	"backroom/localstack/deploy"
	"backroom/localstack/lane"
	"backroom/localstack/remedy"
	"backroom/localstack/tools"
)

// lint is `make lint`.
func lint(ctx context.Context, d desk, _ []string) error {
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	return d.lint(ctx, installed)
}

func (d desk) lint(ctx context.Context, installed tools.Tools) error {
	checks := []struct {
		name, next string
		program    []string
	}{
		{"gofmt", "gofmt -w .", []string{"gofmt", "-l", "."}},
		{"vet", "go vet ./...", []string{"go", "vet", "./..."}},
		{"static", "go tool staticcheck ./...", []string{"go", "tool", "staticcheck", "./..."}},
		{"template", "sam validate --lint", []string{installed.SAM, "validate", "--lint", "--template-file", "template.yaml"}},
	}
	var failures []error
	for _, check := range checks {
		failures = append(failures, d.Phase(check.name, func() (string, error) {
			program := exec.CommandContext(ctx, check.program[0], check.program[1:]...)
			program.Dir = d.repo
			program.Env = append(cloud.Environ("http://127.0.0.1:1"), "SAM_CLI_TELEMETRY=0") // no account is asked
			printed, err := program.CombinedOutput()
			if err == nil && check.name == "gofmt" && len(bytes.TrimSpace(printed)) > 0 {
				err = errors.New("these files are not formatted")
			}
			if err != nil {
				return "", remedy.For(fmt.Errorf("%s: %w\n%s", check.name, err, bytes.TrimSpace(printed)), check.next)
			}
			return "", nil
		}))
	}
	return errors.Join(failures...)
}

// test is `make test`: lint, unit tests, the suites of the stores on MiniStack's DynamoDB, and the black-box suite on a stack
// freshly deployed there. The MiniStack is its own, on a free port, with a state that is thrown away.
func test(ctx context.Context, d desk, _ []string) (err error) {
	began := time.Now()
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	if err := d.lint(ctx, installed); err != nil {
		return err
	}
	where, err := d.open(ctx, installed, cloud.NameMiniStack)
	if err != nil {
		return err
	}
	defer closing(&err, where.close)
	return errors.Join(
		d.units(ctx, where),
		d.blackBox(ctx, installed, where, "backroom-test"),
		d.total(began, ctx))
}

func (d desk) total(began time.Time, ctx context.Context) error {
	d.Linef("%.0f s in all", time.Since(began).Seconds())
	return ctx.Err()
}

// e2e is `make e2e CLOUD=…`: the black-box suite on any cloud. STACK names the stack; on AWS it must. STORES=1 adds the suites
// of the stores.
func e2e(ctx context.Context, d desk, args []string) (err error) {
	if len(args) != 1 {
		return remedy.For(errors.New("on which cloud?"), "make e2e CLOUD=ministack|localstack|aws")
	}
	stack := os.Getenv("STACK")
	if stack == "" && args[0] == cloud.NameAWS {
		return remedy.For(errors.New("on AWS the stack needs a name; it is created or updated in your account, and stays"), "make e2e CLOUD=aws STACK=backroom-e2e")
	}
	if stack == "" {
		stack = "backroom-e2e"
	}
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	where, err := d.open(ctx, installed, args[0])
	if err != nil {
		return err
	}
	defer closing(&err, where.close)
	var stores error
	if os.Getenv("STORES") == "1" {
		stores = d.stores(ctx, where)
	}
	return errors.Join(stores, d.blackBox(ctx, installed, where, stack))
}

// A place is a cloud that was started for tests.
type place struct {
	cloud.Cloud
	scratch string
}

// open starts a cloud with a state that is thrown away.
func (d desk) open(ctx context.Context, installed tools.Tools, name string) (where place, err error) {
	err = d.Phase("cloud", func() (string, error) {
		scratch, err := os.MkdirTemp("", "backroom-")
		if err != nil {
			return "", err
		}
		where.scratch = scratch
		where.Cloud, err = cloud.Named(name, installed, filepath.Join(scratch, "cloud"))
		if err == nil {
			err = where.Start(ctx)
		}
		if err != nil {
			return "", errors.Join(err, os.RemoveAll(scratch))
		}
		return strings.TrimSpace(name + " " + where.Endpoint()), nil
	})
	return where, err
}

func (p place) close() error { return errors.Join(p.Stop(), os.RemoveAll(p.scratch)) }

// environ is what tests learn about the cloud: which one, where, and the stack if there is one.
func (p place) environ(stack string) []string {
	environ := append(cloud.Environ(p.Endpoint()), "BACKROOM_CLOUD="+p.Name(), "BACKROOM_ENDPOINT="+p.Endpoint())
	if stack != "" {
		environ = append(environ, "BACKROOM_STACK="+stack)
	}
	return environ
}

// units runs every test but the black-box suite.
func (d desk) units(ctx context.Context, where place) error {
	listed, err := exec.CommandContext(ctx, "go", "list", "./...").Output()
	if err != nil {
		return remedy.For(err, "go vet ./...")
	}
	var packages []string
	for path := range strings.FieldsSeq(string(listed)) {
		if !strings.HasPrefix(path, "backroom/localstack/e2e") {
			packages = append(packages, path)
		}
	}
	return d.lane(ctx, lane.Lane{Name: "unit, store and wiring tests on " + where.Name(), Packages: packages, Environ: where.environ("")})
}

// stores runs the suites that need a DynamoDB: inside LocalStack that is AWS's own DynamoDB Local, the oracle for expressions.
func (d desk) stores(ctx context.Context, where place) error {
	return d.lane(ctx, lane.Lane{Name: "shared packages and their stores on " + where.Name(), Packages: []string{"./shared/..."}, Environ: where.environ("")})
}

// blackBox deploys the stack and runs the black-box suite against it.
func (d desk) blackBox(ctx context.Context, installed tools.Tools, where place, stack string) error {
	_, err := d.deploy(ctx, deploy.Deployment{
		Tools: installed, Endpoint: where.Endpoint(), Stack: stack,
		Parameters: map[string]string{"Patience": "3s"}, // cases wait for orders to ask again
	})
	if err != nil {
		return err
	}
	return d.lane(ctx, lane.Lane{
		Name: "black-box cases on " + where.Name(), Packages: []string{"./localstack/e2e/..."},
		Args: []string{"-timeout", "40m"}, Environ: where.environ(stack),
	})
}

// lane runs one lane and prints its tally and exceptions.
func (d desk) lane(ctx context.Context, l lane.Lane) error {
	l.Repo, l.Out = d.repo, os.Stdout
	d.Linef("...  %s", l.Name)
	tally, err := l.Run(ctx)
	word := d.Good("ok  ")
	if err != nil {
		word = d.Bad("FAIL")
	}
	d.Linef("%s %s", word, tally)
	for _, exception := range tally.Exceptions {
		d.Linef("     %s%s", lane.ExceptionMark, exception)
	}
	for _, figure := range tally.Figures {
		d.Linef("     %s%s", lane.FigureMark, figure)
	}
	return err
}
