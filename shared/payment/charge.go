package payment

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// FirstAttempt is the number of an order's first charge. A declined order is rejected, so there is no
// second attempt yet; the number is part of a charge's key, so that there can be one.
const FirstAttempt = 1

// Desired is what the order's outcome asks of a charge. An outcome changes only this; the operation
// that learns the observed state acts on the difference.
type Desired string

// Observed is the state of a charge, as the provider reported it last.
type Observed string

// The desired and the observed states.
const (
	DesiredCapture Desired = "capture" // authorize the amount, and capture it when the order confirms
	DesiredReturn  Desired = "return"  // authorize and capture nothing, now or later; return what was captured
	DesiredAbandon Desired = "abandon" // the order was written off: capture no more, return nothing but refunds

	Nothing      Observed = "nothing"       // no money moved: the intent is unconfirmed, or there is no intent
	Uncertain    Observed = "uncertain"     // the provider has not decided yet
	ActionNeeded Observed = "action_needed" // the customer must act first, as in 3-D Secure
	Declined     Observed = "declined"      // refused; until canceled, the customer can pay with another card
	Authorized   Observed = "authorized"    // the amount is held on the customer's card
	Captured     Observed = "captured"      // the amount was captured; parts of it may have been refunded (Refunds)
	Lapsed       Observed = "lapsed"        // it was authorized and can no longer be captured
	Canceled     Observed = "canceled"      // nothing is held, and the provider will never take money for it
	Returned     Observed = "returned"      // the amount was captured, and all of it was refunded
)

// Why a charge was declined, or could not be captured. Clients see these.
const (
	CardDeclined         = "card-declined"
	PaymentMethodMissing = "payment-method-missing" // the intent has no payment method
	PaymentMethodUnknown = "payment-method-unknown" // the provider does not know the given payment method
	PaymentRefused       = "payment-refused"        // refused otherwise, as with a used-up payment method
	PaymentCanceled      = "payment-canceled"       // it was canceled at the provider
	AmountNotPayable     = "amount-not-payable"     // the provider cannot take this amount in this currency
)

// Charge is one attempt at paying an order.
type Charge struct {
	Order         string
	Shop          saga.Shop
	Attempt       int
	Amount        money.Money
	PaymentMethod string // the provider's token; the intent keeps it, the charge's row does not
	Desired       Desired
	Observed      Observed
	Intent        string // the provider's id of the payment; empty if not needed, or refused by the provider
	ClientSecret  string // lets the customer complete the payment; kept only while the customer must act
	Reason        string // why it was declined, or could not be captured
	DeclineCode   string // the provider's own code for Reason, for operators
	Refunds       []saga.Refund
	RefundIDs     map[string]string // the provider's id of each refund's latest try, by the refund's own id

	// What moved at the provider without the order; nil while nothing did. It is known of captured charges.
	External        *saga.External
	ExternalRefunds []ExternalRefund
	Disputes        []Dispute

	History saga.History
}

// Intent is a payment as the provider knows it. Observed is Nothing, Uncertain, ActionNeeded,
// Declined, Authorized, Captured or Canceled.
type Intent struct {
	ID           string // empty if the provider refused to create it
	Observed     Observed
	ClientSecret string // if the customer must act
	Reason       string
	DeclineCode  string
	Received     int64 // what was captured, in minor units; 0 until then

	// The charge, from the metadata that the intent was created with.
	Shop    saga.Shop
	Order   string
	Attempt int
}

// New returns the first charge for an amount to pay. Nothing has been asked of the provider yet.
func New(p saga.Payable) Charge {
	return Charge{
		Order: p.Order, Shop: p.Shop, Attempt: FirstAttempt, Amount: p.Amount(), PaymentMethod: p.PaymentMethod,
		Desired: DesiredCapture, Observed: Nothing,
	}
}

// Tombstone returns the charge of an order whose money is to be returned before a payment was asked
// for. No money is ever taken for it.
func Tombstone(shop saga.Shop, order string) Charge {
	return Charge{Order: order, Shop: shop, Attempt: FirstAttempt, Desired: DesiredReturn, Observed: Nothing}
}

