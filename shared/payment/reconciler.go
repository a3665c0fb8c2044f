// Package payment authorizes, captures and returns the money of orders.
//
// A charge has a desired state, which its order's outcome decides, and an observed state, which is
// what the provider said last. A Reconciler makes the second follow the first:
//
//	desired/observed      authorize         capture         return          abandon         callback
//	capture/nothing       confirm           capture         save, cancel    save, cancel    look
//	capture/uncertain     look              capture         save, cancel    save, cancel    look
//	capture/action_needed look              capture         save, cancel    save, cancel    look
//	capture/declined      PaymentDeclined   capture         save, cancel    save, cancel    look
//	capture/authorized    PaymentAuthorized capture         save, cancel    save, cancel    look
//	capture/captured      PaymentAuthorized PaymentCaptured save, refund    save, track     track
//	capture/lapsed        PaymentDeclined   CaptureFailed   save, cancel    save            -
//	return/nothing        cancel            -               cancel          save, cancel    cancel
//	return/uncertain      cancel            -               cancel          save, cancel    cancel
//	return/action_needed  cancel            -               cancel          save, cancel    cancel
//	return/declined       cancel            -               cancel          save, cancel    cancel
//	return/authorized     cancel            -               cancel          save, cancel    cancel
//	return/captured       refund            -               refund          save, track     refund
//	return/lapsed         cancel            -               cancel          save            cancel
//	return/canceled       PaymentReturned   -               PaymentReturned PaymentReturned -
//	return/returned       PaymentReturned   -               PaymentReturned PaymentReturned track
//	abandon/nothing       cancel            cancel          cancel          cancel          cancel
//	abandon/uncertain     cancel            cancel          cancel          cancel          cancel
//	abandon/action_needed cancel            cancel          cancel          cancel          cancel
//	abandon/declined      PaymentDeclined   cancel          cancel          cancel          cancel
//	abandon/authorized    PaymentAuthorized cancel          cancel          cancel          cancel
//	abandon/captured      PaymentAuthorized PaymentCaptured track           track           track
//	abandon/lapsed        PaymentDeclined   CaptureFailed   -               -               -
//	abandon/returned      track             track           track           track           track
//
// The first column is desired/observed. The other columns are the requests of messages, and the
// provider's callback. The cells mean:
//
//	save       store the new desired state, before the provider is asked
//	confirm    read the intent, and confirm it if it is unconfirmed
//	look       read the intent and record its state
//	capture    capture the authorized amount
//	cancel     cancel the intent, which releases the amount; if it was captured first, refund or track
//	refund     read the intent, its refunds and its disputes, and refund what is left of the captured
//	           amount; after a callback only if never tried
//	track      read the same, and record what moved; after a callback only if the charge has refunds,
//	           less than its amount was captured, or the callback is about a refund or a dispute
//	PaymentX   publish this fact again, and do not ask the provider
//	-          record nothing
//
// No charge has one of the pairs capture/canceled, capture/returned and abandon/canceled. A charge
// without an intent – its amount is 0, or the provider refused to create the intent – never needs the
// provider; its return and its abandonment are complete when they are saved.
//
// Money is never taken twice. The intent is stored before it is confirmed, an intent is captured at
// most once, and a step that does not know how a payment ended reads the same intent, however late.
package payment

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// Reconciler makes the observed state of a charge follow its desired state. All steps and the
// provider's callbacks use it. Each operation acts on the desired state of the row that it loads,
// whatever it was asked for: an authorization that arrives after its order was canceled is reversed
// by the first operation that learns of it.
//
// An operation loads the row, asks the provider, and saves once, on the condition that the row did
// not change in between. So a saved state is always newer than the loaded one. Return, abandon and
// refund also save before they ask the provider: from then on no operation confirms or captures,
// and no other operation makes the same refund a second time.
type Reconciler struct {
	Charges  Charges
	Provider Provider
}

