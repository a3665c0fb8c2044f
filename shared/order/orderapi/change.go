// Package orderapi is the HTTP edge of orders. It decodes requests, has package order decide, and returns the result.
package orderapi

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/observe"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// ErrContention is the answer to a change that lost against other changes, maxTries times.
var ErrContention = fault.New(fault.Conflict, "order-contention",
	"The order is being changed by other requests. Send the request again.")

// maxTries is how often a change is decided before the answer is ErrContention.
const maxTries = 3

// change loads an order of the caller's shop, calls decide, and saves the order if the decision has facts. If another
// request or step changed the order meanwhile, change loads it and decides again; after the last try it returns
// ErrContention. It returns ErrUnknownOrder if the shop has no such order.
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
		if err := loaded.Known(); err != nil {
			return err
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

// Poll is when a client reads the order again. Embed it in the output of an order that may not be settled.
type Poll struct {
	RetryAfter string `header:"Retry-After" doc:"seconds to wait before the order is read again; absent once it is settled"`
}

const (
	soonest = time.Second // most orders have an outcome by then
	latest  = time.Minute
)

// pollAt returns the Poll of an order as it is at a time. The pause is a tenth of the order's age, from soonest to
// latest, so that a client that waits for days asks rarely.
func pollAt(o order.Order, now time.Time) Poll {
	if o.Settled() {
		return Poll{}
	}
	pause := min(max(now.Sub(o.PlacedAt)/10, soonest), latest)
	return Poll{strconv.Itoa(int(pause.Seconds()))}
}

// pollSoon is the Poll of a change that was just accepted.
func pollSoon() Poll { return Poll{strconv.Itoa(int(soonest.Seconds()))} }
