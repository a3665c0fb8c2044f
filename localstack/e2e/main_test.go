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
		os.Exit(suite.Main(m)) // go test ./...: every case is skipped, with the reason
	}
	var err error
	if system, err = Deployed(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	atOnce := "12" // cases mostly wait
	if system.Cloud == cloud.NameLocalStack {
		atOnce = "4" // LocalStack is slow
	}
	_ = flag.Set("test.parallel", atOnce)
	suite = &conformance.Suite{Cloud: system.Cloud, Exceptions: Exceptions, File: ExceptionsFile}
	os.Exit(suite.Main(m))
}

// parallel runs a case in parallel with others.
func parallel(t *testing.T, demand func(conformance.T)) {
	t.Helper()
	t.Parallel()
	suite.Run(t, demand)
}

// serial runs a case alone, because it pauses functions that other cases need.
func serial(t *testing.T, demand func(conformance.T)) {
	t.Helper()
	suite.Run(t, demand)
}
