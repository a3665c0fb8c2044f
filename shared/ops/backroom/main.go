// Command backroom operates a deployed Backroom, in production and on a local cloud:
//
//	backroom order show ID     show what happened to an order
//	backroom redrive STEP      move a step's dead letters back to its queue
//	backroom replay            send lost facts again
//	backroom erase CUSTOMER    erase a customer's personal data
//	backroom mail list         show the last mails of a stack that delivers none
//	backroom smoke             test a deployment with one order
//	backroom delete            delete a stack and its tables; never prod
//
// It exits with 0 after success, 1 after a failure, 2 if an argument or flag is wrong, and 130
// after an interrupt.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"backroom/shared/ops/remedy"
	"backroom/shared/ops/terminal"
)

// The exit codes.
const (
	exitFailed      = 1
	exitMisuse      = 2
	exitInterrupted = 130
)

// A console runs one command, with its input and its outputs.
type console struct {
	*terminal.Reporter           // standard output: results
	notes              io.Writer // standard error: notes, questions and errors
	in                 io.Reader
	interactive        bool   // in is a terminal, so that a person can answer
	folder             string // the working directory
	now                func() time.Time

	flags           *pflag.FlagSet // that every verb has
	stack, endpoint string
	began           bool // the arguments are valid, and the verb has begun
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	folder, err := os.Getwd()
	if err != nil {
		folder = "."
	}
	c := &console{
		Reporter: terminal.New(os.Stdout), notes: os.Stderr, in: os.Stdin, interactive: terminal.IsTerminal(os.Stdin),
		folder: folder, now: time.Now,
	}
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs the command that args name, and returns the exit code.
func (c *console) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetOut(c.Reporter)
	root.SetErr(c.notes)
	verb, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		fmt.Fprintln(c.notes, "stopped")
		return exitInterrupted
	}
	code := exitFailed
	if _, misused := errors.AsType[misuse](err); misused || !c.began {
		code, err = exitMisuse, remedy.For(err, verb.CommandPath()+" --help")
	}
	remedy.Print(c.notes, err)
	return code
}

// A misuse is an error of the caller: an argument or a flag is missing or wrong.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// root returns the command with all verbs.
func (c *console) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "backroom",
		Short: "Operate a deployed Backroom",
		Long: "backroom operates a deployed Backroom, in production and on a local cloud.\n" +
			"\n" +
			"A verb that changes a stack names it and asks before it acts. Without --stack, the other verbs use\n" +
			"the stack that make run serves in this folder. On AWS, AWS_REGION and the usual credentials select\n" +
			"the account.",
		Example: "  backroom order show ord_1 --stack backroom-prod\n" +
			"  backroom redrive advance-order --dry-run --stack backroom-prod",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.flags = root.PersistentFlags()
	c.flags.StringVar(&c.stack, "stack", "", "`name` of the CloudFormation stack; required by a verb that changes one")
	c.flags.StringVar(&c.endpoint, "endpoint", os.Getenv("AWS_ENDPOINT_URL"),
		"`URL` of a local cloud; AWS_ENDPOINT_URL sets the default, empty means AWS")
	root.AddCommand(
		group("order", "Show orders", c.orderShow()), c.redrive(), c.replay(), c.erase(),
		group("mail", "Look at mails in the mailbox", c.mailList()), c.smoke(), c.remove(),
	)
	return root
}

// group returns a command that only holds others.
func group(name, short string, verbs ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: name, Short: short,
		RunE: func(g *cobra.Command, args []string) error {
			if len(args) == 0 {
				return g.Help()
			}
			return misuse{fmt.Errorf("unknown command %q for %q", args[0], g.CommandPath())}
		},
	}
	g.AddCommand(verbs...)
	return g
}

// begin marks the arguments as valid: a later error is a failure, unless it is a misuse.
func (c *console) begin(verb func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c.began = true
		return verb(cmd.Context(), args)
	}
}

// one requires exactly one argument, which what describes.
func one(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return fmt.Errorf("exactly one argument is required: %s", what)
		}
		return nil
	}
}

// atLeast returns a misuse if a flag's number is below least.
func atLeast(least int, flag string, n int) error {
	if n < least {
		return misuse{fmt.Errorf("--%s must be at least %d, not %d", flag, least, n)}
	}
	return nil
}
