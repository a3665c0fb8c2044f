package order

import (
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrTooLateToCancel is the answer for an order whose story ended otherwise.
var ErrTooLateToCancel = fault.New(fault.Conflict, "too-late-to-cancel", "The order can no longer be canceled: it is paid, rejected, expired or written off. A paid order can be refunded.")

// Cancel decides what becomes of an order that is not wanted any more. It states the intent: the order is canceled once stock
// and money are back. Asked twice it changes nothing. It returns ErrTooLateToCancel for an order that was rejected, expired or
// closed; one that needs attention because its money can not be taken can be canceled.
func Cancel(o Order, reason string, now time.Time, retryDelay time.Duration) (Order, []saga.Fact, error) {
	switch {
	case o.Outcome == Canceled:
		return o, nil, nil
	case o.Outcome == Undecided, o.Outcome == Confirmed && o.Awaiting(AwaitsCapture):
		o.Outcome, o.Reason = Canceled, reason
		return o.await(now, retryDelay, AwaitsStock, AwaitsMoney), []saga.Fact{saga.OrderCanceling}, nil
	}
	return o, nil, ErrTooLateToCancel
}
