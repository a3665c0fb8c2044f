package payment

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// AuthorizeStep authorizes the money for orders at the provider.
type AuthorizeStep struct{ Reconciler }

// Handle handles StockReserved and PaymentCheckDue: the money is authorized or declined. If the order
// was canceled meanwhile, the money is returned and none of it stays authorized. A repeated message
// publishes the answer again. Handle returns fault.Unavailable or fault.Throttled while the provider
// gives no definite answer; the charge then keeps the intent, so that a later message can read it.
func (s AuthorizeStep) Handle(ctx context.Context, e saga.Event) error {
	if e.Type == saga.PaymentCheckDue {
		return s.check(ctx, e)
	}
	return s.begin(ctx, e)
}

// begin creates the intent, which moves no money, stores it so that it cannot be lost, and only then
// confirms it. It creates the intent before it looks for a charge: mostly there is no charge, so that
// a payment takes two writes and no read, and a surplus intent is never confirmed. An existing charge
// needs no new intent; a failure to create one does not stop begin from going on with that charge.
func (s AuthorizeStep) begin(ctx context.Context, e saga.Event) error {
	asked, err := saga.As[saga.Payable](e)
	if err != nil {
		return err
	}
	c := New(asked)
	if err := c.Amount.Check(); errors.Is(err, money.ErrOutOfRange) {
		return err // an order whose currency was withdrawn since is declined by the provider
	}
	proceed := func(existing Charge, op operation) error { return s.authorize(ctx, existing, op) }
	var intent Intent
	if !c.Free() {
		if intent, err = s.Provider.Create(ctx, c, creationKey(c)); err != nil {
			existing := s.reconcile(ctx, c.Shop, c.Order, e.Cause(), proceed)
			if !errors.Is(existing, fault.NotFound) {
				return existing
			}
			return err
		}
	}
	c, fact := Begin(c, intent)
	c, err = s.Charges.Create(ctx, c, e.Cause(), fact)
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

// check reads the state of a payment. It does nothing for an order without a charge: the order's
// stock was never reserved.
func (s AuthorizeStep) check(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	err := s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), func(c Charge, op operation) error {
		return s.authorize(ctx, c, op)
	})
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
