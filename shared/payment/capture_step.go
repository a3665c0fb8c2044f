package payment

import (
	"context"

	"backroom/shared/saga"
)

// CaptureStep captures the authorized money of confirmed orders.
type CaptureStep struct{ Reconciler }

// Handle handles OrderConfirmed and CaptureDue: the money is captured, or the capture failed for
// good. A repeated message publishes the answer again. For an order that was canceled meanwhile,
// Handle does nothing. It returns fault.NotFound for an order without a charge, which cannot be
// confirmed, and fault.Unavailable or fault.Throttled while the provider gives no definite answer.
func (s CaptureStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	return s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), func(c Charge, op operation) error {
		return s.capture(ctx, c, op)
	})
}
