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

// Want is what an order's story asks of a charge.
type Want string

// Has is what is so: what the provider said last.
type Has string

// What a charge wants, and has.
const (
	Take Want = "take"

	Nothing      Has = "nothing"       // no money moved: nobody confirmed the intent yet
	Authorized   Has = "authorized"    // the amount is held on the customer's card
	Declined     Has = "declined"      // refused for good: this intent can never take money any more
	Uncertain    Has = "uncertain"     // the provider has not decided yet
	ActionNeeded Has = "action_needed" // the customer has to do something first, as in 3-D Secure
)

// Why a charge was declined. Clients see these.
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
	Shop          string
	Attempt       int
	Amount        money.Money
	PaymentMethod string // the provider's token for it; the intent keeps it, the charge's row does not
	Want          Want
	Has           Has
	Intent        string // the provider's id of the payment; empty if it was not needed, or the provider would not have it
	Reason        string // why it was declined
	DeclineCode   string // the provider's own word for Reason: for operators
	Diary         saga.Diary
}

// Intent is a payment as the provider knows it.
type Intent struct {
	ID          string // empty if the provider would not have it
	Has         Has
	Reason      string
	DeclineCode string
}

// New returns the first charge for what is to be paid. Nothing has happened yet.
func New(p saga.Payable) Charge {
	return Charge{
		Order: p.Order, Shop: p.Shop, Attempt: FirstAttempt, Amount: p.Amount(), PaymentMethod: p.PaymentMethod,
		Want: Take, Has: Nothing,
	}
}

// Free reports whether there is nothing to pay, so that no provider is needed.
func (c Charge) Free() bool { return c.Amount.Amount == 0 }

// Settled reports whether it is known for good if the money can be had.
func (c Charge) Settled() bool { return c.Has == Authorized || c.Has == Declined }

// Begin decides how a charge starts out, given the intent that the provider made for it – the zero Intent if it is free.
// Mostly nobody confirmed the intent yet, and the charge has nothing.
func Begin(c Charge, i Intent) (Charge, saga.Fact) {
	if c.Free() {
		i.Has = Authorized
	}
	c.Intent = i.ID
	if learned, news := Learn(c, i); len(news) > 0 {
		return learned, news[0]
	}
	return c, saga.PaymentIntended
}

// Learn decides what it means for a charge how its intent stands, and what there is to tell: nothing if that was known. A
// settled charge stays as it is.
func Learn(c Charge, i Intent) (Charge, []saga.Fact) {
	if c.Settled() || i.Has == c.Has || i.Has == Nothing {
		return c, nil
	}
	c.Has, c.Reason, c.DeclineCode = i.Has, i.Reason, i.DeclineCode
	return c, []saga.Fact{Answer(c)}
}

// Answer returns the fact that tells what a charge has: the same again to everyone who asks again.
func Answer(c Charge) saga.Fact {
	switch c.Has {
	case Authorized:
		return saga.PaymentAuthorized
	case Declined:
		return saga.PaymentDeclined
	case Uncertain, ActionNeeded:
		return saga.PaymentUncertain
	}
	return saga.PaymentIntended
}

// creationKey is the provider's idempotency key for making the charge's intent: whoever makes it again within a day gets the
// same one, and later another that nobody will ever confirm, because the row names the first.
func creationKey(c Charge) string { return key("create", c) }

// confirmationKey is the provider's idempotency key for confirming the charge's intent because of an event. A message that
// comes again sends the same request, which is answered as before. A new ask is a new request: an answer that the provider
// remembers for a day, be it a failure of its own, must not outlast its cause. That takes no money twice, because an intent
// can be authorized only once, and one that was declined has no payment method any more.
func confirmationKey(c Charge, because saga.Cause) string { return key("confirm", c, because.ID) }

// key hashes its parts, each with its length before it, so that no two lists of parts are told as one.
func key(what string, c Charge, more ...string) string {
	h := sha256.New()
	for _, part := range append([]string{what, c.Shop, c.Order, fmt.Sprint(c.Attempt)}, more...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
