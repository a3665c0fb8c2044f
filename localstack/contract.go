package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"backroom/localstack/lane"
	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
)

// isWiring reports whether a package wires a function. Its tests replay the sample events, and what the
// function does is recorded.
func (l listed) isWiring() bool {
	return strings.HasPrefix(l.path, tools.Module()+"/functions/") && strings.HasSuffix(l.path, "/wire")
}

// comparison is the package whose tests compare what was recorded with the committed files. Without a
// recording it has nothing to compare.
var comparison = tools.Module() + "/localstack/recorded"

// contract is `make contract`. It replays the sample events and records what functions answer and which
// permissions of their roles they use. It compares that, and the OpenAPI document made from it, with the
// committed files. UPDATE=1 writes those files.
func contract(ctx context.Context, d app, _ []string) error {
	return d.recorded(ctx, os.Getenv("UPDATE") == "1")
}

// policy is `make policy`: it checks the template against the deployment policy, and prints every waiver
// with its reason.
func policy(ctx context.Context, d app, _ []string) error {
	if err := d.recorded(ctx, false); err != nil {
		return err
	}
	return d.lane(ctx,
		lane.Lane{Name: "the deployment's policy", Packages: []string{"./localstack/policy"}, Environ: simulated()})
}

// recorded runs the tests of the wiring on the simulated cloud, and simulates every way of an order. It
// compares what they record with the committed files, or writes those if update is set.
func (d app) recorded(ctx context.Context, update bool) (err error) {
	notes, err := os.MkdirTemp("", "backroom-recorded-")
	if err != nil {
		return err
	}
	defer closing(&err, func() error { return os.RemoveAll(notes) })
	wirings, err := packages(ctx, listed.isWiring, "./functions/...")
	if err != nil {
		return err
	}
	recording := simulated("BACKROOM_RECORD=" + notes)
	if err := d.lane(ctx,
		lane.Lane{Name: "sample events, on the simulated cloud", Packages: wirings, Environ: recording}); err != nil {
		return err
	}
	orders := lane.Lane{
		Name: "every way of an order, simulated", Packages: []string{"./localstack/simulation"},
		Args: []string{"-run", "^TestOrder_(TakesEachPath|SettlesUnderFaults)$"}, Environ: recording,
	}
	if err := d.lane(ctx, orders); err != nil {
		return err
	}
	return d.Phase("contract", func() (string, error) {
		for _, check := range [][]string{{comparison}, {"./functions", "-run", "Contract"}} {
			args := append([]string{"test", "-count=1"}, check...)
			if update {
				args = append(args, "-update")
			}
			test := exec.CommandContext(ctx, "go", args...)
			test.Dir, test.Env = d.repo, simulated("BACKROOM_RECORDED="+notes)
			if printed, err := test.CombinedOutput(); err != nil {
				differs := fmt.Errorf("functions do something else than docs/ and %s say: %w", comparison, err)
				return "", remedy.For(errors.Join(differs, errors.New(string(printed))),
					"if the change is intended: make contract UPDATE=1")
			}
		}
		return "functions answer and use what the committed files say", nil
	})
}
