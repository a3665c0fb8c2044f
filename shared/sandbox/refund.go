package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"backroom/shared/money/payable"
)

// RefundStatus is the status of a refund, as Stripe names it.
type RefundStatus string

// The statuses of a refund.
const (
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed" // the shop has the money again
)

// Refund is a refund of an intent.
type Refund struct {
	ID       string
	Amount   int64
	Status   RefundStatus
	Reason   string
	Metadata map[string]string
	Created  time.Time
	Becomes  RefundStatus // its status after Settles; empty: it does not change
	Settles  time.Time    // when Becomes applies
}

// Refunded returns how much of the captured amount is refunded, or on its way to the customer.
func (i Intent) Refunded() int64 {
	var sum int64
	for _, r := range i.Refunds {
		if r.Status != RefundFailed {
			sum += r.Amount
		}
	}
	return sum
}

// GiveBack appends a refund to the intent. An amount of 0 means all that is left: what is neither
// refunded nor disputed. It returns a *Problem if less than the amount is left.
func GiveBack(i Intent, r Refund, now time.Time) (Intent, error) {
	left := max(i.Captured-i.Refunded()-i.Disputed(), 0)
	if limits, taken := payable.LimitsOf(strings.ToUpper(i.Currency)); taken {
		if err := countable(r.Amount, limits, i.Currency); err != nil {
			return i, err
		}
	}
	switch {
	case i.Status != Succeeded:
		return i, refused("", "", "This PaymentIntent ("+i.ID+") does not have a successful charge to refund.")
	case i.Disputed() > 0 && (left == 0 || r.Amount > left):
		return i, refused("", "charge_disputed", "Charge "+i.charge()+" has been charged back; cannot issue a refund.")
	case left == 0:
		return i, refused("", "charge_already_refunded", "Charge "+i.charge()+" has already been refunded.")
	case r.Amount > left:
		return i, refused("amount", "", "Refund amount ("+strconv.FormatInt(r.Amount, 10)+
			") is greater than unrefunded amount on charge ("+strconv.FormatInt(left, 10)+")")
	case r.Amount == 0:
		r.Amount = left
	}
	card := i.Card()
	way := card.Refunds
	if card.First && len(i.Refunds) > 0 {
		way = Arrives
	}
	r.Status, r.Created = RefundSucceeded, now
	switch way {
	case Waits:
		r.Status, r.Becomes, r.Settles = RefundPending, RefundSucceeded, now.Add(refundTime)
	case Bounces:
		r.Status = RefundFailed
	case BouncesLate:
		r.Becomes, r.Settles = RefundFailed, now.Add(refundTime)
	}
	r.ID = "re_" + strings.TrimPrefix(i.ID, "pi_") + "_" + strconv.Itoa(len(i.Refunds)+1)
	i.Refunds = append(slices.Clone(i.Refunds), r)
	return i, nil
}

// owner returns the id of the intent of a refund or dispute, or "" if id does not have the prefix of one.
func owner(id, prefix string) string {
	rest, ok := strings.CutPrefix(id, prefix)
	end := strings.LastIndexByte(rest, '_')
	if !ok || end < 0 {
		return ""
	}
	return "pi_" + rest[:end]
}

// Refund returns the refund with the id.
func (i Intent) Refund(id string) (Refund, bool) {
	n := slices.IndexFunc(i.Refunds, func(r Refund) bool { return r.ID == id })
	if n < 0 {
		return Refund{}, false
	}
	return i.Refunds[n], true
}

// charge returns the id of what Stripe calls the charge of an intent: its authorization.
func (i Intent) charge() string { return "ch_" + strings.TrimPrefix(i.ID, "pi_") }
