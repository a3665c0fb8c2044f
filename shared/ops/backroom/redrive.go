package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
)

// redrive is the verb redrive.
func (c *console) redrive() *cobra.Command {
	verb := &cobra.Command{
		Use:   "redrive STEP",
		Short: "Move a step's dead letters back to its queue",
		Long: "redrive moves the messages in the dead-letter queue of a step back to the queue of the step. It asks\n" +
			"first. Messages that cannot be sent stay. Running it twice is safe. STEP may also be relay-facts:\n" +
			"its stream records are read, and their facts sent to the steps that consume them.",
		Example: "  backroom redrive advance-order --dry-run --stack backroom-prod\n" +
			"  backroom redrive advance-order --limit 1 --stack backroom-prod",
		Args:      one("STEP, the step whose dead letters are moved: " + strings.Join(ops.Steps(), " ")),
		ValidArgs: ops.Steps(),
	}
	dryRun := verb.Flags().Bool("dry-run", false, "list the messages and send none; each counts as received once more")
	limit := verb.Flags().Int("limit", 0, "`number` of messages at most; 0 means as many as there are at the start")
	sure := yes(verb)
	verb.RunE = c.begin(func(ctx context.Context, args []string) error {
		step := args[0]
		if err := atLeast(0, "limit", *limit); err != nil {
			return err
		}
		if err := ops.CheckStep(step); err != nil {
			return misuse{err}
		}
		site, err := c.site(ctx, !*dryRun)
		if err != nil {
			return err
		}
		if *dryRun {
			return c.deadLetters(ctx, site, step, *limit)
		}
		if err := c.agree(ctx, *sure, site.Stack, "the dead letters of "+step+" will be sent again"); err != nil {
			return err
		}
		moved, err := site.Redrive(ctx, step, *limit)
		if err != nil {
			return fmt.Errorf("%d sent, then: %w", moved.Sent, err)
		}
		for _, kept := range moved.Kept {
			c.Linef("%s %v", c.Bad("kept"), kept)
		}
		c.Linef("%d sent; the dead-letter queue of %s reports about %d left", moved.Sent, step, moved.Still.Visible)
		if len(moved.Kept) == 0 {
			return c.hidden(step, moved.Still)
		}
		return remedy.For(fmt.Errorf("%d messages could not be sent and stay", len(moved.Kept)),
			"remove the cause and run this again; for records of relay-facts that no version can read: "+
				"backroom replay --since …, then delete them")
	})
	return verb
}

// deadLetters lists what redrive would send.
func (c *console) deadLetters(ctx context.Context, site ops.Site, step string, limit int) error {
	letters, held, err := site.DeadLetters(ctx, step, limit)
	if err != nil {
		return err
	}
	for _, l := range letters {
		c.Linef("%-20s %-37s received %2d times   sent %s ago   message %s   %s",
			cmp.Or(string(l.Fact), "unreadable"), cmp.Or(l.Order, "-"), l.Receives,
			c.now().Sub(l.Sent).Round(time.Second), l.ID, c.Bad(l.Why))
	}
	c.Linef("%d messages listed of about %d in the dead-letter queue of %s; nothing was sent", len(letters),
		max(held.Visible, len(letters)), step)
	return c.hidden(step, held)
}

// hidden returns an error if a dead-letter queue has messages that no one can receive now.
func (c *console) hidden(step string, held ops.Held) error {
	if held.Hidden == 0 {
		return nil
	}
	return remedy.For(fmt.Errorf("about %d more messages of %s are hidden: another reader has received them",
		held.Hidden, step), "run this again in a minute or two: a message is visible again "+
		"when its reader's timeout is over")
}
