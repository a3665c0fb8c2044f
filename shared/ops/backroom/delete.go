package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
	"backroom/shared/ops/terminal"
)

// remove is the verb delete.
func (c *console) remove() *cobra.Command {
	verb := &cobra.Command{
		Use:   "delete",
		Short: "Delete a stack and its tables; never prod",
		Long: "delete deletes a dev or staging stack, and then its tables, with every order, product and key in\n" +
			"them. It asks for the stack's name. If the stack is deleted already, it deletes the tables that are\n" +
			"left. It refuses prod.",
		Example: "  backroom delete --stack backroom-dev\n" +
			"  backroom delete --stack backroom-dev --confirm backroom-dev",
		Args: cobra.NoArgs,
	}
	confirm := verb.Flags().String("confirm", "", "`name` of the stack, which confirms without a question")
	dryRun := verb.Flags().Bool("dry-run", false, "print what would be deleted, and delete nothing")
	verb.RunE = c.begin(func(ctx context.Context, _ []string) error {
		endpoint, name, err := c.target(!*dryRun)
		if err != nil {
			return err
		}
		return c.delete(ctx, endpoint, name, *confirm, *dryRun)
	})
	return verb
}

// delete deletes a stack that is not prod's, and then its tables. If the stack is deleted already,
// it deletes the tables that are left.
func (c *console) delete(ctx context.Context, endpoint, name, confirm string, dryRun bool) error {
	s, err := stack.Describe(ctx, endpoint, name)
	there := !errors.Is(err, stack.ErrNoStack)
	if err != nil && there {
		return err
	}
	tables := slices.Clone(stack.Tables)
	if there {
		if err := deletable(s); err != nil {
			return err
		}
		own, err := s.Tables(ctx)
		if err != nil {
			return err
		}
		tables = append(tables, own...)
		c.Linef("This deletes %s, then its tables, with every order, product and key in them.", where(s))
	} else {
		left, err := stack.Leftovers(ctx, endpoint, name, tables)
		if err != nil || len(left) == 0 {
			return errors.Join(err, fmt.Errorf("there is no stack %s, and it left no table", name))
		}
		c.Linef("The stack %s is deleted already. This deletes the %d tables that it left:\n%s",
			name, len(left), terminal.Lines(strings.Join(left, "\n")))
	}
	if dryRun {
		c.Linef("nothing was deleted")
		return nil
	}
	if err := c.confirmed(ctx, name, confirm); err != nil {
		return err
	}
	if there {
		if err := c.Phase("stack", func() (string, error) { return name + " is deleted", s.Delete(ctx) }); err != nil {
			return err
		}
	}
	return c.Phase("tables", func() (string, error) {
		left, err := stack.Leftovers(ctx, endpoint, name, tables)
		if err != nil {
			return "", err
		}
		next := "a protected table was prod's: docs/operations.md#deploy, Deleting. " +
			"Otherwise backroom delete --stack " + name + " again; it finds the tables that are left"
		gone := fmt.Sprintf("%d of the stack are deleted", len(left))
		return gone, remedy.For(stack.DeleteTables(ctx, endpoint, left), next)
	})
}

// deletable returns an error that says why a stack is not deleted by a command.
func deletable(s stack.Stack) error {
	const next = "delete it by hand, if you are sure: docs/operations.md#deploy, Deleting"
	switch s.Outputs["Stage"] {
	case "dev", "staging":
		return nil
	case "prod":
		return remedy.For(fmt.Errorf("%s is prod: no command deletes it", s.Name), next)
	}
	return remedy.For(
		fmt.Errorf("%s has no output Stage: it is not a Backroom stack, or it is older than this command", s.Name),
		next)
}

// confirmed returns nil if the operator gave the stack's name, in a flag or as an answer. Another
// name is an error.
func (c *console) confirmed(ctx context.Context, name, beforehand string) error {
	said := beforehand
	if said == "" {
		var err error
		if said, err = c.ask(ctx, "Enter its name to continue: ", "--confirm "+name); err != nil {
			return err
		}
	}
	if said != name {
		return fmt.Errorf("%q is not %q; nothing was deleted", said, name)
	}
	return nil
}
