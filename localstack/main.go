// Command localstack runs Backroom on this machine: on MiniStack, an embedded local AWS, or on LocalStack. The Makefile calls it.
// What operates a stack is another command: shared/ops/backroom.
//
//	localstack run        start the local cloud, deploy, place orders, serve the API until Ctrl-C
//	localstack reset      forget what earlier runs stored
//	localstack invoke     run one function of the running cloud with a sample event: invoke <function> <event file>
//	localstack reference  the API reference in a headless Chromium
//	localstack sizes      how big every function is
//	localstack contract   the OpenAPI document against what functions answer
//	localstack policy     the template, and what roles allow, against the policy
//	localstack audit      weaknesses, secrets, checkov, bills of materials, packages built twice
//	localstack sbom       what is linked into every function
//	localstack lint       golangci-lint, the prose check, sam validate
//	localstack prose      what the prose check finds: prose [pattern…]
//	localstack rename     give the module another path: rename <path>
//	localstack fuzz       every fuzz target for a while
//	localstack probe      Schemathesis on a fresh MiniStack
//	localstack test       everything that needs no cloud but MiniStack
//	localstack e2e        the black-box suite on any cloud: e2e ministack|localstack|aws
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/terminal"
)

// A desk is what every command works at.
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
	"rename":    renameModule,
	"contract":  contract,
	"policy":    policy,
	"audit":     auditAll,
	"sbom":      sbom,
	"fuzz":      fuzz,
	"probe":     probeAPI,
	"test":      test,
	"e2e":       e2e,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "stopped")
			os.Exit(130)
		}
		fmt.Fprintf(os.Stderr, "\n%s\n", err)
		if next := remedy.Next(err); next != "" {
			fmt.Fprintf(os.Stderr, "next: %s\n", next)
		}
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 0 || commands[args[0]] == nil {
		return remedy.For(fmt.Errorf("unknown command %q", args), "make")
	}
	repo, err := tools.Repo()
	if err != nil {
		return err
	}
	return commands[args[0]](ctx, app{Reporter: terminal.New(os.Stdout), repo: repo}, args[1:])
}

// ready checks this machine's tools and installs the pinned ones.
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

// closing runs end and adds its error to the one that is being returned.
func closing(err *error, end func() error) { *err = errors.Join(*err, end()) }
