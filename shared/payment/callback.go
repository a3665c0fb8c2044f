package payment

import (
	"context"
	"errors"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Callback is a webhook request of the provider about a payment. It is only a hint to read the
// intent: callbacks arrive late, more than once and in any order.
type Callback struct {
	ID     string // of the provider's event
	Intent string // empty if it is not about a payment
	// AfterCapture means that it is about what follows a capture: a refund or a dispute. It only says what to read.
	AfterCapture bool
}

// Why a callback is refused.
var (
	ErrNotSigned = fault.New(fault.Malformed, "callback-not-signed",
		"Stripe-Signature is not a signature of the payment provider for this body, or is older than five minutes.")
	ErrUnreadable = fault.New(fault.Malformed, "callback-unreadable",
		"The body is not an event of the payment provider.")
	ErrNoSigningSecret = fault.New(fault.Unavailable, "callback-secret-missing",
		"The secret that verifies callbacks is not set. Set webhook_secret.")
	ErrUnknownPayment = fault.New(fault.NotFound, "payment-unknown", "The payment does not belong to any order.")
)

// HandleCallback reads the intent of a callback and acts on the desired state of its charge. The
// intent's metadata names the charge, and only the intent's current state counts. HandleCallback
// returns ErrUnknownPayment, and writes nothing, for a payment without a charge. It returns
// fault.Unavailable or fault.Throttled if the provider gives no definite answer. It returns nil while
// the provider is processing the payment: another callback follows.
func (r Reconciler) HandleCallback(ctx context.Context, b Callback, cause saga.Cause) error {
	i, err := r.Provider.Find(ctx, b.Intent)
	switch {
	case errors.Is(err, ErrNoIntent):
		return ErrUnknownPayment.Because(err)
	case err != nil:
		return err
	case i.Shop == "" || i.Order == "" || i.Attempt != FirstAttempt:
		return ErrUnknownPayment
	}
	err = r.reconcile(ctx, i.Shop, i.Order, cause, func(c Charge, op operation) error {
		if c.Intent != i.ID {
			return ErrUnknownPayment
		}
		return r.handleCallback(ctx, c, i, op, b.AfterCapture)
	})
	switch {
	case errors.Is(err, ErrUndecided):
		return nil
	case errors.Is(err, fault.NotFound):
		return ErrUnknownPayment.Because(err)
	}
	return err
}

func (r Reconciler) handleCallback(ctx context.Context, c Charge, i Intent, op operation, afterCapture bool) error {
	switch {
	case c.Desired == DesiredReturn && c.Observed == Returned:
		return r.refundRest(ctx, c, op, false)
	case c.FullyReturned():
		return nil
	case c.Desired == DesiredReturn:
		return r.reverse(ctx, c, op, false)
	case c.Desired == DesiredAbandon && c.Observed != Captured:
		return r.abandon(ctx, c, op)
	}
	before := c.Refunds
	c, news := ApplyIntent(c, i)
	short := i.Observed == Captured && i.Received < c.Amount.Amount
	if c.Observed == Captured && (afterCapture || short || len(c.Refunds) > 0 || c.Desired == DesiredAbandon) {
		b, err := r.balance(ctx, c, i)
		if err != nil {
			return err
		}
		c = ApplyRefunds(c, b.Refunds)
		news = append(news, RefundFacts(before, c.Refunds)...)
		var moved, returned []saga.Fact
		c, moved = ApplyBalance(c, b)
		c, returned = ApplyAbandonedReturn(c, b)
		news = append(append(news, moved...), returned...)
	}
	return r.announce(ctx, c, op, news)
}

// balance reads what the provider received for a captured charge, and what left again. It reads the
// intent unless i already has the captured one: an intent that was read before its capture says that
// nothing was received.
func (r Reconciler) balance(ctx context.Context, c Charge, i Intent) (Balance, error) {
	if i.Observed != Captured {
		var err error
		if i, err = r.Provider.Find(ctx, c.Intent); err != nil {
			return Balance{}, err
		}
	}
	refunds, err := r.Provider.Refunds(ctx, c)
	if err != nil {
		return Balance{}, err
	}
	disputes, err := r.Provider.Disputes(ctx, c)
	return Balance{i.Received, refunds, disputes}, err
}
