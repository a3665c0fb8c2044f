package order

import (
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrTooLateToCancel is returned for an order that was rejected, expired or paid.
var ErrTooLateToCancel = fault.New(fault.Conflict, "too-late-to-cancel",
	"The order can no longer be canceled: it is paid, rejected, expired or written off. A paid order can be refunded.")

// Cancel records that the customer no longer wants the order. The order is canceled once its stock
// and its money are back. Canceling twice changes nothing. It returns ErrTooLateToCancel for an
// order that was rejected, expired or paid, or whose capture was written off. An order that needs
// attention because its payment cannot be captured can be canceled.
func Cancel(o Order, reason string, now time.Time, retryDelay time.Duration) (Order, []saga.Fact, error) {
	switch {
	case o.Outcome == Canceled:
		return o, nil, nil
	case o.Outcome == Undecided, o.Outcome == Confirmed && o.Awaiting(AwaitsCapture):
		o.Outcome, o.Reason = Canceled, reason
		return o.await(now, retryDelay, AwaitsStock, AwaitsMoney), []saga.Fact{saga.OrderCanceling}, nil
	}
	return o, nil, ErrTooLateToCancel.Now("status", o.Status())
}
