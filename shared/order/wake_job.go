package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"backroom/shared/observe"
	"backroom/shared/saga"
)

// Late is an order that is still owed something after its due time.
type Late struct {
	Shop saga.Shop
	ID   string
	Due  time.Time
}

// WakeJob hands every order that is late to advance-order, which decides what the order asks for. It writes nothing.
type WakeJob struct {
	// Overdue calls each for every order, of every shop, that was due before now; it stops at the first error.
	Overdue func(ctx context.Context, now time.Time, each func(Late) error) error
	Send    func(ctx context.Context, letters ...saga.Message) error
	Now     func() time.Time
}

// Run sends one OrderOverdue per late order, ever more seldom the longer it is late, so that an order that cannot be handled
// does not feed the dead-letter queue every minute. What it could not do in its time is found again the next minute.
func (j WakeJob) Run(ctx context.Context) error {
	now := j.Now()
	var letters []saga.Message
	found, sent := 0, 0
	send := func() error {
		err := j.Send(ctx, letters...)
		sent += len(letters)
		letters = nil
		return err
	}
	err := j.Overdue(ctx, now, func(l Late) error {
		found++
		if !wakes(now.Sub(l.Due)) {
			return nil
		}
		e, err := overdueEvent(l, now)
		letters = append(letters, saga.Message{To: saga.AdvanceOrder, Event: e})
		if err != nil || len(letters) < atOnce {
			return err
		}
		return send()
	})
	err = errors.Join(err, send())
	observe.Note(ctx, slog.Int("late", found), slog.Int("letters", sent))
	observe.Count(ctx, "OrdersLate", observe.Number, float64(found))
	return err
}

// atOnce is how many letters are kept before they are sent: however many orders are late, those that were found are asked.
const atOnce = 100

// wakes reports whether an order that is late for so long is handed on this minute: in the minutes 0, 1, 2, 4 … 32, and then
// every hour.
func wakes(late time.Duration) bool {
	minutes := int(late.Minutes())
	return minutes&(minutes-1) == 0 || minutes%60 == 0
}

func overdueEvent(l Late, now time.Time) (saga.Event, error) {
	due := l.Due.UnixMilli()
	data, err := json.Marshal(saga.Overdue{Order: l.ID, Shop: l.Shop, Due: due})
	return saga.Event{
		SpecVersion: saga.SpecVersion, ID: fmt.Sprintf("%s:%s#%s@%d", saga.Clock, l.Shop, l.ID, due), Source: saga.Clock,
		Type: saga.OrderOverdue, Subject: l.ID, Shop: l.Shop, Time: now, Data: data,
	}, err
}
