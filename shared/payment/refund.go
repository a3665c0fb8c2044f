package payment

import (
	"maps"
	"slices"
	"strconv"

	"backroom/shared/saga"
)

// Whole is the id of the refund of all that is left of a charge that is to be returned. No order gives it to one of its own.
const Whole = "whole"

// Made is a refund as the provider knows it.
type Made struct {
	ID     string // the provider's; empty if it would not have it
	Refund string // our id and try of it; empty if it was not made by us
	Try    int
	Amount int64 // minor units of the charge's currency
	State  saga.RefundState
}

// given returns how much of a charge went back or is on its way.
func given(made []Made) int64 {
	var sum int64
	for _, m := range made {
		if m.State != saga.RefundRefused {
			sum += m.Amount
		}
	}
	return sum
}

func underWay(made []Made) bool {
	return slices.ContainsFunc(made, func(m Made) bool { return m.State == saga.RefundPending })
}

// tries returns how often a refund was tried.
func tries(made []Made, id string) int {
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
func Ask(c Charge, wanted []saga.Refund) Charge {
	c.Refunds = slices.Clone(c.Refunds)
	for _, w := range wanted {
		if w.State == saga.RefundDone {
			continue
		}
		if w.State != saga.RefundRefused {
			w.State = saga.RefundAsked
		}
		at := slices.IndexFunc(c.Refunds, func(r saga.Refund) bool { return r.ID == w.ID })
		switch {
		case at < 0:
			c.Refunds = append(c.Refunds, w)
		case c.Refunds[at].Try < w.Try, c.Refunds[at].Try == w.Try && c.Refunds[at].State == saga.RefundAsked:
			c.Refunds[at] = w
		}
	}
	return c
}

// Compare gives the refunds of a charge the states that the provider knows. One that it does not know stays as it is.
func Compare(c Charge, made []Made) Charge {
	c.Refunds, c.RefundIDs = slices.Clone(c.Refunds), maps.Clone(c.RefundIDs)
	for i, r := range c.Refunds {
		for _, m := range made {
			if m.Refund == r.ID && m.Try == r.Try {
				c.Refunds[i].State = m.State
				c.keep(m)
			}
		}
	}
	return c
}

// keep remembers the provider's id of a refund.
func (c *Charge) keep(m Made) {
	if m.ID == "" {
		return
	}
	if c.RefundIDs == nil {
		c.RefundIDs = map[string]string{}
	}
	c.RefundIDs[m.Refund] = m.ID
}

// Refundable reports whether a refund is no more than what is left of a charge, given all that the provider has made.
func Refundable(c Charge, made []Made, amount int64) bool {
	return c.Want != Return && c.Has == Captured && amount > 0 && amount <= c.Amount.Amount-given(made)
}

// Refunded returns what there is to tell of the refunds that are not as they were before.
func Refunded(before, now []saga.Refund) []saga.Fact {
	var news []saga.Fact
	for _, r := range now {
		told := map[saga.RefundState]saga.Fact{
			saga.RefundPending: saga.RefundBegun, saga.RefundDone: saga.PaymentRefunded, saga.RefundRefused: saga.RefundFailed,
		}[r.State]
		if told != "" && !slices.Contains(before, r) && !slices.Contains(news, told) {
			news = append(news, told)
		}
	}
	return news
}

// Gone decides what it means for a charge that is to be returned and was captured what the provider has made of refunds, and
// what there is to tell. It is returned only once nothing is left and nothing under way; and no longer, if money that had
// gone back did not arrive.
func Gone(c Charge, made []Made) (Charge, []saga.Fact) {
	had, known := c.Has, c.RefundIDs[Whole]
	c.RefundIDs = maps.Clone(c.RefundIDs)
	for _, m := range made {
		if m.Refund == Whole && m.Try == tries(made, Whole) {
			c.keep(m)
		}
	}
	if given(made) == c.Amount.Amount && !underWay(made) {
		if c.Has = Returned; had == Returned {
			return c, nil
		}
		return c, []saga.Fact{saga.PaymentReturned}
	}
	c.Has = Captured
	switch {
	case had == Returned:
		return c, []saga.Fact{saga.ReturnFailed}
	case underWay(made) && (c.RefundIDs[Whole] != known || had != Captured):
		return c, []saga.Fact{saga.RefundBegun}
	}
	return c, nil
}

// Followed decides what became of the money of a charge that is left alone: what of it was on its way back by then. Nothing, if none
// was.
func Followed(c Charge, made []Made) (Charge, []saga.Fact) {
	if tries(made, Whole) == 0 {
		return c, nil
	}
	return Gone(c, made)
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
