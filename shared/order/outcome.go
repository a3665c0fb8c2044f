package order

import (
	"time"

	"backroom/shared/saga"
)

// Confirm decides what an authorized payment means: the order is confirmed and awaits the capture.
// It keeps its due time if that is between half a retryDelay and a whole one from now, because
// moving it would cost two index writes for every order. An order with an outcome does not change.
func Confirm(o Order, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	if o.Outcome != Undecided {
		return o, nil
	}
	before := o.Due
	o.Outcome = Confirmed
	o = o.await(now, retryDelay, AwaitsCapture)
	if wait := before.Sub(now); wait >= retryDelay/2 && wait <= retryDelay {
		o.Due = before
	}
	return o, []saga.Fact{saga.OrderConfirmed}
}

// Reject decides what missing stock or a declined payment means: the order is rejected and awaits
// the return of its stock and its money. An order with an outcome does not change.
func Reject(o Order, reason string, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	if o.Outcome != Undecided {
		return o, nil
	}
	o.Outcome, o.Reason = Rejected, reason
	return o.await(now, retryDelay, AwaitsStock, AwaitsMoney), []saga.Fact{saga.OrderRejected}
}

// expire decides what happens to an undecided order whose payment window ended.
func expire(o Order, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	o.Outcome = Expired
	return o.await(now, retryDelay, AwaitsStock, AwaitsMoney), []saga.Fact{saga.OrderExpired}
}