// Charges keeps charges.
type Charges interface {
	// Create stores a new charge and publishes f in the same write. It returns the stored charge. If
	// the order already has this charge, it returns the existing one and fault.Duplicate.
	Create(ctx context.Context, c Charge, cause saga.Cause, f saga.Fact) (Charge, error)
	// Load reads an order's first charge consistently. It returns fault.NotFound if there is none.
	Load(ctx context.Context, shop saga.Shop, order string) (Charge, error)
	// Save stores a charge, raises its version and publishes the facts in the same write. It returns
	// the stored charge, and fault.Conflict if the row changed since it was loaded.
	Save(ctx context.Context, c Charge, cause saga.Cause, facts ...saga.Fact) (Charge, error)
}

// Provider moves the money. Every method returns fault.Unavailable or fault.Throttled if the
// provider gives no definite answer now. The request may have had its effect even then.
type Provider interface {
	// Create creates an unconfirmed intent to pay the charge; no money moves. For a day, the same key
	// returns the same intent. An intent with a reason and without an id was refused.
	Create(ctx context.Context, c Charge, key string) (Intent, error)
	// Confirm authorizes the intent's amount on the customer's card, unless the intent was already
	// confirmed or declined. It returns the intent's current state.
	Confirm(ctx context.Context, intent, key string) (Intent, error)
	// Capture takes the authorized amount. It returns the intent's current state: captured, unless
	// the authorization has lapsed or the intent was not authorized yet.
	Capture(ctx context.Context, intent, key string) (Intent, error)
	// Cancel releases the authorized amount and stops the intent from taking money. It returns the
	// intent's current state: canceled, unless the money was captured before or the provider is still
	// processing the intent.
	Cancel(ctx context.Context, intent string) (Intent, error)
	// Find returns an intent's current state, however old the intent is. It returns ErrNoIntent if
	// the provider does not have the intent.
	Find(ctx context.Context, intent string) (Intent, error)
	// Refund gives back part of the captured amount. A refund that the provider refuses has the
	// status saga.RefundStatusFailed, or saga.RefundStatusRefused if it refuses it for good, as when
	// less is left.
	Refund(ctx context.Context, c Charge, r saga.Refund, key string) (ProviderRefund, error)
	// Refunds returns every refund of the charge's intent.
	Refunds(ctx context.Context, c Charge) ([]ProviderRefund, error)
	// Disputes returns every dispute of the charge's intent.
	Disputes(ctx context.Context, c Charge) ([]Dispute, error)
}

// The errors of operations on a charge.
var (
	ErrUndecided = fault.New(fault.Unavailable, "payment-undecided", "The payment provider has not decided yet.")
	ErrNoIntent  = fault.New(fault.Internal, "payment-intent-unknown",
		"The payment provider does not know this payment.")
)

// maxTries is how often an operation loads a charge that other operations keep changing. After that
// its message goes back to the queue.
const maxTries = 4

// operation is one request to act on a charge.
type operation struct {
	saga.Cause
	since int // the charge's version when the operation began
}

// reconcile loads an order's charge and calls do with it. It repeats both while do returns
// fault.Conflict, at most maxTries times, and then returns that Conflict. It returns fault.NotFound
// for an order without a charge.
func (r Reconciler) reconcile(
	ctx context.Context, shop saga.Shop, order string, cause saga.Cause, do func(Charge, operation) error,
) error {
	since := 0
	return fault.Retry(maxTries, func() error {
		c, err := r.Charges.Load(ctx, shop, order)
		if err != nil {
			return err
		}
		since = cmp.Or(since, c.History.Version)
		return do(c, operation{cause, since})
	})
}

