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
	"backroom/shared/ops/stack"
)

// lint is `make lint`: it runs every check, also after one has failed.
func lint(ctx context.Context, d app, _ []string) error {
	installed, err := d.ready(ctx)
	if err != nil {
		return err
	}
	return d.lint(ctx, installed)
}

// golangci runs the linters of .golangci.yml, with go vet and staticcheck among them. The first run builds it
// from source, which takes some minutes.
var golangci = []string{"go", "tool", "-modfile=localstack/tools/lint.mod", "golangci-lint", "run"}

func (d app) lint(ctx context.Context, installed tools.Tools) error {
	checks := []struct {
		name, next string
		program    []string
	}{
		{"golangci", strings.Join(golangci, " "), golangci},
		{"template", "sam validate --lint",
			[]string{installed.SAM, "validate", "--lint", "--template-file", "template.yaml"}},
	}
	failures := []error{d.Phase("prose", d.prose)}
	for _, check := range checks {
		failures = append(failures, d.Phase(check.name, func() (string, error) {
			program := exec.CommandContext(ctx, check.program[0], check.program[1:]...)
			program.Dir = d.repo
			program.Env = append(cloud.Environ("http://127.0.0.1:1"), "SAM_CLI_TELEMETRY=0") // no request reaches AWS
			printed, err := program.CombinedOutput()
			if err != nil {
				return "", remedy.For(fmt.Errorf("%s: %w\n%s", check.name, err, bytes.TrimSpace(printed)), check.next)
			}
			return "", nil
		}))
	}
	return errors.Join(failures...)
}

// test is `make test`. It runs lint, then every test on the simulated cloud, then the tests that use a cloud
// and the conformance suites on MiniStack, and the black-box suite on a stack that it deploys there. It
// starts a MiniStack of its own, on a free port, and deletes its data at the end.
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
	d.Linef("%.0f s in total", time.Since(began).Seconds())
	return ctx.Err()
}

// e2e is `make e2e CLOUD=…`: it runs the black-box suite on any cloud. STACK names the stack, and is
// required on AWS. With STORES=1 it runs the suites of the stores first.
func e2e(ctx context.Context, d app, args []string) (err error) {
	if len(args) != 1 {
		return remedy.For(errors.New("CLOUD= must name a cloud"), "make e2e CLOUD=ministack|localstack|aws")
	}
	stack := os.Getenv("STACK")
	if stack == "" && args[0] == cloud.NameAWS {
		return remedy.For(
			errors.New("STACK= must name the stack; it is created or updated in your AWS account, and not deleted"),
			"make e2e CLOUD=aws STACK=backroom-e2e")
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
	scratch string // the folder of its data
}

// open starts a cloud. Closing the place stops it and deletes its data.
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

// deployAlone starts a MiniStack and deploys a stack there, whose limits no load reaches. Closing the place stops it
// and deletes its data.
func (d app) deployAlone(ctx context.Context, installed tools.Tools, name string) (
	where place, deployed stack.Stack, err error) {
	where, err = d.open(ctx, installed, cloud.NameMiniStack)
	if err != nil {
		return where, deployed, err
	}
	deployed, err = d.deploy(ctx, deploy.Deployment{
		Tools: installed, Endpoint: where.Endpoint(), Stack: name, Parameters: deploy.HighLimits(nil),
	})
	if err != nil {
		err = errors.Join(err, where.close())
	}
	return where, deployed, err
}

func (p place) close() error { return errors.Join(p.Stop(), os.RemoveAll(p.scratch)) }

// environ returns the environment of tests: which cloud they run on, its endpoint, and the stack unless
// that is empty.
func (p place) environ(stack string) []string {
	environ := append(cloud.Environ(p.Endpoint()), "BACKROOM_CLOUD="+p.Name(), "BACKROOM_ENDPOINT="+p.Endpoint())
	if stack != "" {
		environ = append(environ, "BACKROOM_STACK="+stack)
	}
	return environ
}

// blackBoxes is the prefix of the packages whose cases need a deployed stack.
var blackBoxes = tools.Module() + "/localstack/e2e"

// simulated returns the environment of tests that run on the simulated cloud only, with more added.
func simulated(more ...string) []string {
	return append(append(cloud.Environ(""), "BACKROOM_ENDPOINT=", "BACKROOM_CLOUD="), more...)
}

// units runs every test except the black-box suite, on the simulated cloud only. The tests that replay the
// sample events run first.
func (d app) units(ctx context.Context) error {
	recorded := d.recorded(ctx, false)
	others := func(p listed) bool {
		return !strings.HasPrefix(p.path, blackBoxes) && !p.isWiring() && p.path != comparison
	}
	packages, err := packages(ctx, others, "./...")
	if err != nil {
		return errors.Join(recorded, err)
	}
	return errors.Join(recorded, d.lane(ctx, lane.Lane{
		Name: "every other test, on the simulated cloud", Packages: packages, Environ: simulated(),
	}))
}

// stores runs the tests that run on any cloud: the suites of stores, the wiring of functions, and the
// conformance suites that the simulated cloud passes. On LocalStack they run against AWS's own DynamoDB
// Local, which is the reference for expressions.
func (d app) stores(ctx context.Context, where place, patterns ...string) error {
	packages, err := packages(ctx, listed.onAnyCloud, patterns...)
	if err != nil {
		return err
	}
	return d.lane(ctx, lane.Lane{
		Name: "stores, wiring and conformance, on " + where.Name(), Packages: packages, Environ: where.environ(""),
	})
}

// listed is a package, and what its tests import.
type listed struct {
	path    string
	imports []string
}

// onAnyCloud reports whether the package's tests run on the cloud that BACKROOM_ENDPOINT names.
func (l listed) onAnyCloud() bool {
	if strings.HasPrefix(l.path, tools.Module()+"/localstack/simulation") {
		return false // it is a cloud itself
	}
	if l.path == comparison {
		return false // it compares what was recorded on the simulated cloud
	}
	return slices.ContainsFunc(l.imports, func(imported string) bool {
		suite := strings.HasPrefix(imported, tools.Module()+"/localstack/conformance/")
		return suite || imported == tools.Module()+"/localstack/cloudtest"
	})
}

// packages returns the paths of the packages that match the patterns and that wanted accepts.
func packages(ctx context.Context, wanted func(listed) bool, patterns ...string) ([]string, error) {
	args := append([]string{"list", "-f", `{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}`},
		patterns...)
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	if err != nil {
		return nil, remedy.For(err, "go vet ./...")
	}
	var paths []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if p := (listed{words[0], words[1:]}); wanted(p) {
			paths = append(paths, p.path)
		}
	}
	return paths, nil
}

// blackBox deploys the stack and runs the black-box suite against it.
func (d app) blackBox(ctx context.Context, installed tools.Tools, where place, stack string) error {
	_, err := d.deploy(ctx, deploy.Deployment{
		Tools: installed, Endpoint: where.Endpoint(), Stack: stack,
		Parameters: deploy.HighLimits(map[string]string{"RetryDelay": "3s"}), // cases wait for an order's retry
	})
	if err != nil {
		return err
	}
	return d.lane(ctx, lane.Lane{
		Name: "black-box cases on " + where.Name(), Packages: []string{blackBoxes + "/..."},
		Args: []string{"-timeout", "40m"}, Environ: where.environ(stack),
	})
}

// lane runs one lane and prints its tally, its exceptions and its figures.
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
