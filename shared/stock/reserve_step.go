package stock

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ReserveStep reserves stock for orders.
type ReserveStep struct{ Store Store }

// Handle consumes OrderPlaced and ReserveDue: it reserves all lines of the order, or none, and
// records StockReserved or StockShort. If the order has a reservation already, Handle records again
// what that reservation has, once per message. A released reservation stays released.
func (s ReserveStep) Handle(ctx context.Context, e saga.Event) error {
	contents, err := saga.As[saga.OrderContents](e)
	if err != nil {
		return err
	}
	r, fact := Reserve(contents)
	err = s.Store.Create(ctx, r, e.Cause(), fact)
	if short, ok := errors.AsType[*ErrShort](err); ok {
		refused, fact := Refuse(r, short.SKUs)
		err = s.Store.Create(ctx, refused, e.Cause(), fact)
	}
	if errors.Is(err, fault.Duplicate) {
		return fault.Retry(maxTries, func() error { return s.reply(ctx, e) })
	}
	return err
}

// reply records again what the order's reservation has, unless it was recorded for this event
// before.
func (s ReserveStep) reply(ctx context.Context, e saga.Event) error {
	r, err := load(ctx, s.Store, e)
	if err != nil || r.History.Handled(e.Cause()) {
		return err
	}
	return s.Store.Save(ctx, r, r.Observed, e.Cause(), Reply(r))
}
