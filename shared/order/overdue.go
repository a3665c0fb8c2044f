package order

import (
	"time"

	"backroom/shared/saga"
)

// How an order retries. Its retry delay doubles each time up to MaxRetryDelay. After MaxRetries
// without an answer a decided order needs attention.
const (
	MaxRetryDelay = time.Hour
	MaxRetries    = 20
)

// Overdue decides what an order does when its due time has passed: it asks again for exactly what
// it still awaits. An undecided order asks at least once, and expires when its payment window is
// over. A due time other than the order's is out of date and changes nothing. Nothing changes
// either if the order is settled or needs attention. The caller's clock has seen due pass; if now
// is earlier, due is taken as now.
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

// retries returns the facts by which an order asks again for what it awaits. An undecided order
// does not know which step failed to answer. It asks for its stock, with all that OrderPlaced
// carried, and for its payment.
func retries(o Order) []saga.Fact {
	var facts []saga.Fact
	for _, a := range o.Awaits {
		switch a {
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
