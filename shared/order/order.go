// Package order decides what happens to an order. Stock and payment report what they observe; only
// this package gives an order its outcome.
//
// An order asks other steps for work and records which answers it awaits. While it awaits one, it
// is due at some time and then asks again. Its status follows from its outcome and from what it
// awaits:
//
//	outcome    awaits         status
//	–          outcome        placed
//	confirmed  capture        confirmed
//	confirmed  nothing        paid; confirmed if a person wrote the capture off
//	confirmed  refund         paid
//	rejected   stock, money   rejected, also when both are back
//	expired    stock, money   expired, also when both are back
//	canceled   stock, money   canceling
//	canceled   nothing        canceled
//
// While a person must look at it, an order that awaits capture, stock or money has the status
// needs_attention instead.
package order

import (
	"slices"
	"time"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// Outcome is how an order was decided. It is set once, except that a confirmed order can be
// canceled until its money is captured.
type Outcome string

// The outcomes. An order is Undecided while it awaits its outcome.
const (
	Undecided Outcome = ""
	Confirmed Outcome = "confirmed"
	Rejected  Outcome = "rejected"
	Expired   Outcome = "expired"
	Canceled  Outcome = "canceled"
)

// Awaited is an answer that an order waits for.
type Awaited string

// What an order awaits: at first its outcome; then the capture of its payment, or the return of its
// stock and its money; and later the refunds that were requested.
const (
	AwaitsOutcome Awaited = "outcome" // enough stock and an authorized payment, or a refusal
	AwaitsCapture Awaited = "capture" // of the authorized payment
	AwaitsStock   Awaited = "stock"   // that nothing is reserved or sold for it
	AwaitsMoney   Awaited = "money"   // that all of its money is back at the customer
	AwaitsRefund  Awaited = "refund"  // that every requested refund arrived
)

// Status summarizes an order for its readers. The package comment has the rule.
type Status string

// The statuses: placed → confirmed → paid; placed → rejected | expired; placed | confirmed →
// canceling → canceled. An order that awaits capture, stock or money may need attention meanwhile.
const (
	StatusPlaced         Status = "placed"          // accepted; stock and payment are being checked
	StatusConfirmed      Status = "confirmed"       // stock is reserved, the payment is authorized
	StatusPaid           Status = "paid"            // the money is captured
	StatusRejected       Status = "rejected"        // out of stock, or the payment was declined
	StatusExpired        Status = "expired"         // undecided when its payment window ended
	StatusCanceling      Status = "canceling"       // canceled; stock or money is not back yet
	StatusCanceled       Status = "canceled"        // canceled; stock and money are back
	StatusNeedsAttention Status = "needs_attention" // it cannot go on until a person resolves it
)

// Why an order was rejected, or needs attention. A declined payment has a reason of its own.
const (
	OutOfStock    = "out-of-stock"
	NoAnswer      = "no-answer"      // it asked MaxRetries times for what it awaits and got no answer
	CaptureFailed = "capture-failed" // it was confirmed, but its payment can no longer be captured
	RefundFailed  = "refund-failed"  // money for the customer failed to arrive MaxFailedReturns times
)

// Order is what a customer ordered, and how far the order is.
type Order struct {
	ID            string
	Shop          saga.Shop
	Owner         string // the subject that placed it; Erased once it is erased
	Email         string // address for mails about the order; empty: no mails are sent
	Lines         []saga.Line
	Total         money.Money
	PaymentMethod string // the provider's token
	PlacedAt      time.Time
	ExpiresAt     time.Time // the end of its payment window; an undecided order expires then
	Fingerprint   string    // of the request that placed it

	Outcome   Outcome
	Reason    string    // of a rejection or cancellation
	Paid      bool      // its money was captured
	Awaits    []Awaited // sorted; empty once the order is settled
	Attention string    // why a person must look; empty: the order does not need attention

	// ReturnVersion is the highest version of its charge that reported money as returned, or a
	// return as failed. Reports of lower versions are out of date.
	ReturnVersion int
	FailedReturns int // how often money that was reported as returned did not arrive

	Refunds     []saga.Refund
	RefundNotes []RefundNote // one per refund, in the same order

	// External is what moved at the payment provider without the order, as of ExternalVersion of its
	// charge. It is not refundable.
	External        saga.External
	ExternalVersion int

	Resolution Resolution // the last one

	// Due is when the order asks again for what it awaits. It is zero exactly if the order is
	// settled. An order that needs attention does not ask, and Due is the time since when it needs
	// attention.
	Due     time.Time
	Retries int // how often it asked again since it began to wait

	History saga.History
}

// Status returns the order's status. Awaited refunds do not change it. A confirmed order whose
// capture was written off stays confirmed, because its money was not captured.
func (o Order) Status() Status {
	switch {
	case o.Attention != "" && o.stuck():
		return StatusNeedsAttention
	case o.Outcome == Undecided:
		return StatusPlaced
	case o.Outcome == Canceled && o.awaitingReturn():
		return StatusCanceling
	case o.Paid && o.Outcome == Confirmed:
		return StatusPaid
	}
	return Status(o.Outcome)
}

// stuck reports whether the order awaits anything but refunds.
func (o Order) stuck() bool {
	return slices.ContainsFunc(o.Awaits, func(a Awaited) bool { return a != AwaitsRefund })
}

// Awaiting reports whether the order awaits a.
func (o Order) Awaiting(a Awaited) bool { return slices.Contains(o.Awaits, a) }

// Known returns an error if the order has an outcome, awaits an answer, or has a refund in a status
// that this release does not know. Nothing is decided about such an order.
func (o Order) Known() error {
	row := "order " + o.ID
	if err := saga.Known(row, "outcome", o.Outcome, Undecided, Confirmed, Rejected, Expired, Canceled); err != nil {
		return err
	}
	for _, a := range o.Awaits {
		err := saga.Known(row, "awaited answer", a,
			AwaitsOutcome, AwaitsCapture, AwaitsStock, AwaitsMoney, AwaitsRefund)
		if err != nil {
			return err
		}
	}
	return saga.KnownRefunds(row, o.Refunds)
}

func (o Order) awaitingReturn() bool { return o.Awaiting(AwaitsStock) || o.Awaiting(AwaitsMoney) }

// Settled reports whether the order awaits nothing. Neither a step nor a person has anything left
// to do.
func (o Order) Settled() bool { return len(o.Awaits) == 0 }

// await returns the order awaiting exactly these answers. It asks again after retryDelay, and it
// does not need attention.
func (o Order) await(now time.Time, retryDelay time.Duration, awaits ...Awaited) Order {
	o.Awaits, o.Attention, o.Retries = slices.Sorted(slices.Values(awaits)), "", 0
	o.Due = due(now, retryDelay)
	return o
}

// answered returns the order no longer awaiting a. An order that awaits nothing else is settled: it
// is not due and does not need attention.
func (o Order) answered(a Awaited) Order {
	o.Awaits = slices.DeleteFunc(slices.Clone(o.Awaits), func(other Awaited) bool { return other == a })
	if len(o.Awaits) == 0 {
		o.Awaits, o.Due, o.Attention, o.Retries = nil, time.Time{}, "", 0
	}
	return o
}

// due returns the time after a wait, to the millisecond, because rows store milliseconds.
func due(now time.Time, wait time.Duration) time.Time {
	return now.Add(wait).Truncate(time.Millisecond)
}
