package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// RefundStatus is how a refund stands, in Stripe's words.
type RefundStatus string

// The statuses of a refund.
const (
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed" // the money is back at the shop
)

// Refund is money that goes back to the customer.
type Refund struct {
	ID       string
	Amount   int64
	Status   RefundStatus
	Reason   string
	Metadata map[string]string
	Created  time.Time
	Becomes  RefundStatus // what time makes of it; empty: it stays as it is
	Settles  time.Time    // when
}

// Refunded returns how much of what was taken is back at the customer, or on its way there.
func (i Intent) Refunded() int64 {
	var sum int64
	for _, r := range i.Refunds {
		if r.Status != RefundFailed {
			sum += r.Amount
		}
	}
	return sum
}

// GiveBack decides what comes of a refund, which is the intent's last one then. An amount of 0 is all that is left. It returns
// a *Problem if there is not that much to give back.
func GiveBack(i Intent, r Refund, now time.Time) (Intent, error) {
	left := i.Captured - i.Refunded()
	switch {
	case i.Status != Succeeded:
		return i, refused("", "", "This PaymentIntent ("+i.ID+") does not have a successful charge to refund.")
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

// refunded returns the id of the intent that a refund is of; empty for what is no refund's id.
func refunded(refund string) string {
	rest, ok := strings.CutPrefix(refund, "re_")
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

// charge is the id of what Stripe calls the charge of an intent: what was really held on the card.
func (i Intent) charge() string { return "ch_" + strings.TrimPrefix(i.ID, "pi_") }
