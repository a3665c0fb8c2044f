// Package crash tests that no order is lost, and nothing is reserved or charged twice, when the cloud is stopped and
// when functions are killed with messages in flight. It starts a MiniStack of its own, which it can stop and kill.
//
//	make test    or    make e2e
package crash

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/cloud"
	"backroom/localstack/conformance"
	"backroom/localstack/deploy"
	"backroom/localstack/e2e"
	"backroom/localstack/tools"
)

// retryDelay is the time that an order waits before it asks again.
const retryDelay = "2s"

var (
	ministack *cloud.MiniStack // nil on other clouds
	system    *e2e.System
	suite     *conformance.Suite
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(context.Background(), m))
}

func run(ctx context.Context, m *testing.M) (code int) {
	on := os.Getenv("BACKROOM_CLOUD")
	suite = &conformance.Suite{Cloud: on, Exceptions: e2e.CrashExceptions, File: e2e.ExceptionsFile}
	if on == cloud.NameMiniStack {
		end, err := start(ctx)
		defer func() {
			if err := end(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return suite.Main(m)
}

// start starts a MiniStack and deploys to it. end stops it and deletes its state.
func start(ctx context.Context) (end func() error, err error) {
	scratch, err := os.MkdirTemp("", "backroom-crash-")
	end = func() error { return os.RemoveAll(scratch) }
	if err != nil {
		return end, err
	}
	repo, err := tools.Repo()
	if err != nil {
		return end, err
	}
	installed, err := tools.Install(ctx, repo)
	if err != nil {
		return end, err
	}
	port, err := cloud.FreePort()
	if err != nil {
		return end, err
	}
	ministack = &cloud.MiniStack{Tools: installed, Port: port, State: filepath.Join(scratch, "cloud")}
	end = func() error {
		err := ministack.Stop()
		if err != nil {
			return err
		}
		return os.RemoveAll(scratch)
	}
	if err := ministack.Start(ctx); err != nil {
		return end, err
	}
	plan := deploy.Deployment{Tools: installed, Endpoint: ministack.Endpoint(), Stack: "backroom-crash",
		Parameters: deploy.HighLimits(map[string]string{"RetryDelay": retryDelay})}
	build, _, err := plan.Prepare(ctx)
	if err != nil {
		return end, err
	}
	deployed, err := plan.Deploy(ctx, build)
	if err != nil {
		return end, err
	}
	if _, err := deploy.RegisterCallbacks(ctx, deployed); err != nil {
		return end, err
	}
	if system, err = e2e.Open(ctx, cloud.NameMiniStack, plan.Endpoint, plan.Stack); err == nil {
		system.Bound = 12 * time.Minute // messages of a killed function come back after a minute or more
	}
	return end, err
}

// requireOwnCloud fails the case on a cloud that the tests cannot stop or kill.
func requireOwnCloud(t conformance.T) {
	t.Helper()
	require.NotNil(t, ministack, "the tests cannot stop this cloud")
}
