package payment

import (
	"slices"

	"backroom/shared/saga"
)

// Balance is what the provider received for a charge, and what left again.
type Balance struct {
	Received int64 // minor units of the charge's currency
	Refunds  []ProviderRefund
	Disputes []Dispute
}

// Dispute is a claim of the customer's bank on a captured amount. The bank takes the amount when it
// opens the dispute, and gives it back if the shop wins.
type Dispute struct {
	ID     string // the provider's
	Amount int64  // minor units of the charge's currency
	Status DisputeStatus
}

// DisputeStatus is how far a dispute is.
type DisputeStatus string

// The statuses of a dispute.
const (
	DisputeOpen DisputeStatus = "open"
	DisputeLost DisputeStatus = "lost"
	DisputeWon  DisputeStatus = "won" // also an inquiry of the bank, for which it takes no money
)

// Left returns how much of the received amount the shop still has and can give back: less all
// refunds, pending ones too, and less the disputes that are open or lost. It is not negative,
// though a bank can take what was refunded.
func (b Balance) Left() int64 { return max(b.Received-refundedAmount(b.Refunds)-b.disputed(), 0) }

func (b Balance) disputed() int64 {
	var sum int64
	for _, d := range b.Disputes {
		if d.Status != DisputeWon {
			sum += d.Amount
		}
	}
	return sum
}

// ExternalRefund is a refund that was made at the provider itself.
type ExternalRefund struct {
	ID     string // the provider's
	Amount int64  // minor units of the charge's currency
	Status saga.RefundStatus
}

// maxExternal is how many external refunds, and how many disputes, a charge's row names: the first
// ones. The sums have all of them.
const maxExternal = 50

// ApplyBalance records in a captured charge what moved at the provider without the order. It
// returns the fact to publish; none if nothing is new.
func ApplyBalance(c Charge, b Balance) (Charge, []saga.Fact) {
	now := saga.External{Disputed: b.disputed(), Uncaptured: max(c.Amount.Amount-b.Received, 0)}
	var refunds []ExternalRefund
	for _, m := range b.Refunds {
		if !c.requested(m) {
			now.Refunded += countedAmount(m)
			refunds = append(refunds, ExternalRefund{m.ID, m.Amount, m.Status})
		}
	}
	refunds = refunds[:min(len(refunds), maxExternal)]
	disputes := b.Disputes[:min(len(b.Disputes), maxExternal)]
	if (c.External == nil && now == (saga.External{}) || c.External != nil && *c.External == now) &&
		slices.Equal(c.ExternalRefunds, refunds) && slices.Equal(c.Disputes, disputes) {
		return c, nil
	}
	c.External, c.ExternalRefunds, c.Disputes = &now, refunds, disputes
	return c, []saga.Fact{saga.ExternalMoneyMoved}
}

// requested reports whether an order requested the refund, or the return of its charge did.
func (c Charge) requested(m ProviderRefund) bool {
	return m.Refund == FullRefundID ||
		slices.ContainsFunc(c.Refunds, func(r saga.Refund) bool { return r.ID == m.Refund })
}
