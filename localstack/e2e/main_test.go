package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"backroom/localstack/cloud"
	"backroom/localstack/conformance"
)

var (
	system *System
	suite  *conformance.Suite
)

func TestMain(m *testing.M) {
	flag.Parse()
	if suite = (&conformance.Suite{}); os.Getenv("BACKROOM_CLOUD") == "" {
		os.Exit(suite.Main(m)) // go test ./...: every case skips itself and says why
	}
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
	suite = &conformance.Suite{Cloud: system.Cloud, Exceptions: Exceptions, File: ExceptionsFile}
	os.Exit(suite.Main(m))
}

// beside runs a case while others run.
func beside(t *testing.T, demand func(conformance.T)) {
	t.Helper()
	t.Parallel()
	suite.Run(t, demand)
}

// alone runs a case that disturbs others: it holds up what they need.
func alone(t *testing.T, demand func(conformance.T)) {
	t.Helper()
	suite.Run(t, demand)
}
