package stock

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ReleaseStep gives back what was set aside for orders, or sold to them.
type ReleaseStep struct{ Shelf Shelf }

// Handle answers OrderRejected, OrderExpired, OrderCancelling and ReleaseDue: whatever the order's hold had can be sold again.
// An order that has no hold yet gets one that will never take stock. Asked again, it answers again.
func (s ReleaseStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.About](e); err != nil {
		return err
	}
	return fault.Retry(maxTries, func() error { return s.release(ctx, e) })
}

func (s ReleaseStep) release(ctx context.Context, e saga.Event) error {
	r, err := s.Shelf.Load(ctx, e.Shop, e.Subject)
	switch {
	case errors.Is(err, fault.NotFound):
		r = Reservation{Order: e.Subject, Shop: e.Shop, Has: Nothing}
	case err != nil || r.Diary.Heeds(e.Cause()):
		return err
	}
	released, news := GiveUp(r)
	return s.Shelf.Save(ctx, released, r.Has, e.Cause(), news)
}
