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
		if m.Status != saga.RefundStatusFailed {
			sum += m.Amount
		}
	}
	return sum
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
// even if an older message requests it again. A refund that the order already knows as succeeded is
// not added.
func RequestRefunds(c Charge, wanted []saga.Refund) Charge {
	c.Refunds = slices.Clone(c.Refunds)
	for _, w := range wanted {
		if w.Status == saga.RefundStatusSucceeded {
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

// Refundable reports whether amount is at most what is left of a captured charge, given all refunds
// that the provider has.
func Refundable(c Charge, made []ProviderRefund, amount int64) bool {
	left := c.Amount.Amount - refundedAmount(made)
	return c.Desired != DesiredReturn && c.Observed == Captured && amount > 0 && amount <= left
}

// RefundFacts returns the facts about refunds whose status changed, each fact once.
func RefundFacts(before, now []saga.Refund) []saga.Fact {
	var news []saga.Fact
	for _, r := range now {
		fact := map[saga.RefundStatus]saga.Fact{
			saga.RefundStatusPending: saga.RefundStarted, saga.RefundStatusSucceeded: saga.PaymentRefunded,
			saga.RefundStatusFailed: saga.RefundFailed,
		}[r.Status]
		if fact != "" && !slices.Contains(before, r) && !slices.Contains(news, fact) {
			news = append(news, fact)
		}
	}
	return news
}

// ApplyReturn records what the provider's refunds mean for a captured charge that is to be returned,
// and returns the facts to publish. The charge is returned only when the whole amount is refunded and
// no refund is pending. It goes back to captured if a refund fails after it succeeded.
func ApplyReturn(c Charge, made []ProviderRefund) (Charge, []saga.Fact) {
	had, known := c.Observed, c.RefundIDs[FullRefundID]
	c.RefundIDs = maps.Clone(c.RefundIDs)
	for _, m := range made {
		if m.Refund == FullRefundID && m.Try == tries(made, FullRefundID) {
			c.rememberRefund(m)
		}
	}
	if refundedAmount(made) == c.Amount.Amount && !anyPending(made) {
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
func ApplyAbandonedReturn(c Charge, made []ProviderRefund) (Charge, []saga.Fact) {
	if tries(made, FullRefundID) == 0 {
		return c, nil
	}
	return ApplyReturn(c, made)
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
