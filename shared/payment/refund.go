package payment

import (
	"maps"
	"slices"
	"strconv"

	"backroom/shared/saga"
)

// FullRefundID is the id of the refund that returns what is left of a charge. An order never gives
// this id to a refund of its own.
const FullRefundID = "whole"

// ProviderRefund is a refund as the provider knows it.
type ProviderRefund struct {
	ID     string // the provider's; empty if it refused to make it
	Refund string // our id; empty if Backroom did not make it
	Try    int    // of our id
	Amount int64  // minor units of the charge's currency
	Status saga.RefundStatus
}

// refundedAmount returns how much of a charge was refunded or is pending.
func refundedAmount(made []ProviderRefund) int64 {
	var sum int64
	for _, m := range made {
		sum += countedAmount(m)
	}
	return sum
}

// countedAmount returns the amount of a refund that succeeded or is pending, and 0 for another.
func countedAmount(m ProviderRefund) int64 {
	if m.Status == saga.RefundStatusFailed || m.Status == saga.RefundStatusRefused {
		return 0
	}
	return m.Amount
}

func anyPending(made []ProviderRefund) bool {
	return slices.ContainsFunc(made, func(m ProviderRefund) bool { return m.Status == saga.RefundStatusPending })
}

// tries returns how often a refund was tried.
func tries(made []ProviderRefund, id string) int {
	last := 0
	for _, m := range made {
		if m.Refund == id {
			last = max(last, m.Try)
		}
	}
	return last
}

// RequestRefunds merges the refunds that an order requests into those of its charge. It adds missing
// refunds and raises the try of those to retry. A refund that the order wrote off stays written off,
// even if an older message requests it again. A refund that the order already knows as succeeded or
// refused is not added.
func RequestRefunds(c Charge, wanted []saga.Refund) Charge {
	c.Refunds = slices.Clone(c.Refunds)
	for _, w := range wanted {
		if w.Status == saga.RefundStatusSucceeded || w.Status == saga.RefundStatusRefused {
			continue
		}
		if w.Status != saga.RefundStatusFailed {
			w.Status = saga.RefundStatusRequested
		}
		at := slices.IndexFunc(c.Refunds, func(r saga.Refund) bool { return r.ID == w.ID })
		switch {
		case at < 0:
			c.Refunds = append(c.Refunds, w)
		case c.Refunds[at].Try < w.Try, c.Refunds[at].Try == w.Try &&
			c.Refunds[at].Status == saga.RefundStatusRequested:
			c.Refunds[at] = w
		}
	}
	return c
}

// ApplyRefunds gives the charge's refunds the status that the provider reports. A refund that the
// provider does not have keeps its status.
func ApplyRefunds(c Charge, made []ProviderRefund) Charge {
	c.Refunds, c.RefundIDs = slices.Clone(c.Refunds), maps.Clone(c.RefundIDs)
	for i, r := range c.Refunds {
		for _, m := range made {
			if m.Refund == r.ID && m.Try == r.Try {
				c.Refunds[i].Status = m.Status
				c.rememberRefund(m)
			}
		}
	}
	return c
}

// rememberRefund stores the provider's id of a refund.
func (c *Charge) rememberRefund(m ProviderRefund) {
	if m.ID == "" {
		return
	}
	if c.RefundIDs == nil {
		c.RefundIDs = map[string]string{}
	}
	c.RefundIDs[m.Refund] = m.ID
}

// Refundable reports whether amount is at most what is left of a captured charge.
func Refundable(c Charge, b Balance, amount int64) bool {
	return c.Desired != DesiredReturn && c.Observed == Captured && amount > 0 && amount <= b.Left()
}

// RefundFacts returns the facts about refunds whose status changed, each fact once.
func RefundFacts(before, now []saga.Refund) []saga.Fact {
	var news []saga.Fact
	for _, r := range now {
		fact := map[saga.RefundStatus]saga.Fact{
			saga.RefundStatusPending: saga.RefundStarted, saga.RefundStatusSucceeded: saga.PaymentRefunded,
			saga.RefundStatusFailed: saga.RefundFailed, saga.RefundStatusRefused: saga.RefundRefused,
		}[r.Status]
		if fact != "" && !slices.Contains(before, r) && !slices.Contains(news, fact) {
			news = append(news, fact)
		}
	}
	return news
}

// ApplyReturn records what the balance means for a captured charge that is to be returned, and returns
// the facts to publish. The charge is returned only when nothing of it is left and no refund is
// pending. It goes back to captured if a refund fails after it succeeded, or if a dispute is won:
// then the shop has that money again.
func ApplyReturn(c Charge, b Balance) (Charge, []saga.Fact) {
	made, had, known := b.Refunds, c.Observed, c.RefundIDs[FullRefundID]
	c.RefundIDs = maps.Clone(c.RefundIDs)
	for _, m := range made {
		if m.Refund == FullRefundID && m.Try == tries(made, FullRefundID) {
			c.rememberRefund(m)
		}
	}
	if b.Left() == 0 && !anyPending(made) {
		if c.Observed = Returned; had == Returned {
			return c, nil
		}
		return c, []saga.Fact{saga.PaymentReturned}
	}
	c.Observed = Captured
	switch {
	case had == Returned:
		return c, []saga.Fact{saga.ReturnFailed}
	case anyPending(made) && (c.RefundIDs[FullRefundID] != known || had != Captured):
		return c, []saga.Fact{saga.RefundStarted}
	}
	return c, nil
}

// ApplyAbandonedReturn is ApplyReturn for an abandoned charge. It changes nothing unless a full
// refund was tried before the charge was abandoned.
func ApplyAbandonedReturn(c Charge, b Balance) (Charge, []saga.Fact) {
	if tries(b.Refunds, FullRefundID) == 0 {
		return c, nil
	}
	return ApplyReturn(c, b)
}

// refundKey is the provider's idempotency key for one try of a refund, the same for every message.
// When the provider has forgotten the key, its list of refunds contains the try.
func refundKey(c Charge, r saga.Refund) string { return key("refund", c, r.ID, strconv.Itoa(r.Try)) }

// returnKey is the provider's idempotency key for refunding what is left because of a message. A new
// message sends a new key: the provider keeps a refusal for a day, which must not outlast its cause.
// No money is returned twice, because the amount is always what is left, and the provider refunds no
// more than it captured.
func returnKey(c Charge, try int, because saga.Cause) string {
	return key("return", c, strconv.Itoa(try), because.ID)
}
