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
)

// remove is the verb delete.
func (c *console) remove() *cobra.Command {
	verb := &cobra.Command{
		Use:   "delete",
		Short: "Delete a stack and its tables; never prod",
		Long: "delete deletes a dev or staging stack, and then the tables that outlive it, with every order,\n" +
			"product and key in them. It asks for the stack's name. Where the stack is gone already, it deletes\n" +
			"the tables that are left. It refuses prod.",
		Example: "  backroom delete --stack backroom-dev\n  backroom delete --stack backroom-dev --confirm backroom-dev",
		Args:    cobra.NoArgs,
	}
	confirm := verb.Flags().String("confirm", "", "`name` of the stack, which confirms beforehand")
	dryRun := verb.Flags().Bool("dry-run", false, "say what would be deleted, and delete nothing")
	verb.RunE = c.begin(func(ctx context.Context, _ []string) error {
		endpoint, name, err := c.target(!*dryRun)
		if err != nil {
			return err
		}
		return c.delete(ctx, endpoint, name, *confirm, *dryRun)
	})
	return verb
}

// delete deletes a stack that is not prod's, and then the tables that outlive it. Where the stack is gone already,
// it deletes the tables that it left behind.
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
			return errors.Join(err, fmt.Errorf("there is no stack %s, and no table of it", name))
		}
		c.Linef("There is no stack %s any more. This deletes the %d tables that it left:\n%s",
			name, len(left), strings.Join(left, "\n"))
	}
	if dryRun {
		c.Linef("nothing was deleted")
		return nil
	}
	if err := c.confirmed(ctx, name, confirm); err != nil {
		return err
	}
	if there {
		if err := c.Phase("stack", func() (string, error) { return name + " is gone", s.Delete(ctx) }); err != nil {
			return err
		}
	}
	return c.Phase("tables", func() (string, error) {
		left, err := stack.Leftovers(ctx, endpoint, name, tables)
		if err != nil {
			return "", err
		}
		next := "one that is protected was prod's: docs/operations.md#deploy, Deleting. " +
			"Otherwise backroom delete --stack " + name + " again; it finds what is left"
		gone := fmt.Sprintf("%d that outlived it are gone", len(left))
		return gone, remedy.For(stack.DeleteTables(ctx, endpoint, left), next)
	})
}

// deletable returns an error that says why a stack is not deleted by a command.
func deletable(s stack.Stack) error {
	const next = "by hand, if you are sure: docs/operations.md#deploy, Deleting"
	switch s.Outputs["Stage"] {
	case "dev", "staging":
		return nil
	case "prod":
		return remedy.For(fmt.Errorf("%s is prod: no command deletes it", s.Name), next)
	}
	return remedy.For(fmt.Errorf("%s has no output Stage: it is not a Backroom, or older than this command", s.Name), next)
}

// confirmed returns nil if the stack's name was given: beforehand, or now when asked.
func (c *console) confirmed(ctx context.Context, name, beforehand string) error {
	said := beforehand
	if said == "" {
		var err error
		if said, err = c.ask(ctx, "Its name, to go on: ", "--confirm "+name); err != nil {
			return err
		}
	}
	if said != name {
		return fmt.Errorf("%q is not %q; nothing was deleted", said, name)
	}
	return nil
}
