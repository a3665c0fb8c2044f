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
		"Stripe-Signature is not a signature of the payment provider for this body, or is older than five minutes.")
	ErrUnreadable      = fault.New(fault.Malformed, "callback-unreadable", "The body is not an event of the payment provider.")
	ErrNoSigningSecret = fault.New(fault.Unavailable, "callback-secret-missing", "The secret that verifies callbacks is not set. Set webhook_secret.")
	ErrUnknownPayment  = fault.New(fault.NotFound, "payment-unknown", "The payment does not belong to any order.")
)

// Hear learns how the payment of a callback stands, and acts on what its charge wants. The charge is found by what we told
// the provider when the payment was made, and judged by how the provider says that it stands now. It returns ErrNotOurs for
// a payment that no charge has, and writes nothing then. It returns fault.Unavailable or fault.Throttled if the provider
// cannot say, and nil if it has not decided: then it calls back.
func (t Reconciler) HandleCallback(ctx context.Context, b Callback, cause saga.Cause) error {
	i, err := t.Provider.Find(ctx, b.Intent)
	switch {
	case errors.Is(err, ErrNoIntent):
		return ErrUnknownPayment.Because(err)
	case err != nil:
		return err
	case i.Shop == "" || i.Order == "" || i.Attempt != FirstAttempt:
		return ErrUnknownPayment
	}
	err = t.reconcile(ctx, i.Shop, i.Order, cause, func(c Charge, e operation) error {
		if c.Intent != i.ID {
			return ErrUnknownPayment
		}
		return t.handleCallback(ctx, c, i, e)
	})
	switch {
	case errors.Is(err, ErrUndecided):
		return nil
	case errors.Is(err, fault.NotFound):
		return ErrUnknownPayment.Because(err)
	}
	return err
}

func (t Reconciler) handleCallback(ctx context.Context, c Charge, i Intent, e operation) error {
	switch {
	case c.Desired == DesiredReturn && c.Observed == Returned:
		return t.refundRest(ctx, c, e, false)
	case c.FullyReturned():
		return nil
	case c.Desired == DesiredReturn:
		return t.reverse(ctx, c, e, false)
	case c.Desired == DesiredAbandon && c.Observed != Captured:
		return t.abandon(ctx, c, e)
	}
	before := c.Refunds
	c, news := ApplyIntent(c, i)
	if c.Observed == Captured && (len(c.Refunds) > 0 || c.Desired == DesiredAbandon) {
		made, err := t.Provider.Refunds(ctx, c)
		if err != nil {
			return err
		}
		c = ApplyRefunds(c, made)
		news = append(news, RefundFacts(before, c.Refunds)...)
		var gone []saga.Fact
		c, gone = ApplyAbandonedReturn(c, made)
		news = append(news, gone...)
	}
	return t.announce(ctx, c, e, news)
}
