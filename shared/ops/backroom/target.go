package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"backroom/shared/ops"
	"backroom/shared/ops/local"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
	"backroom/shared/ops/terminal"
)

// target returns the cloud's endpoint and the name of the stack that a verb works on. Without
// --stack, it is the stack of the running make run. It is a misuse if no make run is running, or if
// the verb changes data.
func (c *console) target(changes bool) (endpoint, name string, err error) {
	if c.stack != "" {
		if c.endpoint == "" {
			os.Unsetenv("AWS_ENDPOINT_URL") // --endpoint "" means AWS, and the SDK would read the variable
		}
		return strings.TrimRight(c.endpoint, "/"), c.stack, nil
	}
	if c.flags.Changed("endpoint") {
		return "", "", misuse{errors.New("--endpoint requires --stack")}
	}
	run, ok := local.Find(c.folder)
	if !ok {
		return "", "", misuse{remedy.For(errors.New("--stack is missing, and no make run serves a stack here"),
			"give --stack NAME, with AWS_REGION and credentials; or start make run, and run this again in another "+
				"terminal")}
	}
	if changes {
		return "", "",
			misuse{remedy.For(errors.New("--stack is missing: it is required by a verb that changes a stack"),
				fmt.Sprintf("--stack %s --endpoint %s for the stack of the running make run", run.Stack, run.Endpoint))}
	}
	terminal.Fprintf(c.notes, "stack %s at %s, of the running make run\n", run.Stack, run.Endpoint)
	return run.Endpoint, run.Stack, nil
}

// site opens the stack that a verb works on.
func (c *console) site(ctx context.Context, changes bool) (ops.Site, error) {
	endpoint, name, err := c.target(changes)
	if err != nil {
		return ops.Site{}, err
	}
	return ops.Open(ctx, endpoint, name)
}

// where describes a stack: its name, its stage, and its endpoint or account.
func where(s stack.Stack) string {
	at := s.Endpoint
	if id, err := arn.Parse(s.ARN); at == "" && err == nil {
		at = "AWS account " + id.AccountID + ", " + id.Region
	}
	return fmt.Sprintf("the stack %s (stage %s, %s)", s.Name, s.Outputs["Stage"], at)
}

// agree returns nil if the operator agrees to a change of a stack, by an answer or by --yes.
func (c *console) agree(ctx context.Context, yes bool, s stack.Stack, what string) error {
	terminal.Fprintf(c.notes, "On %s: %s.\n", where(s), what)
	if yes {
		return nil
	}
	answer, err := c.ask(ctx, "Continue? [y/N] ", "--yes")
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return errors.New("not confirmed; nothing was changed")
}

// ask returns the operator's answer. Without a terminal it returns a misuse that names the flag
// which answers instead.
func (c *console) ask(ctx context.Context, question, flag string) (string, error) {
	if !c.interactive {
		why := errors.New("a confirmation is required, and there is no terminal to ask on; nothing was changed")
		return "", misuse{remedy.For(why, "run it again with "+flag)}
	}
	fmt.Fprint(c.notes, question)
	answer := make(chan string, 1)
	go func() { // a read cannot be canceled
		line, _ := bufio.NewReader(c.in).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case said := <-answer:
		return said, nil
	}
}

// ofShop gives a verb the flag --shop.
func ofShop(verb *cobra.Command) *string {
	return verb.Flags().String("shop", "main", "`name` of the shop, one of those that share the stack")
}

// yes gives a verb the flag --yes.
func yes(verb *cobra.Command) *bool {
	return verb.Flags().Bool("yes", false, "do not ask for confirmation")
}
