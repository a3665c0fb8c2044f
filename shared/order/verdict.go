package order

import (
	"time"

	"backroom/shared/saga"
)

// Confirm decides what an authorized payment means: the order is complete. An order with a verdict keeps it.
func Confirm(o Order) (Order, []saga.Fact) {
	return conclude(o, Confirmed, "", saga.OrderConfirmed)
}

// Reject decides what missing stock or a declined payment means. An order with a verdict keeps it.
func Reject(o Order, reason string) (Order, []saga.Fact) {
	return conclude(o, Rejected, reason, saga.OrderRejected)
}

func conclude(o Order, verdict Status, reason string, f saga.Fact) (Order, []saga.Fact) {
	if !o.Owed() {
		return o, nil
	}
	o.Status, o.Reason, o.Due = verdict, reason, time.Time{}
	return o, []saga.Fact{f}
}
