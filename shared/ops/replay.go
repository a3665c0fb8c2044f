package ops

import (
	"context"
	"time"

	"backroom/shared/relay"
)

// Replayed says what was sent again from one table.
type Replayed struct {
	Table string
	relay.Summary
}

// Replay sends again what orders, holds and charges told since a moment, table by table; rate is how many rows it
// reads in a second. A dry run sends nothing and says what it would send. What it did before it failed is in its
// answer too.
func (s Site) Replay(ctx context.Context, since time.Time, rate int, dryRun bool) ([]Replayed, error) {
	replay := relay.Replay{Queues: s.Queues, Rate: rate, DryRun: dryRun}
	var all []Replayed
	for _, id := range []string{"Orders", "Reservations", "Charges"} {
		table, err := s.table(id)
		if err != nil {
			return all, err
		}
		tally, err := replay.Send(ctx, table, since)
		all = append(all, Replayed{id, tally})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
