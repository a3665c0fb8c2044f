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

// Charges keeps charges.
type Charges interface {
	// Create stores a new charge, announces f in the same write and returns the charge as it stands then. If the order has
	// this charge already it returns that one, with fault.Duplicate.
	Create(ctx context.Context, c Charge, cause saga.Cause, f saga.Fact) (Charge, error)
	// Load reads an order's first charge consistently. It returns fault.NotFound for none.
	Load(ctx context.Context, shop saga.Shop, order string) (Charge, error)
	// Save stores a charge, raises its version, announces the facts and returns it as it stands then. It returns
	// fault.Conflict if the charge moved on.
	Save(ctx context.Context, c Charge, cause saga.Cause, facts ...saga.Fact) (Charge, error)
}

// Provider is who moves the money. Every method returns fault.Unavailable or fault.Throttled if it cannot say now how the
// money stands: then anything may have happened.
type Provider interface {
	// Create makes an intent to pay the charge, which nobody confirmed: no money moves. For a day it returns the same intent
	// under the same key. An intent without an id and with a reason is one that the provider will not make.
	Create(ctx context.Context, c Charge, key string) (Intent, error)
	// Confirm has the intent's amount held on the customer's card, unless that happened or was refused before, and returns
	// how it stands then.
	Confirm(ctx context.Context, intent, key string) (Intent, error)
	// Capture takes the amount that is held for the intent, and returns how it stands then: captured, unless nothing is held
	// any more, or not yet.
	Capture(ctx context.Context, intent, key string) (Intent, error)
	// Cancel has the intent never take money any more and lets go what is held, and returns how it stands then: canceled,
	// unless its money was taken before, or the provider is at work on it.
	Cancel(ctx context.Context, intent string) (Intent, error)
	// Find returns how an intent stands. It works however old the intent is. It returns ErrNoIntent for one that the provider
	// does not have.
	Find(ctx context.Context, intent string) (Intent, error)
	// Refund gives back part of what was taken for the charge. One that the provider will not make is RefundRefused.
	Refund(ctx context.Context, c Charge, r saga.Refund, key string) (ProviderRefund, error)
	// Refunds returns all refunds that were ever made of the charge's intent.
	Refunds(ctx context.Context, c Charge) ([]ProviderRefund, error)
}

// What a charge may come back with.
var (
	ErrUndecided = fault.New(fault.Unavailable, "payment-undecided", "The payment provider has not decided yet.")
	ErrNoIntent  = fault.New(fault.Internal, "payment-intent-unknown", "The payment provider does not know this payment.")
)

// maxTries is how often a charge that others keep changing is read before the message goes back to its queue.
const maxTries = 4

// Reconciler drives a charge to what its order wants of it. Every step and the provider's callbacks go through it, each with its
// errand – hold, take, back, leave, refund, hear –, and each acts on what the charge's row wants by then, whoever asked for that:
// an authorization that comes late for an order that is given up is undone by whoever learns of it.
//
// An errand looks at the row, then asks the provider, and then writes once, on the condition that nobody wrote meanwhile. So
// what is written was true after whatever the row tells. Only back, leave and refund write before they ask, too: what is wanted must
// be known before it is done, because from then on nobody may confirm or capture, or make that refund once more.
type Reconciler struct {
	Charges  Charges
	Provider Provider
}

// errand is why a charge is looked at.
type operation struct {
	saga.Cause
	since int // the version that the charge had when the errand began
}

// visit has something done about an order's charge: anew, a few times, while others keep changing it; then it returns their
// fault.Conflict. It returns fault.NotFound for an order without a charge.
func (t Reconciler) reconcile(ctx context.Context, shop saga.Shop, order string, cause saga.Cause, do func(Charge, operation) error) error {
	since := 0
	return fault.Retry(maxTries, func() error {
		c, err := t.Charges.Load(ctx, shop, order)
		if err != nil {
			return err
		}
		since = cmp.Or(since, c.History.Version)
		return do(c, operation{cause, since})
	})
}

// repeat tells again, to who asks again, what a charge has. The same ask again changes nothing; nor is told what others have
// told since the errand began.
func (t Reconciler) reannounce(ctx context.Context, c Charge, e operation, facts ...saga.Fact) error {
	if c.History.Handled(e.Cause) {
		return nil
	}
	for _, entry := range c.History.Entries {
		if entry.Version > e.since {
			facts = slices.DeleteFunc(facts, func(f saga.Fact) bool { return f == entry.Fact })
		}
	}
	return t.announce(ctx, c, e, facts)
}

// tell stores what is new about a charge; nothing, if there is nothing to tell.
func (t Reconciler) announce(ctx context.Context, c Charge, e operation, news []saga.Fact) error {
	if len(news) == 0 {
		return nil
	}
	_, err := t.Charges.Save(ctx, c, e.Cause, news...)
	return err
}

