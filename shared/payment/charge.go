// Package payment takes the money for orders. It never takes it twice: an intent that the provider keeps is stored before it
// is confirmed, and whoever does not know how a payment ended asks for that intent again, however late.
package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// FirstAttempt is the number of an order's first charge. A declined order is over, so there is no second yet; the number is
// part of a charge's key, so that there can be one.
const FirstAttempt = 1

// Want is what an order's story asks of a charge. An outcome moves nothing else; whoever learns what a charge has acts on it.
type Desired string

// Has is what is so: what the provider said last.
type Observed string

// What a charge wants, and has.
const (
	DesiredCapture Desired = "capture" // the money is to be held, and taken when its order confirms
	DesiredReturn  Desired = "return"  // no money is to be held or taken, now or ever
	DesiredAbandon Desired = "abandon" // its order gave it up: no more is taken, and nothing goes back but by refunds

	Nothing      Observed = "nothing"       // no money moved: nobody confirmed the intent yet, or there never was one
	Uncertain    Observed = "uncertain"     // the provider has not decided yet
	ActionNeeded Observed = "action_needed" // the customer has to do something first, as in 3-D Secure
	Declined     Observed = "declined"      // refused; only a customer who finds another card can change that, until it is canceled
	Authorized   Observed = "authorized"    // the amount is held on the customer's card
	Captured     Observed = "captured"      // the amount was taken; parts of it may have gone back (Refunds)
	Lapsed       Observed = "lapsed"        // it was held and can not be taken any more
	Canceled     Observed = "canceled"      // nothing is held, and the provider will never take money for it
	Returned     Observed = "returned"      // the amount was taken, and all of it went back
)

// Why a charge was declined, or could not be captured. Clients see these.
const (
	CardDeclined         = "card-declined"
	PaymentMethodMissing = "payment-method-missing" // the provider has none to charge
	PaymentMethodUnknown = "payment-method-unknown" // the provider does not know the one that was given
	PaymentRefused       = "payment-refused"        // the provider will not have it as it is, as with a payment method that was used up
	PaymentCanceled      = "payment-canceled"       // it was canceled at the provider
	AmountNotPayable     = "amount-not-payable"     // the provider cannot take this amount in this currency
)

// Charge is one attempt at paying an order.
type Charge struct {
	Order         string
	Shop          saga.Shop
	Attempt       int
	Amount        money.Money
	PaymentMethod string // the provider's token for it; the intent keeps it, the charge's row does not
	Desired       Desired
	Observed      Observed
	Intent        string // the provider's id of the payment; empty if it was not needed, or the provider would not have it
	ClientSecret  string // with which the customer completes the payment; kept only while that is what it needs
	Reason        string // why it was declined, or could not be captured
	DeclineCode   string // the provider's own word for Reason: for operators
	Refunds       []saga.Refund
	RefundIDs     map[string]string // the provider's id of each refund's latest try, by the refund's own id
	History       saga.History
}

// Intent is a payment as the provider knows it. Of Has it uses those that it can know: Nothing to Captured, and Canceled.
type Intent struct {
	ID           string // empty if the provider would not have it
	Observed     Observed
	ClientSecret string // if it needs the customer
	Reason       string
	DeclineCode  string

	// Whose it is, as we told the provider when it was made.
	Shop    saga.Shop
	Order   string
	Attempt int
}

// New returns the first charge for what is to be paid. Nothing has happened yet.
func New(p saga.Payable) Charge {
	return Charge{
		Order: p.Order, Shop: p.Shop, Attempt: FirstAttempt, Amount: p.Amount(), PaymentMethod: p.PaymentMethod,
		Desired: DesiredCapture, Observed: Nothing,
	}
}

// Tombstone returns the charge of an order whose money goes back before any was asked for: none ever will be.
func Tombstone(shop saga.Shop, order string) Charge {
	return Charge{Order: order, Shop: shop, Attempt: FirstAttempt, Desired: DesiredReturn, Observed: Nothing}
}

// Free reports whether there is nothing to pay, so that no provider is needed.
func (c Charge) Free() bool { return c.Amount.Amount == 0 }

// Settled reports whether it is known if the order has the money; of a charge that is to be returned, if it is.
func (c Charge) Settled() bool {
	if c.Desired == DesiredReturn {
		return c.FullyReturned()
	}
	return certainty[c.Observed] >= certainty[Declined]
}