// authorize authorizes the amount on the customer's card. For a settled charge it publishes the
// outcome again. It returns ErrUndecided while the provider is processing the payment, but not while
// it waits for the customer: a later message asks again.
func (r Reconciler) authorize(ctx context.Context, c Charge, op operation) error {
	switch {
	case c.Settled():
		return r.reannounce(ctx, c, op, Reply(c))
	case c.Desired == DesiredReturn:
		return r.reverse(ctx, c, op, true)
	case c.Desired == DesiredAbandon:
		return r.abandon(ctx, c, op)
	}
	i, err := r.Provider.Find(ctx, c.Intent)
	if err == nil && i.Observed == Nothing {
		i, err = r.Provider.Confirm(ctx, c.Intent, confirmationKey(c, op.Cause))
	}
	if err != nil {
		return err
	}
	return r.apply(ctx, c, i, op)
}

// confirm is authorize for a charge that was stored a moment ago, so that its intent is unconfirmed.
func (r Reconciler) confirm(ctx context.Context, c Charge, op operation) error {
	i, err := r.Provider.Confirm(ctx, c.Intent, confirmationKey(c, op.Cause))
	if err != nil {
		return err
	}
	return r.apply(ctx, c, i, op)
}

// apply records an intent's state. It returns ErrUndecided if the provider is still processing it.
func (r Reconciler) apply(ctx context.Context, c Charge, i Intent, op operation) error {
	c, news := ApplyIntent(c, i)
	if err := r.announce(ctx, c, op, news); err != nil {
		return err
	}
	if !c.Settled() && c.Observed != ActionNeeded {
		return ErrUndecided
	}
	return nil
}

// capture captures the authorized amount. For a captured or lapsed charge it publishes the outcome
// again. It captures nothing if the charge is to be returned or abandoned.
func (r Reconciler) capture(ctx context.Context, c Charge, op operation) error {
	switch {
	case c.Desired == DesiredReturn:
		return nil
	case c.Observed == Captured:
		return r.reannounce(ctx, c, op, saga.PaymentCaptured)
	case c.Observed == Lapsed:
		return r.reannounce(ctx, c, op, saga.CaptureFailed)
	case c.Desired == DesiredAbandon:
		return r.abandon(ctx, c, op)
	}
	i := Intent{Observed: Captured} // as it is for an amount of 0
	switch {
	case c.Intent != "":
		var err error
		if i, err = r.Provider.Capture(ctx, c.Intent, captureKey(c, op.Cause)); err != nil {
			return err
		}
	case !c.Free():
		i.Observed = Canceled // the provider refused to create the intent
	}
	switch i.Observed {
	case Captured:
		return r.apply(ctx, c, i, op)
	case Canceled:
		c, failed := Lapse(c, i)
		return r.announce(ctx, c, op, []saga.Fact{failed})
	}
	return ErrUndecided
}

// returnMoney stops the charge from taking money and returns what it took to the customer. For a
// charge that is returned it publishes PaymentReturned again.
func (r Reconciler) returnMoney(ctx context.Context, c Charge, op operation) error {
	switch c.Desired {
	case DesiredAbandon:
		return r.abandon(ctx, c, op)
	case DesiredCapture:
		c.Desired, c.ClientSecret = DesiredReturn, ""
		if c.Intent == "" {
			c.Observed = Canceled
			return r.announce(ctx, c, op, []saga.Fact{saga.PaymentReturned})
		}
		var err error
		if c, err = r.Charges.Save(ctx, c, op.Cause, saga.PaymentReturning); err != nil {
			return err
		}
	}
	if c.FullyReturned() {
		return r.reannounce(ctx, c, op, saga.PaymentReturned)
	}
	return r.reverse(ctx, c, op, true)
}

// reverse returns the money of a charge whose desired state is return. Canceling the intent also
// fences off a confirmation or capture in flight. A captured amount is refunded instead; asked says
// whether that may retry a refund that failed.
func (r Reconciler) reverse(ctx context.Context, c Charge, op operation, asked bool) error {
	if c.Observed == Captured {
		return r.refundRest(ctx, c, op, asked)
	}
	i, err := r.cancel(ctx, c)
	switch {
	case err != nil:
		return err
	case i.Observed == Captured:
		return r.refundRest(ctx, c, op, asked)
	}
	c.Observed = Canceled
	return r.announce(ctx, c, op, []saga.Fact{saga.PaymentReturned})
}

