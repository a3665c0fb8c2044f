package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// raceTries is how often a lost race is decided anew before the message goes back to its queue.
const raceTries = 3

// AdvanceStep is the only place that moves an order on a fact.
type AdvanceStep struct {
	Orders interface {
		Load(ctx context.Context, shop, id string) (Order, error)
		Save(ctx context.Context, o Order, cause saga.Cause, facts ...saga.Fact) error
	}
	Now      func() time.Time
	Patience time.Duration // until an order first asks for its verdict
}

// Handle loads the order, asks the domain, and saves once. An order that another moved meanwhile is decided anew.
func (s AdvanceStep) Handle(ctx context.Context, e saga.Event) error {
	var err error
	for range raceTries {
		if err = s.advance(ctx, e); !errors.Is(err, fault.Conflict) {
			return err
		}
	}
	return err
}

func (s AdvanceStep) advance(ctx context.Context, e saga.Event) error {
	o, err := s.Orders.Load(ctx, e.Shop, e.Subject)
	if err != nil {
		return err
	}
	next, facts, err := s.decide(o, e)
	if err != nil {
		return err
	}
	if len(facts) == 0 {
		if o.Status == NeedsAttention && o.Diary.Heeds(e.Cause()) {
			s.measure(ctx, o) // whoever wrote it may have ended before its log line; nobody must be stranded unheard
		}
		return nil
	}
	if err := s.Orders.Save(ctx, next, e.Cause(), facts...); err != nil {
		return err
	}
	s.measure(ctx, next)
	return nil
}

// metrics name what became of orders; the template's alarm knows OrdersStranded.
var metrics = map[Status]string{Confirmed: "OrdersConfirmed", Rejected: "OrdersRejected", NeedsAttention: "OrdersStranded"}

func (s AdvanceStep) measure(ctx context.Context, o Order) {
	if name, ok := metrics[o.Status]; ok {
		observe.Count(ctx, name, observe.Number, 1)
	}
	if !o.Owed() {
		observe.Count(ctx, "OrderToVerdict", observe.Milliseconds, float64(s.Now().Sub(o.PlacedAt).Milliseconds()))
	}
}

func (s AdvanceStep) decide(o Order, e saga.Event) (Order, []saga.Fact, error) {
	switch e.Type {
	case saga.PaymentAuthorized:
		o, facts := Confirm(o)
		return o, facts, nil
	case saga.PaymentDeclined:
		declined, err := saga.As[saga.Declined](e)
		o, facts := Reject(o, declined.Reason)
		return o, facts, err
	case saga.StockShort:
		o, facts := Reject(o, OutOfStock)
		return o, facts, nil
	case saga.OrderOverdue:
		overdue, err := saga.As[saga.Overdue](e)
		o, facts := Overdue(o, time.UnixMilli(overdue.Due), s.Now(), s.Patience)
		return o, facts, err
	}
	return o, nil, fmt.Errorf("order: no rule for %s", e.Type)
}
