package order

import (
	"slices"
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrNoAttentionNeeded is the answer for an order that goes its way by itself.
var ErrNoAttentionNeeded = fault.New(fault.Conflict, "no-attention-needed", "The order does not need attention. Read it again.")

// Action is what a person has done with an order that needs attention.
type Action string

// The actions.
const (
	Retry    Action = "retry"     // it asks again for what it is owed, as if it were owed it since now
	WriteOff Action = "write_off" // what it is owed is given up: its story ends here
)

// Resolution is what a person decided, and why. The zero Resolution is none.
type Resolution struct {
	ID          string
	Action      Action
	Reason      string
	By          string
	At          time.Time
	Fingerprint string // of the request
}

// Resolve decides what a person's resolution means for an order that needs attention. The last resolution again changes nothing. It
// returns ErrNoAttentionNeeded for any other order.
func Resolve(o Order, r Resolution, now time.Time, retryDelay time.Duration) (Order, []saga.Fact, error) {
	switch {
	case o.Resolution.ID == r.ID:
		return o, nil, nil
	case o.Attention == "":
		return o, nil, ErrNoAttentionNeeded
	case r.Action == Retry:
		o.Resolution, o.FailedReturns = r, 0
		o = o.await(now, retryDelay, o.Awaits...)
		return o, append([]saga.Fact{saga.OrderRetried}, retries(o)...), nil
	}
	facts := []saga.Fact{saga.OrderWrittenOff}
	switch {
	case o.Awaiting(AwaitsRefund):
		facts = append(facts, saga.RefundsWrittenOff) // whoever would make them must know
	case o.Awaiting(AwaitsCapture), o.Awaiting(AwaitsMoney):
		facts = append(facts, saga.PaymentWrittenOff) // and so must who would take the money, or give it back
	case o.Outcome == Canceled:
		facts = append(facts, saga.OrderCanceled) // what its customer waits for is done
	}
	o.Resolution, o.Refunds = r, slices.Clone(o.Refunds)
	for i := range o.Refunds {
		if r := &o.Refunds[i]; r.Status != saga.RefundStatusSucceeded {
			r.Status = saga.RefundStatusFailed
		}
	}
	for _, d := range o.Awaits {
		o = o.answered(d)
	}
	return o, facts, nil
}