// refundRest refunds what is left of the captured amount: not what was refunded at the provider itself,
// and not what a dispute took. It retries a failed refund only if asked is true: the order asks, with
// growing delays, as long as it awaits the money.
func (r Reconciler) refundRest(ctx context.Context, c Charge, op operation, asked bool) error {
	b, err := r.balance(ctx, c, Intent{})
	if err != nil {
		return err
	}
	tried := tries(b.Refunds, FullRefundID)
	if left := b.Left(); left > 0 && (asked || tried == 0 && c.Observed != Returned) {
		full := saga.Refund{ID: FullRefundID, Amount: left, Try: tried + 1}
		m, err := r.Provider.Refund(ctx, c, full, returnKey(c, tried+1, op.Cause))
		if err != nil {
			return err
		}
		observe.Note(ctx, slog.String("refund", string(m.Status)))
		b.Refunds = append(b.Refunds, m)
	}
	c, moved := ApplyBalance(c, b)
	c, news := ApplyReturn(c, b)
	if err := r.announce(ctx, c, op, append(moved, news...)); err != nil {
		return err
	}
	if anyPending(b.Refunds) {
		return ErrUndecided
	}
	return nil
}

// abandon stops the charge from taking money and from returning any, because its order was written
// off. It releases what is authorized. It publishes PaymentCaptured if the order does not know that
// the money was captured, and the outcome of a full refund that was already pending. For a charge
// that is returned it publishes PaymentReturned again.
func (r Reconciler) abandon(ctx context.Context, c Charge, op operation) error {
	switch {
	case c.FullyReturned():
		return r.reannounce(ctx, c, op, saga.PaymentReturned)
	case c.Desired != DesiredAbandon && c.History.Handled(op.Cause):
		return nil // the charge was returned then; a refund failed since
	case c.Desired != DesiredAbandon:
		facts := []saga.Fact{saga.PaymentAbandoned}
		if c.Desired == DesiredCapture && c.Observed == Captured {
			facts = append(facts, saga.PaymentCaptured) // the order may not know
		}
		c.Desired, c.ClientSecret = DesiredAbandon, ""
		var err error
		if c, err = r.Charges.Save(ctx, c, op.Cause, facts...); err != nil {
			return err
		}
	}
	switch {
	case c.Observed == Lapsed, c.Intent == "":
		return nil
	case c.Observed == Captured, c.Observed == Returned:
		return r.followUp(ctx, c, op)
	}
	i, err := r.cancel(ctx, c)
	if err != nil {
		return err
	}
	c, news := ApplyIntent(c, i)
	return r.announce(ctx, c, op, news)
}

// followUp records what became of a full refund that was pending when its order was written off.
func (r Reconciler) followUp(ctx context.Context, c Charge, op operation) error {
	b, err := r.balance(ctx, c, Intent{})
	if err != nil {
		return err
	}
	c, moved := ApplyBalance(c, b)
	c, news := ApplyAbandonedReturn(c, b)
	return r.announce(ctx, c, op, append(moved, news...))
}

// cancel cancels the charge's intent and returns it: canceled, or captured if that came first. It
// returns ErrUndecided while the provider is processing the intent.
func (r Reconciler) cancel(ctx context.Context, c Charge) (Intent, error) {
	i, err := r.Provider.Cancel(ctx, c.Intent)
	if err == nil && i.Observed != Captured && i.Observed != Canceled {
		err = ErrUndecided
	}
	return i, err
}

