package stock

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ReleaseStep gives back what was set aside for orders, or sold to them.
type ReleaseStep struct{ Store Store }

// Handle answers OrderRejected, OrderExpired, OrderCanceling and ReleaseDue: whatever the order's hold had can be sold again.
// An order that has no hold yet gets one that will never take stock. Asked again, it answers again.
func (s ReleaseStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	return fault.Retry(maxTries, func() error { return s.release(ctx, e) })
}

func (s ReleaseStep) release(ctx context.Context, e saga.Event) error {
	r, err := s.Store.Load(ctx, e.Shop, e.Subject)
	switch {
	case errors.Is(err, fault.NotFound):
		r = Reservation{Order: e.Subject, Shop: e.Shop, Observed: Nothing}
	case err != nil || r.History.Handled(e.Cause()):
		return err
	}
	released, news := Release(r)
	return s.Store.Save(ctx, released, r.Observed, e.Cause(), news)
}
