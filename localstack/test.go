package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backroom/localstack/cloud"
	"backroom/localstack/deploy"
	"backroom/localstack/lane"
	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
)

// lint is `make lint`.
func lint(ctx context.Context, d app, _ []string) error {
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	return d.lint(ctx, installed)
}

// golangci runs the linters of .golangci.yml, go vet and staticcheck among them. It is built from its sources at the first time,
// which takes some minutes.
var golangci = []string{"go", "tool", "-modfile=localstack/tools/lint.mod", "golangci-lint", "run"}

func (d app) lint(ctx context.Context, installed tools.Tools) error {
	checks := []struct {
		name, next string
		program    []string
	}{
		{"golangci", strings.Join(golangci, " "), golangci},
		{"template", "sam validate --lint", []string{installed.SAM, "validate", "--lint", "--template-file", "template.yaml"}},
	}
	failures := []error{d.Phase("prose", d.prose)}
	for _, check := range checks {
		failures = append(failures, d.Phase(check.name, func() (string, error) {
			program := exec.CommandContext(ctx, check.program[0], check.program[1:]...)
			program.Dir = d.repo
			program.Env = append(cloud.Environ("http://127.0.0.1:1"), "SAM_CLI_TELEMETRY=0") // no account is asked
			printed, err := program.CombinedOutput()
			if err != nil {
				return "", remedy.For(fmt.Errorf("%s: %w\n%s", check.name, err, bytes.TrimSpace(printed)), check.next)
			}
			return "", nil
		}))
	}
	return errors.Join(failures...)
}

// test is `make test`: lint; every test on the simulated cloud; those that use a cloud, and the conformance suites, on MiniStack
// too; and the black-box suite on a stack freshly deployed there. The MiniStack is its own, on a free port, with a state that is
// thrown away.
func test(ctx context.Context, d app, _ []string) (err error) {
	began := time.Now()
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	if err := d.lint(ctx, installed); err != nil {
		return err
	}
	units := d.units(ctx)
	where, err := d.open(ctx, installed, cloud.NameMiniStack)
	if err != nil {
		return errors.Join(units, err)
	}
	defer closing(&err, where.close)
	return errors.Join(
		units,
		d.stores(ctx, where, "./shared/...", "./functions/...", "./localstack/..."),
		d.blackBox(ctx, installed, where, "backroom-test"),
		d.total(began, ctx))
}

func (d app) total(began time.Time, ctx context.Context) error {
	d.Linef("%.0f s in all", time.Since(began).Seconds())
	return ctx.Err()
}

// e2e is `make e2e CLOUD=…`: the black-box suite on any cloud. STACK names the stack; on AWS it must. STORES=1 adds the suites
// of the stores.
func e2e(ctx context.Context, d app, args []string) (err error) {
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
		stores = d.stores(ctx, where, "./shared/...", "./localstack/...")
	}
	return errors.Join(stores, d.blackBox(ctx, installed, where, stack))
}

// A place is a cloud that was started for tests.
type place struct {
	cloud.Cloud
	scratch string
}

// open starts a cloud with a state that is thrown away.
func (d app) open(ctx context.Context, installed tools.Tools, name string) (where place, err error) {
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

// blackBoxes are the packages whose cases need a deployed stack.
var blackBoxes = tools.Module() + "/localstack/e2e"

// simulated is the environment of tests that know no cloud but the simulated one, with more of it.
func simulated(more ...string) []string {
	return append(append(cloud.Environ(""), "BACKROOM_ENDPOINT=", "BACKROOM_CLOUD="), more...)
}

// units runs every test but the black-box suite, on no cloud but the simulated one; those that replay the sample events first.
func (d app) units(ctx context.Context) error {
	recorded := d.recorded(ctx, false)
	rest := func(p listed) bool {
		return !strings.HasPrefix(p.path, blackBoxes) && !p.isWiring() && p.path != keeper
	}
	packages, err := packages(ctx, rest, "./...")
	if err != nil {
		return errors.Join(recorded, err)
	}
	return errors.Join(recorded, d.lane(ctx, lane.Lane{Name: "every other test, on the simulated cloud", Packages: packages, Environ: simulated()}))
}

// stores runs again what ran on the simulated cloud and runs on any: the suites of stores, the wiring of functions, and the suites
// that the simulated cloud is held to. Inside LocalStack that is AWS's own DynamoDB Local, the oracle for expressions.
func (d app) stores(ctx context.Context, where place, patterns ...string) error {
	packages, err := packages(ctx, listed.onAnyCloud, patterns...)
	if err != nil {
		return err
	}
	return d.lane(ctx, lane.Lane{Name: "what runs on any cloud, on " + where.Name(), Packages: packages, Environ: where.environ("")})
}

// listed is a package and what its tests import.
type listed struct {
	path    string
	imports []string
}

// onAnyCloud reports whether the package's tests run on the cloud that BACKROOM_ENDPOINT names.
func (l listed) onAnyCloud() bool {
	if strings.HasPrefix(l.path, tools.Module()+"/localstack/simulation") {
		return false // it is a cloud itself
	}
	if l.path == keeper {
		return false // it compares what was recorded on the simulated one
	}
	return slices.ContainsFunc(l.imports, func(imported string) bool {
		suite := strings.HasPrefix(imported, tools.Module()+"/localstack/conformance/")
		return suite || imported == tools.Module()+"/localstack/cloudtest"
	})
}

// packages lists those that are meant of the packages that match the patterns.
func packages(ctx context.Context, meant func(listed) bool, patterns ...string) ([]string, error) {
	args := append([]string{"list", "-f", `{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}`}, patterns...)
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	if err != nil {
		return nil, remedy.For(err, "go vet ./...")
	}
	var paths []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if p := (listed{words[0], words[1:]}); meant(p) {
			paths = append(paths, p.path)
		}
	}
	return paths, nil
}

// blackBox deploys the stack and runs the black-box suite against it.
func (d app) blackBox(ctx context.Context, installed tools.Tools, where place, stack string) error {
	_, err := d.deploy(ctx, deploy.Deployment{
		Tools: installed, Endpoint: where.Endpoint(), Stack: stack,
		Parameters: deploy.WithRoom(map[string]string{"RetryDelay": "3s"}), // cases wait for orders to ask again
	})
	if err != nil {
		return err
	}
	return d.lane(ctx, lane.Lane{
		Name: "black-box cases on " + where.Name(), Packages: []string{blackBoxes + "/..."},
		Args: []string{"-timeout", "40m"}, Environ: where.environ(stack),
	})
}

// lane runs one lane and prints its tally and exceptions.
func (d app) lane(ctx context.Context, l lane.Lane) error {
	l.Repo, l.Out = d.repo, os.Stdout
	d.Linef("...  %s", l.Name)
	tally, err := l.Run(ctx)
	word := d.Good("ok  ")
	if err != nil {
		word = d.Bad("FAIL")
	}
	d.Linef("%s %s", word, tally)
	for _, exception := range tally.Folded() {
		d.Linef("     %s%s", lane.ExceptionMark, exception)
	}
	for _, figure := range tally.Figures {
		d.Linef("     %s%s", lane.FigureMark, figure)
	}
	return err
}
