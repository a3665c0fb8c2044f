package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"backroom/localstack/cloud"
)

var (
	system *System
	suite  *Suite
)

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if system, err = Deployed(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	atOnce := "12" // cases wait far more than they compute
	if system.Cloud == cloud.NameLocalStack {
		atOnce = "4" // and what they wait for there is slow by itself
	}
	_ = flag.Set("test.parallel", atOnce)
	suite = &Suite{Cloud: system.Cloud, Exceptions: Exceptions}
	os.Exit(suite.Main(m))
}

// beside runs a case while others run.
func beside(t *testing.T, demand func(T)) {
	t.Helper()
	t.Parallel()
	suite.Run(t, demand)
}

// alone runs a case that disturbs others: it holds up what they need.
func alone(t *testing.T, demand func(T)) {
	t.Helper()
	suite.Run(t, demand)
}
