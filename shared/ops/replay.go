package ops

import (
	"context"
	"time"

	"backroom/shared/relay"
)

// Told says what one table told again.
type Told struct {
	Table string
	relay.Tally
}

// RelayAgain sends again what orders, holds and charges told since a moment, table by table; rate is how many rows it reads in
// a second. With look it sends nothing and says what it would send. What it did before it failed is in its answer too.
func (s Site) RelayAgain(ctx context.Context, since time.Time, rate int, look bool) ([]Told, error) {
	again := relay.Again{Queues: s.Queues, Rate: rate, Look: look}
	var all []Told
	for _, id := range []string{"Orders", "Holds", "Charges"} {
		table, err := s.table(id)
		if err != nil {
			return all, err
		}
		tally, err := again.Send(ctx, table, since)
		all = append(all, Told{id, tally})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
