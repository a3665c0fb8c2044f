package order

import (
	"time"

	"backroom/shared/saga"
)

// How an order waits. Its patience doubles with every ask up to MaxRetryDelay; after MaxRetries in vain a person must look.
const (
	MaxRetryDelay = time.Hour
	MaxRetries    = 20
)

// Overdue decides what an order does whose due time passed: it asks again for exactly what it is still owed. An order without a
// outcome asks at least once, and expires when its payment window is over. One that waits for something else by now, or for
// nothing, has nothing to do. By the clock of who woke it due has passed; by a clock that is behind, it is now.
func Overdue(o Order, due, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	if now.Before(due) {
		now = due
	}
	switch {
	case o.Settled() || o.Attention != "" || !o.Due.Equal(due):
		return o, nil
	case o.Outcome == Undecided && o.Retries > 0 && !now.Before(o.ExpiresAt):
		return expire(o, now, retryDelay)
	case o.Retries >= MaxRetries && o.Outcome != Undecided:
		return needAttention(o, NoAnswer, now)
	}
	o.Retries++
	wait := min(retryDelay, MaxRetryDelay)
	for range o.Retries {
		wait = min(2*wait, MaxRetryDelay)
	}
	o.Due = now.Add(wait).Truncate(time.Millisecond)
	if o.Outcome == Undecided && o.ExpiresAt.After(now) && o.Due.After(o.ExpiresAt) {
		o.Due = o.ExpiresAt
	}
	return o, retries(o)
}

// asks returns the facts by which an order asks for what it is owed. An undecided one does not know how far its story went:
// it asks for its stock, with everything that the first request carried, and for its payment.
func retries(o Order) []saga.Fact {
	var facts []saga.Fact
	for _, d := range o.Awaits {
		switch d {
		case AwaitsOutcome:
			facts = append(facts, saga.ReserveDue, saga.PaymentCheckDue)
		case AwaitsCapture:
			facts = append(facts, saga.CaptureDue)
		case AwaitsStock:
			facts = append(facts, saga.ReleaseDue)
		case AwaitsMoney:
			facts = append(facts, saga.ReturnDue)
		case AwaitsRefund:
			facts = append(facts, saga.RefundDue)
		}
	}
	return facts
}
