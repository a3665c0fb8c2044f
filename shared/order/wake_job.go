package order

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"backroom/shared/observe"
	"backroom/shared/saga"
)

// Late is an order that is still owed something after its due time.
type Late struct {
	Shop, ID string
	Due      time.Time
}

// WakeJob hands every order that is late to advance-order, which decides what the order asks for. It writes nothing.
type WakeJob struct {
	// Overdue calls each for every order, of every shop, that was due before now; it stops at the first error.
	Overdue func(ctx context.Context, now time.Time, each func(Late) error) error
	Send    func(ctx context.Context, letters ...saga.Letter) error
	Now     func() time.Time
}

// Run sends one OrderOverdue per late order. It is sent in the minutes 0, 1, 2, 4, 8 … after the due time, so that an order
// that cannot be handled does not feed the dead-letter queue every minute.
func (j WakeJob) Run(ctx context.Context) error {
	now := j.Now()
	var letters []saga.Letter
	found := 0
	err := j.Overdue(ctx, now, func(l Late) error {
		found++
		minutes := int(now.Sub(l.Due).Minutes())
		if minutes&(minutes-1) != 0 {
			return nil
		}
		e, err := overdueEvent(l, now)
		letters = append(letters, saga.Letter{To: saga.AdvanceOrder, Event: e})
		return err
	})
	observe.Note(ctx, slog.Int("late", found), slog.Int("letters", len(letters)))
	observe.Count(ctx, "OrdersLate", observe.Number, float64(found))
	if sendErr := j.Send(ctx, letters...); sendErr != nil {
		return sendErr
	}
	return err
}

func overdueEvent(l Late, now time.Time) (saga.Event, error) {
	due := l.Due.UnixMilli()
	data, err := json.Marshal(saga.Overdue{Order: l.ID, Shop: l.Shop, Due: due})
	return saga.Event{
		SpecVersion: saga.SpecVersion, ID: fmt.Sprintf("%s:%s#%s@%d", saga.Clock, l.Shop, l.ID, due), Source: saga.Clock,
		Type: saga.OrderOverdue, Subject: l.ID, Shop: l.Shop, Time: now, Data: data,
	}, err
}
