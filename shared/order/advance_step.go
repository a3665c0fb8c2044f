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

// maxTries is how often a fact is decided on before the message goes back to its queue.
const maxTries = 3

// AdvanceStep is the only place that moves an order on a fact.
type AdvanceStep struct {
	Orders     Store
	Now        func() time.Time
	RetryDelay time.Duration // until an order first asks for what it is owed
}

// Handle loads the order, asks the domain, and saves once. An order that another moved meanwhile is decided anew.
func (s AdvanceStep) Handle(ctx context.Context, e saga.Event) error {
	return fault.Retry(maxTries, func() error { return s.advance(ctx, e) })
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
		if o.Attention != "" && o.History.Handled(e.Cause()) {
			s.measure(ctx, o, saga.OrderNeedsAttention) // whoever wrote it may have ended before its log line; nobody must be stranded unheard
		}
		return nil
	}
	if err := s.Orders.Save(ctx, next, e.Cause(), facts...); err != nil {
		return err
	}
	s.measure(ctx, next, append(facts, e.Type)...)
	return nil
}

// metrics name what became of orders, and of their money as far as they learned of it; the template's alarms and dashboards know them.
var metrics = map[saga.Fact]string{
	saga.OrderConfirmed: "OrdersConfirmed", saga.OrderRejected: "OrdersRejected", saga.OrderExpired: "OrdersExpired",
	saga.OrderCanceled: "OrdersCanceled", saga.OrderSettled: "OrdersSettled", saga.OrderNeedsAttention: "OrdersNeedAttention", saga.OrderReopened: "OrdersReopened",
	saga.PaymentCaptured: "PaymentsCaptured", saga.PaymentDeclined: "PaymentsDeclined", saga.PaymentReturned: "PaymentsReturned",
	saga.PaymentRefunded: "PaymentsRefunded", saga.CaptureFailed: "CapturesFailed", saga.ReturnFailed: "ReturnsFailed", saga.RefundFailed: "RefundsFailed",
}

// outcomes are the facts by which an order is decided here; a cancellation is decided elsewhere.
var outcomes = []saga.Fact{saga.OrderConfirmed, saga.OrderRejected, saga.OrderExpired}

func (s AdvanceStep) measure(ctx context.Context, o Order, facts ...saga.Fact) {
	for _, f := range facts {
		if name, ok := metrics[f]; ok {
			observe.Count(ctx, name, observe.Number, 1)
		}
		if slices.Contains(outcomes, f) {
			observe.Count(ctx, "OrderToOutcome", observe.Milliseconds, float64(s.Now().Sub(o.PlacedAt).Milliseconds()))
		}
	}
}

// decide is what every fact that an order hears means to it. What it did because of an event it does not do again: an answer
// that was overtaken by a later one must not count twice.
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
		var told saga.ChargeVersion
		told, err = saga.As[saga.ChargeVersion](e)
		next, facts = MoneyReturned(o, told.Version)
	case saga.ReturnFailed:
		var told saga.ChargeVersion
		told, err = saga.As[saga.ChargeVersion](e)
		next, facts = Reopen(o, told.Version, now, s.RetryDelay)
	case saga.PaymentRefunded, saga.RefundFailed:
		var told saga.Refunds
		told, err = saga.As[saga.Refunds](e)
		next, facts = ApplyRefunds(o, told.Refunds, now, s.RetryDelay)
	case saga.OrderOverdue:
		var overdue saga.Overdue
		overdue, err = saga.As[saga.Overdue](e)
		next, facts = Overdue(o, time.UnixMilli(overdue.Due), now, s.RetryDelay)
	default:
		err = fmt.Errorf("order: no rule for %s", e.Type)
	}
	return next, facts, err
}
