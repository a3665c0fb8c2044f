package order

import (
	"time"

	"backroom/shared/saga"
)

// How an order waits. Its patience doubles with every ask up to LongestPatience; after MaxAsks in vain a person must look.
const (
	LongestPatience = time.Hour
	MaxAsks         = 20
)

// Overdue decides what an order does whose due time passed: it asks again for exactly what it is still owed. An order without a
// verdict asks at least once, and expires when its payment window is over. One that waits for something else by now, or for
// nothing, has nothing to do. By the clock of who woke it due has passed; by a clock that is behind, it is now.
func Overdue(o Order, due, now time.Time, patience time.Duration) (Order, []saga.Fact) {
	if now.Before(due) {
		now = due
	}
	switch {
	case !o.Open() || o.Attention != "" || !o.Due.Equal(due):
		return o, nil
	case o.Verdict == Undecided && o.Asks > 0 && !now.Before(o.ExpiresAt):
		return expire(o, now, patience)
	case o.Asks >= MaxAsks && o.Verdict != Undecided:
		return strand(o, NoAnswer, now)
	}
	o.Asks++
	wait := min(patience, LongestPatience)
	for range o.Asks {
		wait = min(2*wait, LongestPatience)
	}
	o.Due = now.Add(wait).Truncate(time.Millisecond)
	if o.Verdict == Undecided && o.ExpiresAt.After(now) && o.Due.After(o.ExpiresAt) {
		o.Due = o.ExpiresAt
	}
	return o, asks(o)
}

// asks returns the facts by which an order asks for what it is owed. An undecided one does not know how far its story went:
// it asks for its stock, with everything that the first request carried, and for its payment.
func asks(o Order) []saga.Fact {
	var facts []saga.Fact
	for _, d := range o.Owes {
		switch d {
		case VerdictDebt:
			facts = append(facts, saga.ReserveDue, saga.PaymentCheckDue)
		case CaptureDebt:
			facts = append(facts, saga.CaptureDue)
		case StockDebt:
			facts = append(facts, saga.ReleaseDue)
		case MoneyDebt:
			facts = append(facts, saga.ReturnDue)
		case RefundDebt:
			facts = append(facts, saga.RefundDue)
		}
	}
	return facts
}
