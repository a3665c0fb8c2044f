package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backroom/shared/ops/remedy"
)

// redrive is `make redrive STEP=…`: a step's dead letters go back to it. With DRY=1 it only lists them.
func redrive(ctx context.Context, d desk, args []string) error {
	if len(args) != 1 {
		return remedy.For(errors.New("the dead letters of which step?"), "make redrive STEP=advance-order")
	}
	limit, err := count("LIMIT", 0)
	if err != nil {
		return err
	}
	site, err := d.site(ctx)
	if err != nil {
		return err
	}
	if onlyLook() {
		letters, err := site.DeadLetters(ctx, args[0], limit)
		if err != nil {
			return err
		}
		for _, l := range letters {
			d.Linef("%-20s %-37s received %2d times   sent %s ago   %s", l.Fact, l.Order, l.Receives, time.Since(l.Sent).Round(time.Second), d.Bad(l.Why))
		}
		d.Linef("%d messages in the dead-letter queue of %s; nothing was sent", len(letters), args[0])
		return nil
	}
	moved, err := site.Redrive(ctx, args[0], limit)
	if err != nil {
		return fmt.Errorf("%d sent, then: %w", moved.Sent, err)
	}
	for _, kept := range moved.Kept {
		d.Linef("%s %v", d.Bad("kept"), kept)
	}
	d.Linef("%d sent; the dead-letter queue of %s says that it holds %d", moved.Sent, args[0], moved.Still)
	if len(moved.Kept) == 0 {
		return nil
	}
	return remedy.For(fmt.Errorf("%d messages could not be sent and stay", len(moved.Kept)),
		"remove the cause and do this again; records of relay-facts that no version can read: make relay-again SINCE=…, then delete them")
}
