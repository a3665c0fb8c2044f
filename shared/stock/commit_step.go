package stock

import (
	"context"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// CommitStep sells what was set aside for orders.
type CommitStep struct{ Store Store }

// Handle answers OrderConfirmed: what is held is sold. No level changes: it counts both as promised. A hold that its order gave
// up stays so. Nobody waits for an answer, so asked again it does nothing. It returns fault.NotFound for an order without a hold,
// and ErrNothingToSell for one whose hold has nothing: no such order can be confirmed.
func (s CommitStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	return fault.Retry(maxTries, func() error { return s.sell(ctx, e) })
}

func (s CommitStep) sell(ctx context.Context, e saga.Event) error {
	r, err := s.Store.Load(ctx, e.Shop, e.Subject)
	if err != nil {
		return err
	}
	sold, news, err := Sell(r)
	if err != nil || news == "" {
		return err
	}
	return s.Store.Save(ctx, sold, r.Observed, e.Cause(), news)
}
