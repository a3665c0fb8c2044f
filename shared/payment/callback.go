package payment

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Callback is what the provider sends by itself when something happened to a payment. It says what to look at and proves
// nothing: callbacks come late, twice and in any order.
type Callback struct {
	ID     string // of the provider's event
	Intent string // empty if it is about no payment
}

// Why a callback is not heeded.
var (
	ErrNotSigned = fault.New(fault.Malformed, "callback-not-signed",
		"The Stripe-Signature is not the payment provider's for this body, or older than five minutes.")
	ErrUnreadable      = fault.New(fault.Malformed, "callback-unreadable", "The body is not an event of the payment provider.")
	ErrNoSigningSecret = fault.New(fault.Unavailable, "callback-secret-missing", "The secret that callbacks are signed with is not set.")
	ErrNotOurs         = fault.New(fault.NotFound, "payment-not-ours", "The payment is not that of any order here.")
)

// Hear learns how the payment of a callback stands, and acts on what its charge wants. The charge is found by what we told
// the provider when the payment was made, and judged by how the provider says that it stands now. It returns ErrNotOurs for
// a payment that no charge has, and writes nothing then. It returns fault.Unavailable or fault.Throttled if the provider
// cannot say, and nil if it has not decided: then it calls back.
func (t Till) Hear(ctx context.Context, b Callback, cause saga.Cause) error {
	i, err := t.Provider.Find(ctx, b.Intent)
	switch {
	case errors.Is(err, ErrNoIntent):
		return ErrNotOurs.Because(err)
	case err != nil:
		return err
	case i.Shop == "" || i.Order == "" || i.Attempt != FirstAttempt:
		return ErrNotOurs
	}
	err = t.visit(ctx, i.Shop, i.Order, cause, func(c Charge, e errand) error {
		if c.Intent != i.ID {
			return ErrNotOurs
		}
		return t.hear(ctx, c, i, e)
	})
	switch {
	case errors.Is(err, ErrUndecided):
		return nil
	case errors.Is(err, fault.NotFound):
		return ErrNotOurs.Because(err)
	}
	return err
}

func (t Till) hear(ctx context.Context, c Charge, i Intent, e errand) error {
	switch {
	case c.Want == Return && c.Has == Returned:
		return t.giveBack(ctx, c, e, false)
	case c.Back():
		return nil
	case c.Want == Return:
		return t.undo(ctx, c, e, false)
	case c.Want == Leave && c.Has != Captured:
		return t.leave(ctx, c, e)
	}
	before := c.Refunds
	c, news := Learn(c, i)
	if c.Has == Captured && (len(c.Refunds) > 0 || c.Want == Leave) {
		made, err := t.Provider.Refunds(ctx, c)
		if err != nil {
			return err
		}
		c = Compare(c, made)
		news = append(news, Refunded(before, c.Refunds)...)
		var gone []saga.Fact
		c, gone = Followed(c, made)
		news = append(news, gone...)
	}
	return t.tell(ctx, c, e, news)
}
