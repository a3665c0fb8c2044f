package stock

import (
	"context"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// CommitStep sells what is reserved for confirmed orders.
type CommitStep struct{ Store Store }

// Handle consumes OrderConfirmed: it sells the reserved units. No level changes, because a level
// counts reserved and sold units as promised. A released or sold reservation does not change. No
// order awaits an answer, so a repeated message records nothing. It returns fault.NotFound for an
// order without a reservation, and ErrNothingReserved for a reservation without units: such an
// order must not have been confirmed.
func (s CommitStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	return fault.Retry(maxTries, func() error { return s.sell(ctx, e) })
}

func (s CommitStep) sell(ctx context.Context, e saga.Event) error {
	r, err := load(ctx, s.Store, e)
	if err != nil {
		return err
	}
	sold, fact, err := Sell(r)
	if err != nil || fact == "" {
		return err
	}
	return s.Store.Save(ctx, sold, r.Observed, e.Cause(), fact)
}
