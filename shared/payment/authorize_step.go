package payment

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// AuthorizeStep has the money for orders set aside at the provider.
type AuthorizeStep struct{ Reconciler }

// Handle answers StockReserved and PaymentCheckDue: the money is authorized, or declined – or returned, for an order that was
// given up meanwhile, of which nothing is held any more. Asked again, it answers again. It returns fault.Unavailable or
// fault.Throttled while the provider cannot say; the charge keeps the intent by which to ask later.
func (s AuthorizeStep) Handle(ctx context.Context, e saga.Event) error {
	if e.Type == saga.PaymentCheckDue {
		return s.check(ctx, e)
	}
	return s.begin(ctx, e)
}

// begin makes the intent, which moves no money; stores it, so that it cannot be lost; and only then confirms it. It makes
// one before it looks for the charge: mostly there is none, a payment takes two writes and no reading, and an intent too many
// is never confirmed. But a charge that stands needs no new intent, so none that cannot be made holds it up.
func (s AuthorizeStep) begin(ctx context.Context, e saga.Event) error {
	asked, err := saga.As[saga.Payable](e)
	if err != nil {
		return err
	}
	c := New(asked)
	if err := c.Amount.Check(); err != nil {
		return err
	}
	proceed := func(there Charge, why operation) error { return s.authorize(ctx, there, why) }
	var intent Intent
	if !c.Free() {
		if intent, err = s.Provider.Create(ctx, c, creationKey(c)); err != nil {
			if stands := s.reconcile(ctx, c.Shop, c.Order, e.Cause(), proceed); !errors.Is(stands, fault.NotFound) {
				return stands
			}
			return err
		}
	}
	c, news := Begin(c, intent)
	c, err = s.Charges.Create(ctx, c, e.Cause(), news)
	switch {
	case errors.Is(err, fault.Duplicate):
		err = proceed(c, operation{e.Cause(), c.History.Version})
	case err == nil && !c.Settled():
		err = s.confirm(ctx, c, operation{e.Cause(), c.History.Version})
	}
	if errors.Is(err, fault.Conflict) {
		return s.reconcile(ctx, c.Shop, c.Order, e.Cause(), proceed)
	}
	return err
}

// check looks how a payment stands. An order without a charge has none to look for: its stock was never set aside.
func (s AuthorizeStep) check(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	err := s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), func(c Charge, why operation) error { return s.authorize(ctx, c, why) })
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
