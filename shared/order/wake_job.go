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

// Late is an order whose due time has passed.
type Late struct {
	Shop saga.Shop
	ID   string
	Due  time.Time
}

// WakeJob sends OrderOverdue to advance-order for late orders. It writes nothing to a table.
type WakeJob struct {
	// Overdue calls each for every order of every shop that was due before now. It stops at the
	// first error.
	Overdue func(ctx context.Context, now time.Time, each func(Late) error) error
	Send    func(ctx context.Context, messages ...saga.Message) error
	Now     func() time.Time
}

// Run sends one OrderOverdue per late order. The longer an order is late, the less often it gets
// one, so that an order that cannot be handled does not fill the dead-letter queue. Orders that a
// run does not reach before its deadline are found again by the next run, a minute later. If the
// search fails, the orders found so far are still sent; Run returns the error of the search, of
// sending, or both.
func (j WakeJob) Run(ctx context.Context) error {
	now := j.Now()
	var messages []saga.Message
	found, sent := 0, 0
	send := func() error {
		err := j.Send(ctx, messages...)
		sent += len(messages)
		messages = nil
		return err
	}
	err := j.Overdue(ctx, now, func(l Late) error {
		found++
		if !wakes(now.Sub(l.Due)) {
			return nil
		}
		e, err := overdueEvent(l, now)
		messages = append(messages, saga.Message{To: saga.AdvanceOrder, Event: e})
		if err != nil || len(messages) < batch {
			return err
		}
		return send()
	})
	err = errors.Join(err, send())
	observe.Note(ctx, slog.Int("late", found), slog.Int("messages", sent))
	observe.Count(ctx, "OrdersLate", observe.Number, float64(found))
	return err
}

// batch is how many messages are collected before they are sent. A run that is cut short has then
// sent all full batches.
const batch = 100

// wakes reports whether an order that is late for so long gets a message in this minute: in the
// minutes 0, 1, 2, 4 … 64 and so on, and every hour.
func wakes(late time.Duration) bool {
	minutes := int(late.Minutes())
	return minutes&(minutes-1) == 0 || minutes%60 == 0
}

func overdueEvent(l Late, now time.Time) (saga.Event, error) {
	due := l.Due.UnixMilli()
	data, err := json.Marshal(saga.Overdue{Order: l.ID, Shop: l.Shop, Due: due})
	return saga.Event{
		SpecVersion: saga.SpecVersion, ID: fmt.Sprintf("%s:%s#%s@%d", saga.Clock, l.Shop, l.ID, due),
		Source: saga.Clock,
		Type:   saga.OrderOverdue, Subject: l.ID, Shop: l.Shop, Time: now, Data: data,
	}, err
}
