// Command localstack runs Backroom on this machine: on MiniStack, an embedded local AWS, or on
// LocalStack. The Makefile calls it. To operate a stack there is another command,
// shared/ops/backroom.
//
//	localstack run        start the local cloud, deploy, place orders, serve the API until Ctrl-C
//	localstack reset      delete what earlier runs stored
//	localstack invoke     call a function of the running cloud: invoke <function> <event file>
//	localstack reference  try the API reference in a headless Chromium
//	localstack sizes      print the size of every function
//	localstack contract   compare the OpenAPI document with what functions answer
//	localstack policy     check the template and the roles against the policy
//	localstack audit      look for vulnerabilities and secrets, run checkov, build packages twice
//	localstack sbom       list what is linked into every function
//	localstack lint       golangci-lint, the prose check, sam validate
//	localstack prose      what the prose check finds: prose [pattern…]
//	localstack new        the skeleton of a route or a step
//	localstack rename     give the module another path: rename <path>
//	localstack fuzz       run every fuzz target for a while
//	localstack probe      run Schemathesis on a fresh MiniStack
//	localstack clients    generate clients from the API's document, and try them on a fresh MiniStack
//	localstack test       run all tests that need no cloud except MiniStack
//	localstack e2e        run the black-box suite on a cloud: e2e ministack|localstack|aws
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"backroom/localstack/cloud"
	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/terminal"
)

// An app is what every command works with: the output, and the root of the repository.
type app struct {
	*terminal.Reporter
	repo string
}

var commands = map[string]func(ctx context.Context, d app, args []string) error{
	"run":       run,
	"reset":     reset,
	"invoke":    invoke,
	"reference": useReference,
	"sizes":     sizes,
	"lint":      lint,
	"prose":     listProse,
	"new":       newFunction,
	"rename":    renameModule,
	"contract":  contract,
	"policy":    policy,
	"audit":     auditAll,
	"sbom":      sbom,
	"fuzz":      fuzz,
	"probe":     probeAPI,
	"clients":   tryClients,
	"test":      test,
	"e2e":       e2e,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		if ctx.Err() != nil && !errors.Is(err, cloud.ErrNotSaved) {
			fmt.Fprintln(os.Stderr, "stopped")
			os.Exit(130)
		}
		remedy.Print(os.Stderr, err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 0 || commands[args[0]] == nil {
		return remedy.For(fmt.Errorf("unknown command %q", args), "make lists the commands")
	}
	repo, err := tools.Repo()
	if err != nil {
		return err
	}
	return commands[args[0]](ctx, app{Reporter: terminal.New(os.Stdout), repo: repo}, args[1:])
}

// ready checks the tools of this machine, and installs the pinned ones if they are missing.
func (d app) ready(ctx context.Context) (installed tools.Tools, err error) {
	err = d.Phase("tools", func() (string, error) {
		found, err := tools.Check(ctx)
		if err != nil {
			return "", err
		}
		installed, err = tools.Install(ctx, d.repo)
		return found, err
	})
	return installed, err
}

// closing runs end and joins its error to err. A deferred call of it ends what the function began.
func closing(err *error, end func() error) { *err = errors.Join(*err, end()) }
