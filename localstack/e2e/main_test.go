package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
)

var (
	system *System
	suite  *Suite
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "12") // cases wait far more than they compute
	var err error
	if system, err = Deployed(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
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
