package order

import (
	"time"

	"backroom/shared/saga"
)

// How an order waits. Its patience doubles with every ask up to LongestPatience; after MaxAsks it needs attention.
const (
	LongestPatience = time.Hour
	MaxAsks         = 20
)

// Overdue decides what an order does whose due time passed: it asks again for all that its verdict needs. An order that
// waits for something else by now, or for nothing, has nothing to do. Stock is asked for with everything that the first
// request carried, so an order whose very first message was lost starts here.
func Overdue(o Order, due, now time.Time, patience time.Duration) (Order, []saga.Fact) {
	if o.Status != Placed || !o.Due.Equal(due) {
		return o, nil
	}
	if o.Asks == MaxAsks {
		o.Status, o.Reason, o.Due = NeedsAttention, NoAnswer, now.Truncate(time.Millisecond)
		return o, []saga.Fact{saga.OrderStranded}
	}
	o.Asks++
	wait := min(patience, LongestPatience)
	for range o.Asks {
		wait = min(2*wait, LongestPatience)
	}
	o.Due = now.Add(wait).Truncate(time.Millisecond)
	return o, []saga.Fact{saga.ReserveDue, saga.PaymentCheckDue}
}
