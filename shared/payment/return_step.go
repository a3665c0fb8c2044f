package payment

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ReturnStep gives money back: all of it for orders that are given up, parts of it for orders that are closed; and none any more for
// those that are written off.
type ReturnStep struct{ Reconciler }

// Handle answers the outcomes that give an order up and ReturnDue: nothing is held or taken for it any more, and never will
// be. It answers OrderRefunding and RefundDue: each refund arrived, or did not; RefundsWrittenOff: what was not made is not made any
// more; and PaymentWrittenOff: no money is taken any more, and none goes back. Asked again, it answers again. It returns
// fault.Unavailable or fault.Throttled while the provider cannot say or works on a refund, and fault.NotFound for refunds of an order
// without a charge.
func (s ReturnStep) Handle(ctx context.Context, e saga.Event) error {
	switch e.Type {
	case saga.OrderRefunding, saga.RefundDue, saga.RefundsWrittenOff:
		asked, err := saga.As[saga.Refunds](e)
		if err != nil {
			return err
		}
		return s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), func(c Charge, why operation) error {
			return s.refund(ctx, c, asked.Refunds, why)
		})
	}
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	do := func(c Charge, why operation) error { return s.giveBack(ctx, c, why) }
	if e.Type == saga.PaymentWrittenOff {
		do = func(c Charge, why operation) error { return s.abandon(ctx, c, why) }
	}
	err := s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), do)
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	// The outcome overtook the payment, or there was none to be: whoever comes to pay finds that nobody wants it.
	_, err = s.Charges.Create(ctx, Tombstone(e.Shop, e.Subject), e.Cause(), saga.PaymentReturned)
	if errors.Is(err, fault.Duplicate) {
		return s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), do)
	}
	return err
}