// hold has the amount held on the customer's card. Asked again, it answers again. What the customer has to do is not asked
// for again before somebody asks us.
func (t Reconciler) authorize(ctx context.Context, c Charge, e operation) error {
	switch {
	case c.Settled():
		return t.reannounce(ctx, c, e, Reply(c))
	case c.Desired == DesiredReturn:
		return t.reverse(ctx, c, e, true)
	case c.Desired == DesiredAbandon:
		return t.abandon(ctx, c, e)
	}
	i, err := t.Provider.Find(ctx, c.Intent)
	if err == nil && i.Observed == Nothing {
		i, err = t.Provider.Confirm(ctx, c.Intent, confirmationKey(c, e.Cause))
	}
	if err != nil {
		return err
	}
	return t.apply(ctx, c, i, e)
}

// confirm is hold for a charge of which it is known that nobody confirmed it: it was stored a moment ago.
func (t Reconciler) confirm(ctx context.Context, c Charge, e operation) error {
	i, err := t.Provider.Confirm(ctx, c.Intent, confirmationKey(c, e.Cause))
	if err != nil {
		return err
	}
	return t.apply(ctx, c, i, e)
}

func (t Reconciler) apply(ctx context.Context, c Charge, i Intent, e operation) error {
	c, news := ApplyIntent(c, i)
	if err := t.announce(ctx, c, e, news); err != nil {
		return err
	}
	if !c.Settled() && c.Observed != ActionNeeded {
		return ErrUndecided
	}
	return nil
}

// take captures the amount that is held. Asked again, it answers again. From an order that is given up nothing is taken,
// whatever it asked for before.
func (t Reconciler) capture(ctx context.Context, c Charge, e operation) error {
	switch {
	case c.Desired == DesiredReturn:
		return nil
	case c.Observed == Captured:
		return t.reannounce(ctx, c, e, saga.PaymentCaptured)
	case c.Observed == Lapsed:
		return t.reannounce(ctx, c, e, saga.CaptureFailed)
	case c.Desired == DesiredAbandon:
		return t.abandon(ctx, c, e)
	}
	i := Intent{Observed: Captured} // as it is for who has nothing to pay
	switch {
	case c.Intent != "":
		var err error
		if i, err = t.Provider.Capture(ctx, c.Intent, captureKey(c, e.Cause)); err != nil {
			return err
		}
	case !c.Free():
		i.Observed = Canceled // the provider would not have it at all
	}
	switch i.Observed {
	case Captured:
		return t.apply(ctx, c, i, e)
	case Canceled:
		c, failed := Lapse(c, i)
		return t.announce(ctx, c, e, []saga.Fact{failed})
	}
	return ErrUndecided
}

// back has the charge take no money any more, and what it took go back to the customer. Asked again, it answers again.
func (t Reconciler) giveBack(ctx context.Context, c Charge, e operation) error {
	switch c.Desired {
	case DesiredAbandon:
		return t.abandon(ctx, c, e)
	case DesiredCapture:
		c.Desired, c.ClientSecret = DesiredReturn, ""
		if c.Intent == "" {
			c.Observed = Canceled
			return t.announce(ctx, c, e, []saga.Fact{saga.PaymentReturned})
		}
		var err error
		if c, err = t.Charges.Save(ctx, c, e.Cause, saga.PaymentReturning); err != nil {
			return err
		}
	}
	if c.FullyReturned() {
		return t.reannounce(ctx, c, e, saga.PaymentReturned)
	}
	return t.reverse(ctx, c, e, true)
}

// leave has the charge take no money any more, and give none back: its order was written off. What is held is let go, and it is told
// if the money was taken by then, and what became of its way back if it was on it. Of a charge that is back nothing is left.
func (t Reconciler) abandon(ctx context.Context, c Charge, e operation) error {
	switch {
	case c.FullyReturned():
		return t.reannounce(ctx, c, e, saga.PaymentReturned)
	case c.Desired != DesiredAbandon && c.History.Handled(e.Cause):
		return nil // it was back, and is owed anew
	case c.Desired != DesiredAbandon:
		told := []saga.Fact{saga.PaymentAbandoned}
		if c.Desired == DesiredCapture && c.Observed == Captured {
			told = append(told, saga.PaymentCaptured) // of which its order does not know
		}
		c.Desired, c.ClientSecret = DesiredAbandon, ""
		var err error
		if c, err = t.Charges.Save(ctx, c, e.Cause, told...); err != nil {
			return err
		}
	}
	switch {
	case c.Observed == Lapsed, c.Intent == "":
		return nil
	case c.Observed == Captured, c.Observed == Returned:
		return t.followUp(ctx, c, e)
	}
	i, err := t.cancel(ctx, c)
	if err != nil {
		return err
	}
	c, news := ApplyIntent(c, i)
	return t.announce(ctx, c, e, news)
}

