package stock

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ReserveStep sets stock aside for orders.
type ReserveStep struct{ Store Store }

// Handle answers OrderPlaced and ReserveDue: all lines are set aside, or none. Asked again, it answers again. For an order that
// gave up before, nothing is set aside: it answers that.
func (s ReserveStep) Handle(ctx context.Context, e saga.Event) error {
	wanted, err := saga.As[saga.OrderContents](e)
	if err != nil {
		return err
	}
	hold, reserved := Reserve(wanted)
	err = s.Store.Create(ctx, hold, e.Cause(), reserved)
	if short, ok := errors.AsType[*ErrShort](err); ok {
		none, refused := Refuse(hold, short.SKUs)
		err = s.Store.Create(ctx, none, e.Cause(), refused)
	}
	if errors.Is(err, fault.Duplicate) {
		return fault.Retry(maxTries, func() error { return s.answerAgain(ctx, e) })
	}
	return err
}

// answerAgain tells what the order's hold has, unless this very event was answered already.
func (s ReserveStep) answerAgain(ctx context.Context, e saga.Event) error {
	r, err := s.Store.Load(ctx, e.Shop, e.Subject)
	if err != nil || r.History.Handled(e.Cause()) {
		return err
	}
	return s.Store.Save(ctx, r, r.Observed, e.Cause(), Reply(r))
}
