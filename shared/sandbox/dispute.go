package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// DisputeStatus is the status of a dispute, as Stripe names it.
type DisputeStatus string

// The statuses of a dispute.
const (
	DisputeNeedsResponse DisputeStatus = "needs_response" // the customer's bank took the amount
	DisputeWon           DisputeStatus = "won"            // the shop has the money again
	DisputeLost          DisputeStatus = "lost"
)

// Dispute is a claim of the customer's bank on an intent.
type Dispute struct {
	ID      string
	Amount  int64
	Status  DisputeStatus
	Created time.Time
}

// Disputed returns how much of the captured amount is in disputes that are open or lost.
func (i Intent) Disputed() int64 {
	var sum int64
	for _, d := range i.Disputes {
		if d.Status != DisputeWon {
			sum += d.Amount
		}
	}
	return sum
}

// OpenDispute has the customer's bank dispute an amount of the intent; 0 means all that was
// captured. A bank can dispute what was refunded. It returns a *Problem if less was captured, or is
// not disputed yet.
func OpenDispute(i Intent, amount int64, now time.Time) (Intent, error) {
	left := i.Captured - i.Disputed()
	switch {
	case i.Status != Succeeded || left == 0:
		return i, refused("", "", "This PaymentIntent ("+i.ID+") has no captured amount that can be disputed.")
	case amount > left:
		return i, refused("amount", "amount_too_large", "The amount is greater than what can be disputed.")
	case amount == 0:
		amount = left
	}
	d := Dispute{Amount: amount, Status: DisputeNeedsResponse, Created: now}
	d.ID = "dp_" + strings.TrimPrefix(i.ID, "pi_") + "_" + strconv.Itoa(len(i.Disputes)+1)
	i.Disputes = append(slices.Clone(i.Disputes), d)
	return i, nil
}

// DecideDispute ends the dispute with the id. It returns a *Problem for a dispute that ended
// already.
func DecideDispute(i Intent, id string, to DisputeStatus) (Intent, error) {
	n := slices.IndexFunc(i.Disputes, func(d Dispute) bool { return d.ID == id })
	switch {
	case n < 0:
		return i, noSuch("dispute", id, "id")
	case i.Disputes[n].Status != DisputeNeedsResponse:
		return i, refused("", "", "This dispute is already closed.")
	}
	i.Disputes = slices.Clone(i.Disputes)
	i.Disputes[n].Status = to
	return i, nil
}

// Dispute returns the dispute with the id.
func (i Intent) Dispute(id string) (Dispute, bool) {
	n := slices.IndexFunc(i.Disputes, func(d Dispute) bool { return d.ID == id })
	if n < 0 {
		return Dispute{}, false
	}
	return i.Disputes[n], true
}

// disputeDocument is a dispute as clients see it.
type disputeDocument struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        string            `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	Livemode      bool              `json:"livemode"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        string            `json:"reason"`
	Status        DisputeStatus     `json:"status"`
}

func (i Intent) disputeDocument(d Dispute) disputeDocument {
	return disputeDocument{
		ID: d.ID, Object: "dispute", Amount: d.Amount, Charge: i.charge(), Created: d.Created.Unix(),
		Currency: i.Currency, Metadata: map[string]string{}, PaymentIntent: i.ID, Reason: "fraudulent",
		Status: d.Status,
	}
}