// refund makes the partial refunds that the order requests. It saves the requests before it asks the
// provider, so that a refund whose answer was lost can be found, and one that was written off stays
// so. Each try of each refund is made at most once: the provider's refunds are searched for it first,
// and concurrent operations send the same idempotency key. Nothing is paid out above what is left at the
// provider: such a refund is refused, and the answer says what else left the payment. If no refund is
// left to make, it publishes the outcomes again. It returns ErrUndecided while a refund is pending.
func (r Reconciler) refund(ctx context.Context, c Charge, requested []saga.Refund, op operation) error {
	asked := RequestRefunds(c, requested)
	switch {
	case !slices.Equal(asked.Refunds, c.Refunds):
		var err error
		if c, err = r.Charges.Save(ctx, asked, op.Cause, saga.RefundsRecorded); err != nil {
			return err
		}
	case !open(c.Refunds) && !c.History.LastIs(saga.RefundsRecorded):
		return r.reannounce(ctx, c, op, RefundFacts(nil, c.Refunds)...)
	}
	before := c.Refunds
	var b Balance
	if c.Intent != "" {
		var err error
		if b, err = r.balance(ctx, c, Intent{}); err != nil {
			return err
		}
	}
	c, b, err := r.makeRefunds(ctx, ApplyRefunds(c, b.Refunds), b)
	news := RefundFacts(before, c.Refunds)
	var moved []saga.Fact
	if c.Observed == Captured {
		c, moved = ApplyBalance(c, b)
	}
	if slices.Contains(news, saga.RefundRefused) && c.External == nil {
		c.External = &saga.External{} // the answer says that nothing else left the payment
	}
	if unsaved := r.announce(ctx, c, op, append(news, moved...)); unsaved != nil || err != nil {
		return errors.Join(unsaved, err)
	}
	switch {
	case open(c.Refunds):
		return ErrUndecided
	case len(news) == 0:
		return r.reannounce(ctx, c, op, RefundFacts(nil, c.Refunds)...)
	}
	return nil
}

// makeRefunds makes the requested refunds, as far as the balance allows it. It returns the charge and the
// balance after them. A refusal of the provider means that the balance changed, so it is read again. After
// an error, some refunds may still be requested.
func (r Reconciler) makeRefunds(ctx context.Context, c Charge, b Balance) (Charge, Balance, error) {
	for i, wanted := range c.Refunds {
		switch {
		case wanted.Status != saga.RefundStatusRequested:
			continue
		case !Refundable(c, b, wanted.Amount):
			c.Refunds[i].Status = saga.RefundStatusRefused
			if c.Observed != Captured && c.Observed != Returned {
				c.Refunds[i].Status = saga.RefundStatusFailed // not captured yet
			}
			continue
		}
		m, err := r.Provider.Refund(ctx, c, wanted, refundKey(c, wanted))
		if err == nil && m.Status == saga.RefundStatusRefused {
			b, err = r.balance(ctx, c, Intent{})
		}
		if err != nil {
			return c, b, err
		}
		b.Refunds = append(b.Refunds, m)
		c = ApplyRefunds(c, b.Refunds)
	}
	return c, b, nil
}

// open reports whether any refund is undecided.
func open(refunds []saga.Refund) bool {
	for _, r := range refunds {
		if r.Status == saga.RefundStatusRequested || r.Status == saga.RefundStatusPending {
			return true
		}
	}
	return false
}

// announce saves the charge with its new facts. It saves nothing if there are none.
func (r Reconciler) announce(ctx context.Context, c Charge, op operation, facts []saga.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	_, err := r.Charges.Save(ctx, c, op.Cause, facts...)
	return err
}

// reannounce publishes facts about a charge's state again, because a new message asked. It publishes
// nothing for a message that was already handled, and no fact that another operation published since
// this one began.
func (r Reconciler) reannounce(ctx context.Context, c Charge, op operation, facts ...saga.Fact) error {
	if c.History.Handled(op.Cause) {
		return nil
	}
	for _, entry := range c.History.Entries {
		if entry.Version > op.since {
			facts = slices.DeleteFunc(facts, func(f saga.Fact) bool { return f == entry.Fact })
		}
	}
	return r.announce(ctx, c, op, facts)
}
