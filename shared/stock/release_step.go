package stock

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ReleaseStep gives back what was reserved for orders or sold to them.
type ReleaseStep struct{ Store Store }

// Handle consumes OrderRejected, OrderExpired, OrderCanceling and ReleaseDue: the units of the
// order's reservation become sellable again. An order without a reservation gets a released one, so
// that a late OrderPlaced reserves nothing. Each message is answered with StockReleased once, also
// if the reservation is released already.
func (s ReleaseStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	return fault.Retry(maxTries, func() error { return s.release(ctx, e) })
}

func (s ReleaseStep) release(ctx context.Context, e saga.Event) error {
	r, err := load(ctx, s.Store, e)
	switch {
	case errors.Is(err, fault.NotFound):
		r = Reservation{Order: e.Subject, Shop: e.Shop, Observed: Nothing}
	case err != nil || r.History.Handled(e.Cause()):
		return err
	}
	released, fact := Release(r)
	return s.Store.Save(ctx, released, r.Observed, e.Cause(), fact)
}
