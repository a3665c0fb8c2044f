// Package orderapi is the HTTP edge of orders: it reads what clients ask, has package order decide, and shows what became of it.
package orderapi

import (
	"cmp"
	"context"
	"log/slog"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/observe"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// ErrBusy is the answer to a change that kept losing against others.
var ErrContention = fault.New(fault.Conflict, "order-contention", "Others keep changing this order right now; send the request again.")

// maxTries is how often a change is decided on before the client is told that the order is busy.
const maxTries = 3

// change loads an order of the caller's shop, has it decided on, and saves it if the decision has facts. An order that another
// request or step moved meanwhile is loaded and decided on again; after the last try the error is ErrBusy. It
// returns ErrUnknownOrder if the shop has no such order.
func change(
	ctx context.Context, orders order.Store, id string, decide func(order.Order) (order.Order, []saga.Fact, error),
) (order.Order, error) {
	caller := identity.From(ctx)
	var o order.Order
	var refused error // by decide; not a lost race, even if its kind is Conflict
	err := fault.Retry(maxTries, func() error {
		loaded, err := orders.Load(ctx, caller.Shop, id)
		if err != nil {
			return err
		}
		if o.ID == "" {
			observe.Note(ctx, slog.String("order", loaded.ID)) // once, however often it is loaded
		}
		var facts []saga.Fact
		if o, facts, refused = decide(loaded); refused != nil || len(facts) == 0 {
			return nil
		}
		return orders.Save(ctx, o, saga.Cause{ID: api.RequestID(ctx), Actor: caller.Subject}, facts...)
	})
	switch fault.KindOf(err) {
	case fault.NotFound:
		return order.Order{}, ErrUnknownOrder
	case fault.Conflict:
		return order.Order{}, ErrContention.Because(err)
	}
	return o, cmp.Or(err, refused)
}
