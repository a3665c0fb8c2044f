package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// maxTries is how often a message is handled, after conflicting writes, before it goes back to its
// queue.
const maxTries = 3

// AdvanceStep consumes all facts that change an order.
type AdvanceStep struct {
	Orders     Store
	Now        func() time.Time
	RetryDelay time.Duration // until an order first asks again for what it awaits
}

// Handle loads the order, decides what the fact means, and saves once. If the order was changed
// meanwhile, Handle loads it and decides again, at most maxTries times; then it returns
// fault.Conflict.
func (s AdvanceStep) Handle(ctx context.Context, e saga.Event) error {
	return fault.Retry(maxTries, func() error { return s.advance(ctx, e) })
}

func (s AdvanceStep) advance(ctx context.Context, e saga.Event) error {
	o, err := s.Orders.Load(ctx, e.Shop, e.Subject)
	if err != nil {
		return err
	}
	if err := o.Known(); err != nil {
		return err
	}
	next, facts, err := s.decide(o, e)
	if err != nil {
		return err
	}
	if len(facts) == 0 {
		if o.Attention != "" && o.History.Handled(e.Cause()) {
			// The invocation that saved it may have died before its metrics were written. The alarm
			// needs them.
			s.measure(ctx, o, saga.OrderNeedsAttention)
		}
		return nil
	}
	if err := s.Orders.Save(ctx, next, e.Cause(), facts...); err != nil {
		return err
	}
	s.measure(ctx, next, append(facts, e.Type)...)
	return nil
}

// metrics maps facts to the metrics that the template's alarms and dashboards use.
var metrics = map[saga.Fact]string{
	saga.OrderConfirmed: "OrdersConfirmed", saga.OrderRejected: "OrdersRejected", saga.OrderExpired: "OrdersExpired",
	saga.OrderCanceled: "OrdersCanceled", saga.OrderSettled: "OrdersSettled", saga.OrderReopened: "OrdersReopened",
	saga.OrderNeedsAttention: "OrdersNeedAttention",
	saga.PaymentCaptured:     "PaymentsCaptured", saga.CaptureFailed: "CapturesFailed",
	saga.PaymentDeclined: "PaymentsDeclined",
	saga.PaymentReturned: "PaymentsReturned", saga.ReturnFailed: "ReturnsFailed",
	saga.PaymentRefunded: "PaymentsRefunded", saga.RefundFailed: "RefundsFailed",
	saga.RefundRefused: "RefundsRefused", saga.ExternalMoneyMoved: "ExternalMoneyMoved",
}

// outcomes are the facts of a first outcome that this step decides. A cancellation is decided by
// its route.
var outcomes = []saga.Fact{saga.OrderConfirmed, saga.OrderRejected, saga.OrderExpired}

func (s AdvanceStep) measure(ctx context.Context, o Order, facts ...saga.Fact) {
	for _, f := range facts {
		if name, ok := metrics[f]; ok {
			observe.Count(ctx, name, observe.Number, 1)
		}
		if slices.Contains(outcomes, f) {
			sincePlaced := s.Now().Sub(o.PlacedAt)
			observe.Count(ctx, "OrderToOutcome", observe.Milliseconds, float64(sincePlaced.Milliseconds()))
		}
	}
}

// decide returns what a fact means for the order. An event that the order has already handled
// changes nothing: an answer that is delivered again after a later one must not count twice.
func (s AdvanceStep) decide(o Order, e saga.Event) (next Order, facts []saga.Fact, err error) {
	if o.History.Handled(e.Cause()) {
		return o, nil, nil
	}
	now := s.Now()
	switch e.Type {
	case saga.PaymentAuthorized:
		next, facts = Confirm(o, now, s.RetryDelay)
	case saga.StockShort:
		next, facts = Reject(o, OutOfStock, now, s.RetryDelay)
	case saga.PaymentDeclined:
		var declined saga.Declined
		declined, err = saga.As[saga.Declined](e)
		next, facts = Reject(o, declined.Reason, now, s.RetryDelay)
	case saga.PaymentCaptured:
		next, facts = Captured(o)
	case saga.CaptureFailed:
		next, facts = NotCaptured(o, now)
	case saga.StockReleased:
		next, facts = StockReleased(o)
	case saga.PaymentReturned:
		var charge saga.ChargeVersion
		charge, err = saga.As[saga.ChargeVersion](e)
		next, facts = MoneyReturned(o, charge.Version)
	case saga.ReturnFailed:
		var charge saga.ChargeVersion
		charge, err = saga.As[saga.ChargeVersion](e)
		next, facts = Reopen(o, charge.Version, now, s.RetryDelay)
	case saga.PaymentRefunded, saga.RefundFailed:
		var reported saga.Refunds
		reported, err = saga.As[saga.Refunds](e)
		next, facts = ApplyRefunds(o, reported.Refunds, now, s.RetryDelay)
	case saga.RefundRefused:
		var refused saga.Refused
		refused, err = saga.As[saga.Refused](e)
		next, facts = ApplyRefunds(o, refused.Refunds, now, s.RetryDelay)
		var adopted []saga.Fact
		next, adopted = AdoptExternal(next, refused.Version, refused.External)
		facts = append(facts, adopted...)
	case saga.ExternalMoneyMoved:
		var moved saga.ExternalMoney
		moved, err = saga.As[saga.ExternalMoney](e)
		next, facts = AdoptExternal(o, moved.Version, moved.External)
	case saga.OrderOverdue:
		var overdue saga.Overdue
		overdue, err = saga.As[saga.Overdue](e)
		next, facts = Overdue(o, time.UnixMilli(overdue.Due), now, s.RetryDelay)
	default:
		err = fmt.Errorf("order: no rule for %s", e.Type)
	}
	return next, facts, err
}
