// Package order is the one domain that decides how an order's story ends. Stock and payment report what is so; only an
// order gives an outcome, and it knows what it is still owed.
package order

import (
	"slices"
	"time"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// Outcome is how an order was decided. It is given once; only a cancellation may follow a confirmation.
type Outcome string

// The outcomes.
const (
	Undecided Outcome = ""
	Confirmed Outcome = "confirmed"
	Rejected  Outcome = "rejected"
	Expired   Outcome = "expired"
	Canceled  Outcome = "canceled"
)

// Debt is something that an order is owed.
type Awaited string

// What an order may be owed: at first its outcome, then the capture of its payment; or stock back and money back; and later
// the refunds that somebody asked for.
const (
	AwaitsOutcome Awaited = "outcome"
	AwaitsCapture Awaited = "capture"
	AwaitsStock   Awaited = "stock"
	AwaitsMoney   Awaited = "money"
	AwaitsRefund  Awaited = "refund"
)

// Status is where an order stands. It follows from its outcome and from what it is owed.
type Status string

// The statuses: placed → confirmed → paid; placed → rejected | expired; placed | confirmed → canceling → canceled. An order
// needs attention while its outcome, or what follows from it, is stuck.
const (
	StatusPlaced         Status = "placed"
	StatusConfirmed      Status = "confirmed"
	StatusPaid           Status = "paid"
	StatusRejected       Status = "rejected"
	StatusExpired        Status = "expired"
	StatusCanceling      Status = "canceling"
	StatusCanceled       Status = "canceled"
	StatusNeedsAttention Status = "needs_attention"
)

// Why an order was rejected, or needs attention. A declined payment brings its own reason.
const (
	OutOfStock    = "out-of-stock"
	NoAnswer      = "no-answer"      // what it is owed was asked for in vain, again and again
	CaptureFailed = "capture-failed" // it was confirmed, and its money can not be taken any more
	RefundFailed  = "refund-failed"  // money that goes back to the customer does not arrive, time after time
)

// Order is what a customer wants and what became of it.
type Order struct {
	ID            string
	Shop          saga.Shop
	Owner         string // the subject that placed it; Nobody once it is erased
	Email         string // where its customer reads what became of it; empty: nowhere
	Lines         []saga.Line
	Total         money.Money
	PaymentMethod string // the provider's token
	PlacedAt      time.Time
	ExpiresAt     time.Time // the end of its payment window: who has no outcome by then expires
	Fingerprint   string    // of the request that placed it

	Outcome   Outcome
	Reason    string    // of a rejection or cancellation
	Paid      bool      // its money was taken
	Awaits    []Awaited // what it is owed, sorted; none once its story ended
	Attention string    // why a person must look; empty: nobody must

	// ReturnHeard is the version of its charge of which the order last heard that its money is back, or is not.
	ReturnVersion int
	FailedReturns int // how often money that was back did not arrive after all

	Refunds     []saga.Refund
	RefundNotes []RefundNote // one per refund, in the same order
	Resolution  Resolution   // the last one

	// Due is when the order asks for what it is owed, and zero exactly when it is owed nothing. While it needs attention it
	// asks for nothing, and Due is since when.
	Due     time.Time
	Retries int // how often it asked since it was owed something new

	History saga.History
}

// Status returns where the order stands. Awaited refunds leave it as it is. A confirmed order whose capture was written off
// stays confirmed: its money never came.
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

func (o Order) awaitingReturn() bool { return o.Awaiting(AwaitsStock) || o.Awaiting(AwaitsMoney) }

// Settled reports whether the order awaits nothing: nothing is left to happen by itself or through a person.
func (o Order) Settled() bool { return len(o.Awaits) == 0 }

// owe makes debts the only things that the order is owed, from now on.
func (o Order) await(now time.Time, retryDelay time.Duration, debts ...Awaited) Order {
	o.Awaits, o.Attention, o.Retries = slices.Sorted(slices.Values(debts)), "", 0
	o.Due = due(now, retryDelay)
	return o
}

// strike removes a debt. The order is due no more once the last is gone, and nobody must look then.
func (o Order) answered(d Awaited) Order {
	o.Awaits = slices.DeleteFunc(slices.Clone(o.Awaits), func(is Awaited) bool { return is == d })
	if len(o.Awaits) == 0 {
		o.Awaits, o.Due, o.Attention, o.Retries = nil, time.Time{}, "", 0
	}
	return o
}

// due is a moment from now, to the millisecond, as it is stored.
func due(now time.Time, wait time.Duration) time.Time {
	return now.Add(wait).Truncate(time.Millisecond)
}
