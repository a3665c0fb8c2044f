package order

import (
	"slices"
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrNoAttentionNeeded is returned for an order that can go on by itself.
var ErrNoAttentionNeeded = fault.New(fault.Conflict, "no-attention-needed",
	"The order does not need attention. Read it again.")

// Action is how a person resolves an order that needs attention.
type Action string

// The actions.
const (
	Retry    Action = "retry"     // the order asks again for what it awaits, with MaxRetries new retries
	WriteOff Action = "write_off" // the order no longer awaits anything; nothing more is captured or returned
)

// Resolution is what a person decided, and why. The zero Resolution belongs to an order that was
// never resolved.
type Resolution struct {
	ID          string
	Action      Action
	Reason      string
	By          string
	At          time.Time
	Fingerprint string // of the request
}

// Resolve decides what a person's resolution means for an order that needs attention. Repeating the
// last resolution changes nothing. It returns ErrNoAttentionNeeded for an order that does not need
// attention.
func Resolve(o Order, r Resolution, now time.Time, retryDelay time.Duration) (Order, []saga.Fact, error) {
	switch {
	case o.Resolution.ID == r.ID:
		return o, nil, nil
	case o.Attention == "":
		return o, nil, ErrNoAttentionNeeded.Now("status", o.Status())
	case r.Action == Retry:
		o.Resolution, o.FailedReturns = r, 0
		o = o.await(now, retryDelay, o.Awaits...)
		return o, append([]saga.Fact{saga.OrderRetried}, retries(o)...), nil
	}
	facts := []saga.Fact{saga.OrderWrittenOff}
	switch {
	case o.Awaiting(AwaitsRefund):
		facts = append(facts, saga.RefundsWrittenOff) // return-payment stops making them
	case o.Awaiting(AwaitsCapture), o.Awaiting(AwaitsMoney):
		facts = append(facts, saga.PaymentWrittenOff) // no step captures or returns the money any longer
	case o.Outcome == Canceled:
		facts = append(facts, saga.OrderCanceled) // the money is back, so the customer gets the mail
	}
	o.Resolution, o.Refunds = r, slices.Clone(o.Refunds)
	for i := range o.Refunds {
		if r := &o.Refunds[i]; r.Status != saga.RefundStatusSucceeded {
			r.Status = saga.RefundStatusFailed
		}
	}
	for _, a := range o.Awaits {
		o = o.answered(a)
	}
	return o, facts, nil
}
