package order

import (
	"context"
	"errors"
	"log/slog"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// ErrBusy is the answer to a change that kept losing against others.
var ErrBusy = fault.New(fault.Conflict, "order-busy", "Others keep changing this order right now; send the request again.")

// Desk is where orders are read and written.
type Desk interface {
	// Load returns fault.NotFound if the shop has no such order.
	Load(ctx context.Context, shop, id string) (Order, error)
	// Save returns fault.Conflict if the order moved on since it was loaded.
	Save(ctx context.Context, o Order, cause saga.Cause, facts ...saga.Fact) error
}

// change loads an order of the caller's shop, has it decided on, and saves it if the decision has facts. An order that another
// moved meanwhile is loaded and decided anew, a few times; then the answer is ErrBusy.
func change(ctx context.Context, orders Desk, id string, decide func(Order) (Order, []saga.Fact, error)) (Order, error) {
	caller := identity.From(ctx)
	var lost error
	for range raceTries {
		o, err := orders.Load(ctx, caller.Shop, id)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			return Order{}, ErrUnknownOrder
		case err != nil:
			return Order{}, err
		case lost == nil:
			observe.Note(ctx, slog.String("order", o.ID))
		}
		next, facts, err := decide(o)
		if err != nil || len(facts) == 0 {
			return next, err
		}
		lost = orders.Save(ctx, next, saga.Cause{ID: api.RequestID(ctx), Actor: caller.Subject}, facts...)
		if !errors.Is(lost, fault.Conflict) {
			return next, lost
		}
	}
	return Order{}, ErrBusy.Because(lost)
}
