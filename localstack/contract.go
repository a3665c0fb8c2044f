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

// wirings are the packages whose tests replay the sample events: what functions do there is recorded.
func (l listed) isWiring() bool {
	return strings.HasPrefix(l.path, tools.Module()+"/functions/") && strings.HasSuffix(l.path, "/wire")
}

// keeper compares what was recorded with what is kept. Alone it has nothing to compare.
var keeper = tools.Module() + "/localstack/recorded"

// contract is `make contract`: it replays the sample events, and compares what functions answered, what they used of their roles,
// and the OpenAPI document that follows from it with what is kept. UPDATE=1 keeps what is new.
func contract(ctx context.Context, d app, _ []string) error {
	return d.recorded(ctx, os.Getenv("UPDATE") == "1")
}

// policy is `make policy`: what a deployment is held to, with every waiver and its reason.
func policy(ctx context.Context, d app, _ []string) error {
	if err := d.recorded(ctx, false); err != nil {
		return err
	}
	return d.lane(ctx, lane.Lane{Name: "the deployment's policy", Packages: []string{"./localstack/policy"}, Environ: simulated()})
}

// recorded runs the tests of the wiring on the simulated cloud, and orders through all functions, and holds what they record to what
// is kept.
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
	if err := d.lane(ctx, lane.Lane{Name: "sample events, on the simulated cloud", Packages: wirings, Environ: recording}); err != nil {
		return err
	}
	roads := lane.Lane{Name: "the roads of an order, simulated", Packages: []string{"./localstack/simulation"}, Args: []string{"-run", "^(TestTheRoads|TestOrdersCome)"}, Environ: recording}
	if err := d.lane(ctx, roads); err != nil {
		return err
	}
	return d.Phase("contract", func() (string, error) {
		for _, check := range [][]string{{keeper}, {"./functions", "-run", "Contract"}} {
			args := append([]string{"test", "-count=1"}, check...)
			if update {
				args = append(args, "-update")
			}
			test := exec.CommandContext(ctx, "go", args...)
			test.Dir, test.Env = d.repo, simulated("BACKROOM_RECORDED="+notes)
			if printed, err := test.CombinedOutput(); err != nil {
				return "", remedy.For(errors.Join(fmt.Errorf("what functions do is not what docs/ and %s say: %w", keeper, err), errors.New(string(printed))), "make contract UPDATE=1, if the change is meant")
			}
		}
		return "what functions answer and use is what is kept", nil
	})
}
