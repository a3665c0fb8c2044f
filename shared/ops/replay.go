package ops

import (
	"context"
	"time"

	"backroom/shared/relay"
)

// Replayed is the result of replaying one table.
type Replayed struct {
	Table string
	relay.Summary
}

// Replay sends every fact again that orders, reservations and charges recorded since a time, table
// by table. It reads at most rate rows a second. A dry run sends nothing and returns what it would
// send. With an error it also returns what it did before.
func (s Site) Replay(ctx context.Context, since time.Time, rate int, dryRun bool) ([]Replayed, error) {
	replay := relay.Replay{Queues: s.Queues, Rate: rate, DryRun: dryRun}
	var all []Replayed
	for _, id := range []string{"Orders", "Reservations", "Charges"} {
		table, err := s.table(id)
		if err != nil {
			return all, err
		}
		summary, err := replay.Send(ctx, table, since)
		all = append(all, Replayed{id, summary})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
