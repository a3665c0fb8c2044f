package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
)

// site opens the stack that an operator's command works on: the one that STACK names, wherever the AWS SDK's settings lead, or
// that of the running `make run`.
func (d desk) site(ctx context.Context) (ops.Site, error) {
	if stack := os.Getenv("STACK"); stack != "" {
		return ops.Open(ctx, "", stack)
	}
	at, ok := d.whereRunning()
	if !ok {
		return ops.Site{}, nothingRuns
	}
	return ops.Open(ctx, at.Endpoint, at.Stack)
}

// What leads on where there is no stack to work on.
var nothingRuns = remedy.For(errors.New("nothing is running here"),
	"make run, then this again in another terminal; or STACK=… for one that is deployed elsewhere, with AWS_REGION and credentials")

// ofShop is the shop that a command is about.
func ofShop() string { return cmp.Or(os.Getenv("SHOP"), "main") }

// onlyLook reports whether a command is to show what it would do.
func onlyLook() bool { return os.Getenv("DRY") != "" && os.Getenv("DRY") != "0" }

// count reads a number from the environment, at least 1 if it is there.
func count(setting string, otherwise int) (int, error) {
	given := os.Getenv(setting)
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 {
		return 0, remedy.For(fmt.Errorf("%s=%s is no number of at least 1", setting, given), setting+"=100")
	}
	return n, nil
}
