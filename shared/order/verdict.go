package order

import (
	"time"

	"backroom/shared/saga"
)

// Confirm decides what an authorized payment means: the order is complete, and its money is to be taken. It asks for that when it
// would have asked for its verdict, unless that is too soon: to move the due time would cost two writes of an index for every order. An
// order with a verdict keeps it.
func Confirm(o Order, now time.Time, patience time.Duration) (Order, []saga.Fact) {
	if o.Verdict != Undecided {
		return o, nil
	}
	asks := o.Due
	o.Verdict = Confirmed
	o = o.owe(now, patience, CaptureDebt)
	if wait := asks.Sub(now); wait >= patience/2 && wait <= patience {
		o.Due = asks
	}
	return o, []saga.Fact{saga.OrderConfirmed}
}

// Reject decides what missing stock or a declined payment means: whatever was set aside comes back. An order with a verdict
// keeps it.
func Reject(o Order, reason string, now time.Time, patience time.Duration) (Order, []saga.Fact) {
	if o.Verdict != Undecided {
		return o, nil
	}
	o.Verdict, o.Reason = Rejected, reason
	return o.owe(now, patience, StockDebt, MoneyDebt), []saga.Fact{saga.OrderRejected}
}

// expire ends an order that has no verdict when its payment window ends.
func expire(o Order, now time.Time, patience time.Duration) (Order, []saga.Fact) {
	o.Verdict = Expired
	return o.owe(now, patience, StockDebt, MoneyDebt), []saga.Fact{saga.OrderExpired}
}