// Free reports whether the amount is 0, so that no provider is needed.
func (c Charge) Free() bool { return c.Amount.Amount == 0 }

// Settled reports whether the payment is decided: declined, authorized or later. For a charge that is
// to be returned it reports whether that is done.
func (c Charge) Settled() bool {
	if c.Desired == DesiredReturn {
		return c.FullyReturned()
	}
	return certainty[c.Observed] >= certainty[Declined]
}

// FullyReturned reports whether a charge that is to be returned is: nothing of it is authorized or
// captured, and nothing can be.
func (c Charge) FullyReturned() bool {
	return c.Desired == DesiredReturn && (c.Intent == "" || c.Observed == Canceled || c.Observed == Returned)
}

// Known returns an error if the charge has a state, or a refund in a status, that this release does
// not know.
func (c Charge) Known() error {
	row := "charge of order " + c.Order
	return cmp.Or(
		saga.Known(row, "desired state", c.Desired, DesiredCapture, DesiredReturn, DesiredAbandon),
		saga.Known(row, "observed state", c.Observed, Nothing, Uncertain, ActionNeeded, Declined, Authorized,
			Captured, Lapsed, Canceled, Returned),
		saga.KnownRefunds(row, c.Refunds))
}

// Begin returns a new charge with the intent that the provider created for it, and the fact to
// publish. A free charge has the zero Intent. Mostly the intent is unconfirmed, and the charge
// observes Nothing.
func Begin(c Charge, i Intent) (Charge, saga.Fact) {
	if c.Free() {
		i.Observed = Authorized
	}
	c.Intent = i.ID
	if applied, news := ApplyIntent(c, i); len(news) > 0 {
		return applied, news[0]
	}
	return c, saga.PaymentIntended
}

// certainty orders the observed states: the provider never goes back in it. The intent that an
// operation read may be older than what the charge's row already records.
var certainty = map[Observed]int{
	Nothing: 0, Uncertain: 1, ActionNeeded: 1, Declined: 2, Authorized: 3, Captured: 4, Lapsed: 5,
}

// ApplyIntent records the state of the intent in a charge that is not to be returned. It returns the
// facts to publish: none if the state was known, or is older than the recorded one. A declined charge
// can still become authorized, however late.
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

// Lapse returns a charge whose capture failed for good, because its intent can no longer take money.
func Lapse(c Charge, i Intent) (Charge, saga.Fact) {
	c.Observed, c.ClientSecret = Lapsed, ""
	if i.Reason != "" {
		c.Reason, c.DeclineCode = i.Reason, i.DeclineCode
	}
	return c, saga.CaptureFailed
}

// Reply returns the fact that answers an order about a settled charge, as often as the order asks.
func Reply(c Charge) saga.Fact {
	switch {
	case c.FullyReturned():
		return saga.PaymentReturned
	case c.Observed == Declined || c.Observed == Lapsed:
		return saga.PaymentDeclined
	}
	return saga.PaymentAuthorized
}

// creationKey is the provider's idempotency key for creating the charge's intent. Within a day the
// same key returns the same intent. Later it creates a second one, which is never confirmed, because
// the row names the first.
func creationKey(c Charge) string { return key("create", c) }

// confirmationKey is the provider's idempotency key for confirming the charge's intent because of a
// message. A message that is received again sends the same key and gets the same answer. A new
// message sends a new key: the provider keeps an answer for a day, even its own failure, and that
// answer must not outlast its cause. No money is taken twice, because an intent can be authorized
// only once, and a declined intent no longer has a payment method.
func confirmationKey(c Charge, because saga.Cause) string { return key("confirm", c, because.ID) }

// captureKey is the provider's idempotency key for capturing the charge because of a message. A new
// message sends a new key, for the same reason as with confirmationKey. No money is taken twice,
// because an intent can be captured only once.
func captureKey(c Charge, because saga.Cause) string { return key("capture", c, because.ID) }

// key hashes its parts, each after its length, so that no two lists of parts have the same key.
func key(what string, c Charge, more ...string) string {
	h := sha256.New()
	for _, part := range append([]string{what, string(c.Shop), c.Order, fmt.Sprint(c.Attempt)}, more...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
