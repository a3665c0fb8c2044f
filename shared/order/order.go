// Package order is the one domain that decides how an order's story ends. Stock and payment report what is so; only an
// order gives a verdict, and it knows what it is still owed.
package order

import (
	"slices"
	"time"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// Verdict is how an order was decided. It is given once; only a cancellation may follow a confirmation.
type Verdict string

// The verdicts.
const (
	Undecided Verdict = ""
	Confirmed Verdict = "confirmed"
	Rejected  Verdict = "rejected"
	Expired   Verdict = "expired"
	Cancelled Verdict = "cancelled"
)

// Debt is something that an order is owed.
type Debt string

// What an order may be owed: at first its verdict, then the capture of its payment; or stock back and money back; and later
// the refunds that somebody asked for.
const (
	VerdictDebt Debt = "verdict"
	CaptureDebt Debt = "capture"
	StockDebt   Debt = "stock"
	MoneyDebt   Debt = "money"
	RefundDebt  Debt = "refund"
)

// Status is where an order stands. It follows from its verdict and from what it is owed.
type Status string

// The states: placed → confirmed → closed; placed → rejected | expired → closed; placed | confirmed → cancelling → cancelled;
// and any that is owed something may need attention.
const (
	StatusPlaced         Status = "placed"
	StatusConfirmed      Status = "confirmed"
	StatusRejected       Status = "rejected"
	StatusExpired        Status = "expired"
	StatusCancelling     Status = "cancelling"
	StatusCancelled      Status = "cancelled"
	StatusClosed         Status = "closed"
	StatusNeedsAttention Status = "needs_attention"
)

// Why an order was rejected, or needs attention. A declined payment brings its own reason.
const (
	OutOfStock    = "out-of-stock"
	NoAnswer      = "no-answer"      // what it is owed was asked for in vain, again and again
	CaptureFailed = "capture-failed" // it was confirmed, and its money can not be taken any more
	RefundBounced = "refund-bounced" // money that goes back to the customer does not arrive, time after time
)

// Order is what a customer wants and what became of it.
type Order struct {
	ID            string
	Shop          string
	Owner         string // the subject that placed it; Nobody once it is erased
	Email         string // where its customer reads what became of it; empty: nowhere
	Lines         []saga.Line
	Total         money.Money
	PaymentMethod string // the provider's token
	PlacedAt      time.Time
	ExpiresAt     time.Time // the end of its payment window: who has no verdict by then expires
	Fingerprint   string    // of the request that placed it

	Verdict   Verdict
	Reason    string // of a rejection or cancellation
	Paid      bool   // its money was taken
	Owes      []Debt // what it is owed, sorted; none once its story ended
	Attention string // why a person must look; empty: nobody must

	// ReturnHeard is the version of its charge of which the order last heard that its money is back, or is not.
	ReturnHeard int
	Bounces     int // how often money that was back did not arrive after all

	Refunds     []saga.Refund
	RefundNotes []RefundNote // one per refund, in the same order
	Resolution  Resolution   // the last one

	// Due is when the order asks for what it is owed, and zero exactly when it is owed nothing. While it needs attention it
	// asks for nothing, and Due is since when.
	Due  time.Time
	Asks int // how often it asked since it was owed something new

	Diary saga.Diary
}

// Status returns where the order stands.
func (o Order) Status() Status {
	switch {
	case o.Attention != "":
		return StatusNeedsAttention
	case o.Verdict == Undecided:
		return StatusPlaced
	case o.Verdict == Cancelled && o.backOwed():
		return StatusCancelling
	case o.Verdict == Cancelled:
		return StatusCancelled
	case o.Verdict == Confirmed && o.Owed(CaptureDebt):
		return StatusConfirmed
	case o.Verdict != Confirmed && o.backOwed():
		return Status(o.Verdict)
	}
	return StatusClosed
}

// Owed reports whether the order is owed d.
func (o Order) Owed(d Debt) bool { return slices.Contains(o.Owes, d) }

func (o Order) backOwed() bool { return o.Owed(StockDebt) || o.Owed(MoneyDebt) }

// Open reports whether anything is left to happen by itself or through a person.
func (o Order) Open() bool { return len(o.Owes) > 0 }

// owe makes debts the only things that the order is owed, from now on.
func (o Order) owe(now time.Time, patience time.Duration, debts ...Debt) Order {
	o.Owes, o.Attention, o.Asks = slices.Sorted(slices.Values(debts)), "", 0
	o.Due = due(now, patience)
	return o
}

// strike removes a debt. The order is due no more once the last is gone, and nobody must look then.
func (o Order) strike(d Debt) Order {
	o.Owes = slices.DeleteFunc(slices.Clone(o.Owes), func(is Debt) bool { return is == d })
	if len(o.Owes) == 0 {
		o.Owes, o.Due, o.Attention, o.Asks = nil, time.Time{}, "", 0
	}
	return o
}

// due is a moment from now, to the millisecond, as it is stored.
func due(now time.Time, wait time.Duration) time.Time {
	return now.Add(wait).Truncate(time.Millisecond)
}
