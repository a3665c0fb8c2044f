package order

import (
	"time"

	"backroom/shared/saga"
)

// Confirm decides what an authorized payment means: the order is complete, and its money is to be taken. It asks for that when it
// would have asked for its outcome, unless that is too soon: to move the due time would cost two writes of an index for every order. An
// order with an outcome keeps it.
func Confirm(o Order, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	if o.Outcome != Undecided {
		return o, nil
	}
	asks := o.Due
	o.Outcome = Confirmed
	o = o.await(now, retryDelay, AwaitsCapture)
	if wait := asks.Sub(now); wait >= retryDelay/2 && wait <= retryDelay {
		o.Due = asks
	}
	return o, []saga.Fact{saga.OrderConfirmed}
}

// Reject decides what missing stock or a declined payment means: whatever was set aside comes back. An order with an outcome
// keeps it.
func Reject(o Order, reason string, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	if o.Outcome != Undecided {
		return o, nil
	}
	o.Outcome, o.Reason = Rejected, reason
	return o.await(now, retryDelay, AwaitsStock, AwaitsMoney), []saga.Fact{saga.OrderRejected}
}

// expire ends an order that has no outcome when its payment window ends.
func expire(o Order, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	o.Outcome = Expired
	return o.await(now, retryDelay, AwaitsStock, AwaitsMoney), []saga.Fact{saga.OrderExpired}
}