// watch learns what became of money that was on its way back when its order was written off.
func (t Reconciler) followUp(ctx context.Context, c Charge, e operation) error {
	made, err := t.Provider.Refunds(ctx, c)
	if err != nil {
		return err
	}
	c, news := ApplyAbandonedReturn(c, made)
	return t.announce(ctx, c, e, news)
}

// cancel has the charge's intent take no money any more, and returns it: canceled, or captured before. It returns ErrUndecided while
// the provider is at work on it.
func (t Reconciler) cancel(ctx context.Context, c Charge) (Intent, error) {
	i, err := t.Provider.Cancel(ctx, c.Intent)
	if err == nil && i.Observed != Captured && i.Observed != Canceled {
		err = ErrUndecided
	}
	return i, err
}

// undo does what a charge wants that is to be returned and is not yet. Canceling the intent fences whatever confirmation or
// capture is under way; where the money was taken, it is refunded.
func (t Reconciler) reverse(ctx context.Context, c Charge, e operation, asked bool) error {
	if c.Observed == Captured {
		return t.refundRest(ctx, c, e, asked)
	}
	i, err := t.cancel(ctx, c)
	switch {
	case err != nil:
		return err
	case i.Observed == Captured:
		return t.refundRest(ctx, c, e, asked)
	}
	c.Observed = Canceled
	return t.announce(ctx, c, e, []saga.Fact{saga.PaymentReturned})
}

// giveBack refunds all that is left of what was taken. A refund that failed is tried again only by who was asked to: the
// order asks as long as it is owed the money, with growing patience.
func (t Reconciler) refundRest(ctx context.Context, c Charge, e operation, asked bool) error {
	made, err := t.Provider.Refunds(ctx, c)
	if err != nil {
		return err
	}
	tried := tries(made, FullRefundID)
	if left := c.Amount.Amount - refundedAmount(made); left > 0 && (asked || tried == 0 && c.Observed != Returned) {
		m, err := t.Provider.Refund(ctx, c, saga.Refund{ID: FullRefundID, Amount: left, Try: tried + 1}, returnKey(c, tried+1, e.Cause))
		if err != nil {
			return err
		}
		observe.Note(ctx, slog.String("refund", string(m.Status)))
		made = append(made, m)
	}
	c, news := ApplyReturn(c, made)
	if err := t.announce(ctx, c, e, news); err != nil {
		return err
	}
	if anyPending(made) {
		return ErrUndecided
	}
	return nil
}

// refund gives parts of what was taken back, as the order wants it. What it wants is written down before the provider is asked,
// so that a refund whose answer is lost can be found, and one that was given up stays so. Each try of each refund is made at
// most once: before it is made it is looked for in what the provider has made, and who asks at the same moment sends the same
// request. Asked again, it answers again.
func (t Reconciler) refund(ctx context.Context, c Charge, wanted []saga.Refund, e operation) error {
	asked := RequestRefunds(c, wanted)
	switch {
	case !slices.Equal(asked.Refunds, c.Refunds):
		var err error
		if c, err = t.Charges.Save(ctx, asked, e.Cause, saga.RefundsRecorded); err != nil {
			return err
		}
	case !open(c.Refunds) && !c.History.LastIs(saga.RefundsRecorded):
		return t.reannounce(ctx, c, e, RefundFacts(nil, c.Refunds)...)
	}
	before := c.Refunds
	var made []ProviderRefund
	var err error
	if c.Intent != "" {
		if made, err = t.Provider.Refunds(ctx, c); err != nil {
			return err
		}
	}
	c = ApplyRefunds(c, made)
	for i, r := range c.Refunds {
		switch {
		case r.Status != saga.RefundStatusRequested || err != nil:
			continue
		case !Refundable(c, made, r.Amount):
			c.Refunds[i].Status = saga.RefundStatusFailed
			continue
		}
		var m ProviderRefund
		if m, err = t.Provider.Refund(ctx, c, r, refundKey(c, r)); err == nil {
			made = append(made, m)
			c = ApplyRefunds(c, made)
		}
	}
	news := RefundFacts(before, c.Refunds)
	if untold := t.announce(ctx, c, e, news); untold != nil || err != nil {
		return errors.Join(untold, err)
	}
	switch {
	case open(c.Refunds):
		return ErrUndecided
	case len(news) == 0:
		return t.reannounce(ctx, c, e, RefundFacts(nil, c.Refunds)...)
	}
	return nil
}

// open reports whether a refund is not decided yet.
func open(refunds []saga.Refund) bool {
	for _, r := range refunds {
		if r.Status == saga.RefundStatusRequested || r.Status == saga.RefundStatusPending {
			return true
		}
	}
	return false
}
