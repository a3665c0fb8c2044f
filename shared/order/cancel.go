package order

import (
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrTooLateToCancel is the answer for an order whose story ended otherwise.
var ErrTooLateToCancel = fault.New(fault.Conflict, "too-late-to-cancel", "The order can not be cancelled any more: its story has ended. Money that was taken can be refunded.")

// Cancel decides what becomes of an order that is not wanted any more. It states the intent: the order is cancelled once stock
// and money are back. Asked twice it changes nothing. It returns ErrTooLateToCancel for an order that was rejected, expired or
// closed; one that needs attention because its money can not be taken can be cancelled.
func Cancel(o Order, reason string, now time.Time, patience time.Duration) (Order, []saga.Fact, error) {
	switch {
	case o.Verdict == Cancelled:
		return o, nil, nil
	case o.Verdict == Undecided, o.Verdict == Confirmed && o.Owed(CaptureDebt):
		o.Verdict, o.Reason = Cancelled, reason
		return o.owe(now, patience, StockDebt, MoneyDebt), []saga.Fact{saga.OrderCancelling}, nil
	}
	return o, nil, ErrTooLateToCancel
}
