package payment

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ReturnStep returns money: all of it for an order that was canceled, rejected or expired, parts of
// it for refunds. For a write-off it stops both.
type ReturnStep struct{ Reconciler }

// Handle handles four kinds of messages. After an order's negative outcome or ReturnDue, no money of
// the order is authorized or captured, now or later. After OrderRefunding or RefundDue, each refund
// has succeeded or failed. After RefundsWrittenOff, refunds that were not made are never made. After
// PaymentWrittenOff, no more money is captured and none is returned. A repeated message publishes
// the answer again. Handle returns fault.Unavailable or fault.Throttled while the provider gives no
// definite answer or is processing a refund, and fault.NotFound for refunds of an order without a
// charge.
func (s ReturnStep) Handle(ctx context.Context, e saga.Event) error {
	switch e.Type {
	case saga.OrderRefunding, saga.RefundDue, saga.RefundsWrittenOff:
		asked, err := saga.As[saga.Refunds](e)
		if err != nil {
			return err
		}
		return s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), func(c Charge, op operation) error {
			return s.refund(ctx, c, asked.Refunds, op)
		})
	}
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	do := func(c Charge, op operation) error { return s.returnMoney(ctx, c, op) }
	if e.Type == saga.PaymentWrittenOff {
		do = func(c Charge, op operation) error { return s.abandon(ctx, c, op) }
	}
	err := s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), do)
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	// The outcome overtook the payment, or the order never asked for one. A later StockReserved finds
	// the tombstone and takes no money.
	_, err = s.Charges.Create(ctx, Tombstone(e.Shop, e.Subject), e.Cause(), saga.PaymentReturned)
	if errors.Is(err, fault.Duplicate) {
		return s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), do)
	}
	return err
}
