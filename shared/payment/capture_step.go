package payment

import (
	"context"

	"backroom/shared/saga"
)

// CaptureStep takes the money that is held for confirmed orders.
type CaptureStep struct{ Reconciler }

// Handle answers OrderConfirmed and CaptureDue: the money is captured, or can not be taken any more. Asked again, it answers
// again; for an order that was given up meanwhile it does nothing. It returns fault.NotFound for an order without a charge –
// none is confirmed without one – and fault.Unavailable or fault.Throttled while the provider cannot say.
func (s CaptureStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	return s.reconcile(ctx, e.Shop, e.Subject, e.Cause(), func(c Charge, why operation) error { return s.capture(ctx, c, why) })
}
