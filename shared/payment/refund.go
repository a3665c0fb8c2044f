package payment

import (
	"maps"
	"slices"
	"strconv"

	"backroom/shared/saga"
)

// Whole is the id of the refund of all that is left of a charge that is to be returned. No order gives it to one of its own.
const FullRefundID = "whole"

// Made is a refund as the provider knows it.
type ProviderRefund struct {
	ID     string // the provider's; empty if it would not have it
	Refund string // our id and try of it; empty if it was not made by us
	Try    int
	Amount int64 // minor units of the charge's currency
	Status saga.RefundStatus
}

// given returns how much of a charge went back or is on its way.
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

// Ask decides what an order that wants these refunds changes about those of its charge: what is missing is added, what is to be
// tried once more is, and what the order gave up is not made any more, however old the message is that still asks for it. A
// refund that the order knows to be over is not made for that.
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
		case c.Refunds[at].Try < w.Try, c.Refunds[at].Try == w.Try && c.Refunds[at].Status == saga.RefundStatusRequested:
			c.Refunds[at] = w
		}
	}
	return c
}

// Compare gives the refunds of a charge the states that the provider knows. One that it does not know stays as it is.
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

// keep remembers the provider's id of a refund.
func (c *Charge) rememberRefund(m ProviderRefund) {
	if m.ID == "" {
		return
	}
	if c.RefundIDs == nil {
		c.RefundIDs = map[string]string{}
	}
	c.RefundIDs[m.Refund] = m.ID
}

// Refundable reports whether a refund is no more than what is left of a charge, given all that the provider has made.
func Refundable(c Charge, made []ProviderRefund, amount int64) bool {
	return c.Desired != DesiredReturn && c.Observed == Captured && amount > 0 && amount <= c.Amount.Amount-refundedAmount(made)
}

// Refunded returns what there is to tell of the refunds that are not as they were before.
func RefundFacts(before, now []saga.Refund) []saga.Fact {
	var news []saga.Fact
	for _, r := range now {
		told := map[saga.RefundStatus]saga.Fact{
			saga.RefundStatusPending: saga.RefundStarted, saga.RefundStatusSucceeded: saga.PaymentRefunded, saga.RefundStatusFailed: saga.RefundFailed,
		}[r.Status]
		if told != "" && !slices.Contains(before, r) && !slices.Contains(news, told) {
			news = append(news, told)
		}
	}
	return news
}

// Gone decides what it means for a charge that is to be returned and was captured what the provider has made of refunds, and
// what there is to tell. It is returned only once nothing is left and nothing under way; and no longer, if money that had
// gone back did not arrive.
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

// Followed decides what became of the money of a charge that is left alone: what of it was on its way back by then. Nothing, if none
// was.
func ApplyAbandonedReturn(c Charge, made []ProviderRefund) (Charge, []saga.Fact) {
	if tries(made, FullRefundID) == 0 {
		return c, nil
	}
	return ApplyReturn(c, made)
}

// refundKey is the provider's idempotency key for one try of a refund, whoever asks for it. Once the provider has forgotten
// it, the try is in its list of refunds.
func refundKey(c Charge, r saga.Refund) string { return key("refund", c, r.ID, strconv.Itoa(r.Try)) }

// returnKey is the provider's idempotency key for giving back all that is left because of an event. A new ask is a new
// request: a refusal that the provider remembers for a day must not outlast its cause. That gives nothing back twice,
// because it is always all that is left, and the provider gives back no more than it took.
func returnKey(c Charge, try int, because saga.Cause) string {
	return key("return", c, strconv.Itoa(try), because.ID)
}