// Back reports whether a charge that is to be returned is: no money of it is held or taken, and none can be.
func (c Charge) FullyReturned() bool {
	return c.Desired == DesiredReturn && (c.Intent == "" || c.Observed == Canceled || c.Observed == Returned)
}

// Begin decides how a charge starts out, given the intent that the provider made for it – the zero Intent if it is free.
// Mostly nobody confirmed the intent yet, and the charge has nothing.
func Begin(c Charge, i Intent) (Charge, saga.Fact) {
	if c.Free() {
		i.Observed = Authorized
	}
	c.Intent = i.ID
	if learned, news := ApplyIntent(c, i); len(news) > 0 {
		return learned, news[0]
	}
	return c, saga.PaymentIntended
}

// certainty orders what a charge may have: the provider never goes back in it. An intent that was read a moment ago may be
// older than what the charge's row knows by now.
var certainty = map[Observed]int{Nothing: 0, Uncertain: 1, ActionNeeded: 1, Declined: 2, Authorized: 3, Captured: 4, Lapsed: 5}

// Learn decides what it means for a charge that is not to be returned how its intent stands, and what there is to tell: nothing if
// that was known, or is older than what is known. A declined charge can still be authorized: it is told however late it is.
func ApplyIntent(c Charge, i Intent) (Charge, []saga.Fact) {
	switch {
	case i.Observed == Canceled && c.Observed == Authorized:
		i.Observed = Lapsed
	case i.Observed == Canceled:
		i.Observed = Declined
	}
	before, now := certainty[c.Observed], certainty[i.Observed]
	if now < before || i.Observed == c.Observed || now == 0 {
		return c, nil
	}
	had := c.Observed
	c.Observed, c.ClientSecret, c.Reason, c.DeclineCode = i.Observed, "", i.Reason, i.DeclineCode
	switch c.Observed {
	case ActionNeeded:
		c.ClientSecret = i.ClientSecret
		return c, []saga.Fact{saga.PaymentActionNeeded}
	case Uncertain:
		return c, []saga.Fact{saga.PaymentUncertain}
	case Captured:
		if had != Authorized {
			return c, []saga.Fact{saga.PaymentAuthorized, saga.PaymentCaptured}
		}
		return c, []saga.Fact{saga.PaymentCaptured}
	case Lapsed:
		return c, []saga.Fact{saga.CaptureFailed}
	}
	return c, []saga.Fact{Reply(c)}
}

// Lapse decides what becomes of a charge that was to be captured and whose intent can take no money any more.
func Lapse(c Charge, i Intent) (Charge, saga.Fact) {
	c.Observed, c.ClientSecret = Lapsed, ""
	if i.Reason != "" {
		c.Reason, c.DeclineCode = i.Reason, i.DeclineCode
	}
	return c, saga.CaptureFailed
}

// Answer returns the fact that tells an order, as often as it asks, if it has the money of a settled charge.
func Reply(c Charge) saga.Fact {
	switch {
	case c.FullyReturned():
		return saga.PaymentReturned
	case c.Observed == Declined || c.Observed == Lapsed:
		return saga.PaymentDeclined
	}
	return saga.PaymentAuthorized
}

// creationKey is the provider's idempotency key for making the charge's intent: whoever makes it again within a day gets the
// same one, and later another that nobody will ever confirm, because the row names the first.
func creationKey(c Charge) string { return key("create", c) }

// confirmationKey is the provider's idempotency key for confirming the charge's intent because of an event. A message that
// comes again sends the same request, which is answered as before. A new ask is a new request: an answer that the provider
// remembers for a day, be it a failure of its own, must not outlast its cause. That takes no money twice, because an intent
// can be authorized only once, and one that was declined has no payment method any more.
func confirmationKey(c Charge, because saga.Cause) string { return key("confirm", c, because.ID) }

// captureKey is the provider's idempotency key for capturing the charge because of an event. A new ask is a new request, for
// the reason that holds for confirmations, and takes no money twice: an intent can be captured only once.
func captureKey(c Charge, because saga.Cause) string { return key("capture", c, because.ID) }

// key hashes its parts, each with its length before it, so that no two lists of parts are told as one.
func key(what string, c Charge, more ...string) string {
	h := sha256.New()
	for _, part := range append([]string{what, string(c.Shop), c.Order, fmt.Sprint(c.Attempt)}, more...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
