package order

import (
	"fmt"
	"slices"
	"time"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/saga"
)

// MaxRefunds is how many refunds one order may have.
const MaxRefunds = 20

// Why a refund is refused.
var (
	ErrNotRefundable = fault.New(fault.Conflict, "not-refundable",
		"Only a paid order can be refunded. An order that is not paid yet can be canceled.")
	ErrRefundTooLarge = fault.New(fault.Conflict, "refund-too-large",
		"The refund exceeds the refundable amount; errors says how much is refundable.")
	ErrTooManyRefunds = fault.New(fault.Conflict, "too-many-refunds",
		fmt.Sprintf("An order has at most %d refunds. Refund the rest at the payment provider; the order counts it.",
			MaxRefunds))
)

// RefundNote says who requested a refund, when and why.
type RefundNote struct {
	ID          string
	Reason      string
	By          string
	At          time.Time
	Fingerprint string // of the request
	Left        int64  // what was still refundable after it, in minor units
}

// Refundable returns how much of the captured money can still be refunded: the total less the refunds
// that the order requested, and less what was refunded or disputed at the provider itself, as far as
// the order knows. A refund that failed or was refused does not count.
func (o Order) Refundable() money.Money {
	left := money.Money{Currency: o.Total.Currency}
	if !o.Paid {
		return left
	}
	left.Amount = o.Total.Amount - o.External.Sum()
	for _, r := range o.Refunds {
		if r.Status != saga.RefundStatusFailed && r.Status != saga.RefundStatusRefused {
			left.Amount -= r.Amount
		}
	}
	left.Amount = max(left.Amount, 0) // a written-off refund may arrive, a bank can take what was refunded
	return left
}

// FindRefund returns the refund with the id, and its note.
func (o Order) FindRefund(id string) (saga.Refund, RefundNote, bool) {
	i := slices.IndexFunc(o.Refunds, func(r saga.Refund) bool { return r.ID == id })
	if i < 0 || i >= len(o.RefundNotes) {
		return saga.Refund{}, RefundNote{}, false
	}
	return o.Refunds[i], o.RefundNotes[i], true
}

// Refund requests a refund of amount minor units; amount 0 means all that is left. The order awaits
// the refund and asks again for it. It returns ErrNotRefundable for an order that is not paid,
// ErrRefundTooLarge, ErrTooManyRefunds, or payable.ErrUnpayable for an amount that the payment
// provider can never give back.
func Refund(
	o Order, note RefundNote, amount int64, now time.Time, retryDelay time.Duration,
) (Order, []saga.Fact, error) {
	left := o.Refundable().Amount
	if amount == 0 {
		amount = left
	}
	broken := payable.Part(money.Money{Amount: amount, Currency: o.Total.Currency})
	switch {
	case !o.Paid:
		return o, nil, ErrNotRefundable.Now("status", o.Status())
	case broken != nil:
		return o, nil, payable.ErrUnpayable.At("/amount/amount", broken.Error())
	case amount > left || left == 0:
		return o, nil, ErrRefundTooLarge.At("/amount", "exceeds the refundable amount ("+o.Refundable().Format()+")").
			Now("refundable", o.Refundable())
	case len(o.Refunds) >= MaxRefunds:
		return o, nil, ErrTooManyRefunds
	}
	note.Left = left - amount
	requested := saga.Refund{ID: note.ID, Amount: amount, Try: 1, Status: saga.RefundStatusRequested}
	o.Refunds = append(slices.Clone(o.Refunds), requested)
	o.RefundNotes = append(slices.Clone(o.RefundNotes), note)
	return o.await(now, retryDelay, AwaitsRefund), []saga.Fact{saga.OrderRefunding}, nil
}

// ApplyRefunds decides what the charge's report on its refunds means. The customer is notified of a
// refund that arrived. A refund that failed is requested again with the next Try; that may be days
// after it seemed to have arrived. A refund that was written off stays failed unless it arrived
// after all. A refund that the provider refused for good is not requested again, and its amount is
// refundable again, as far as it is left. Reports of an earlier Try are out of date and are ignored.
func ApplyRefunds(o Order, reported []saga.Refund, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	refunds, arrived, refused, failed := slices.Clone(o.Refunds), false, false, 0
	for _, s := range reported {
		i := slices.IndexFunc(refunds, func(r saga.Refund) bool { return r.ID == s.ID })
		if i < 0 || s.Try < refunds[i].Try {
			continue
		}
		switch r := &refunds[i]; {
		case s.Status == saga.RefundStatusSucceeded && r.Status != saga.RefundStatusSucceeded:
			r.Status, arrived = saga.RefundStatusSucceeded, true
		case s.Status == saga.RefundStatusRefused && open(*r):
			r.Status, refused = saga.RefundStatusRefused, true
		case s.Status == saga.RefundStatusFailed && r.Status != saga.RefundStatusFailed:
			r.Try, r.Status, failed = s.Try+1, saga.RefundStatusRequested, max(failed, s.Try)
		}
	}
	if !arrived && !refused && failed == 0 {
		return o, nil
	}
	o.Refunds = refunds
	var facts []saga.Fact
	if arrived {
		facts = append(facts, saga.OrderRefunded)
	}
	if refused {
		facts = append(facts, saga.OrderRefundRefused)
	}
	switch {
	case !slices.ContainsFunc(refunds, open):
		o = o.answered(AwaitsRefund)
	case failed > 0 && !o.Awaiting(AwaitsRefund):
		o = o.await(now, retryDelay, AwaitsRefund)
	}
	if failed == 0 {
		return o, facts
	}
	o, failure := returnFailed(o, failed, now)
	return o, append(facts, failure...)
}

// open reports whether a refund is not decided yet.
func open(r saga.Refund) bool {
	return r.Status == saga.RefundStatusRequested || r.Status == saga.RefundStatusPending
}

// AdoptExternal records what moved at the provider without the order, as of a version of its charge. A
// report of a version that is not higher than ExternalVersion is out of date and changes nothing.
func AdoptExternal(o Order, version int, moved saga.External) (Order, []saga.Fact) {
	if version <= o.ExternalVersion {
		return o, nil
	}
	o.External, o.ExternalVersion = moved, version
	return o, []saga.Fact{saga.OrderExternalMoney}
}
