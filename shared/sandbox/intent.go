// Package sandbox is a payment provider for all stages except production. It has the part of
// Stripe's API that this project uses, moves no money, and misbehaves on demand (cards.go). It
// counts how often each payment was authorized and captured in fact, and how much of it was
// refunded, so that a test can prove that no customer is charged twice.
package sandbox

import (
	"slices"
	"time"

	"backroom/shared/saga"
)

// Status is the status of an intent, as Stripe names it.
type Status string

// The statuses.
const (
	RequiresPaymentMethod Status = "requires_payment_method"
	RequiresConfirmation  Status = "requires_confirmation"
	RequiresAction        Status = "requires_action"
	Processing            Status = "processing"
	RequiresCapture       Status = "requires_capture"
	Succeeded             Status = "succeeded"
	Canceled              Status = "canceled"
)

// How an intent is captured after its authorization, and how it is confirmed after its customer
// acted.
const (
	Manual    = "manual"    // by a capture request; by our server
	Automatic = "automatic" // at once; by the customer's action
)

// AuthorizationLasts is how long an authorization lasts that is not captured.
const AuthorizationLasts = 7 * 24 * time.Hour

// Intent is a payment.
type Intent struct {
	ID                 string
	Version            int // raised by every change; 0: not stored yet
	Rest               saga.Rest
	Status             Status
	Amount             int64 // in Stripe's smallest unit
	Currency           string
	CaptureMethod      string
	ConfirmationMethod string
	PaymentMethod      string // empty: missing, or the last one was declined
	LastError          *Decline
	Metadata           map[string]string
	Secret             string // lets the customer act on the intent
	Created            time.Time
	Authenticated      bool      // the customer acted successfully
	Settles            time.Time // when a payment in processing is authorized
	Authorized         time.Time // when the amount was held on the card
	CanceledAt         time.Time
	CancellationReason string
	Captured           int64 // the captured amount
	Refunds            []Refund
	Disputes           []Dispute
	Authorizations     int // how often the amount was authorized in fact: at most once if all is well
	Captures           int // how often it was captured in fact: at most once if all is well
}

// Decline is why a card was refused.
type Decline struct {
	Code        string
	DeclineCode string // the issuer's reason
	Message     string
	Card        string
}

// At returns the intent as of a time. Until then a payment in processing may be authorized, an
// authorization may have lapsed, and refunds may have arrived or failed.
func (i Intent) At(now time.Time) Intent {
	if i.Status == Processing && !now.Before(i.Settles) {
		i = i.authorized(i.Settles)
	}
	if lapses := i.Authorized.Add(AuthorizationLasts); i.Status == RequiresCapture && !now.Before(lapses) {
		i = i.lapsed(lapses)
	}
	for n, r := range i.Refunds {
		if r.Becomes != "" && !now.Before(r.Settles) {
			i.Refunds = slices.Clone(i.Refunds)
			i.Refunds[n].Status, i.Refunds[n].Becomes = r.Becomes, ""
		}
	}
	return i
}

// Waits returns when the intent changes next by itself, except when an authorization lapses; zero:
// never.
func (i Intent) Waits() time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if i.Status == Processing {
		sooner(i.Settles)
	}
	for _, r := range i.Refunds {
		if r.Becomes != "" {
			sooner(r.Settles)
		}
	}
	return next
}

// Card returns the behaviour of the intent's payment method, or of its last one.
func (i Intent) Card() Card {
	paymentMethod := i.PaymentMethod
	if paymentMethod == "" && i.LastError != nil {
		paymentMethod = i.LastError.Card
	}
	card, _ := CardOf(paymentMethod)
	return card
}

func (i Intent) authorized(at time.Time) Intent {
	i.Status, i.Authorized = RequiresCapture, at
	i.Authorizations++
	if i.CaptureMethod == Automatic {
		return i.captured(i.Amount, at)
	}
	return i
}

func (i Intent) captured(amount int64, now time.Time) Intent {
	i.Status, i.Captured = Succeeded, amount
	i.Captures++
	if i.Card().Disputed {
		i, _ = OpenDispute(i, 0, now)
	}
	return i
}

func (i Intent) canceled(reason string, at time.Time) Intent {
	i.Status, i.CancellationReason, i.CanceledAt = Canceled, reason, at
	return i
}

func (i Intent) lapsed(at time.Time) Intent { return i.canceled("automatic", at) }

func (i Intent) declined(d Decline) Intent {
	i.Status, i.PaymentMethod, i.LastError = RequiresPaymentMethod, "", &d
	return i
}

// Confirm charges the intent's card. A payment method given here replaces the intent's. It returns
// a *Problem for an intent that cannot be confirmed: one that was confirmed or canceled before, or
// has no payment method, as after a decline.
func Confirm(i Intent, paymentMethod string, now time.Time) (Intent, error) {
	if paymentMethod == "" {
		paymentMethod = i.PaymentMethod
	}
	switch {
	case i.Status != RequiresConfirmation && i.Status != RequiresPaymentMethod:
		return i,
			unexpectedState(i, "You cannot confirm this PaymentIntent because it has a status of "+string(i.Status)+
				". Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, "+
				"requires_payment_method.")
	case paymentMethod == "":
		return i,
			unexpectedState(i,
				"You cannot confirm this PaymentIntent because it's missing a payment method. You can either update "+
					"the "+
					"PaymentIntent with a payment method and then confirm it again, or confirm it again directly "+
					"with a "+
					"payment method or ConfirmationToken.")
	}
	card, known := CardOf(paymentMethod)
	if !known {
		return i, noSuchPaymentMethod(paymentMethod)
	}
	i.PaymentMethod, i.LastError = paymentMethod, nil
	switch {
	case card.Decline != nil:
		return i.declined(*card.Decline), nil
	case card.Challenge && !i.Authenticated:
		i.Status = RequiresAction
	case card.Settles > 0:
		i.Status, i.Settles = Processing, now.Add(card.Settles)
	default:
		i = i.authorized(now)
	}
	return i, nil
}

// Act applies the customer's action. With automatic confirmation the amount is authorized; with
// manual confirmation the intent must be confirmed again. A failed action removes the payment
// method. It returns a *Problem for an intent that requires no action.
func Act(i Intent, succeeds bool, now time.Time) (Intent, error) {
	switch {
	case i.Status != RequiresAction:
		return i, unexpectedState(i, "This PaymentIntent requires no action: it has a status of "+string(i.Status)+".")
	case !succeeds:
		return i.declined(Decline{
			Code: "payment_intent_authentication_failure", Card: i.PaymentMethod,
			Message: "We are unable to authenticate your payment method. Please choose a different payment method " +
				"and try again.",
		}), nil
	}
	i.Authenticated = true
	if i.ConfirmationMethod == Manual {
		i.Status = RequiresConfirmation
		return i, nil
	}
	return i.authorized(now), nil
}

// Capture captures the amount, or a part of it and voids the rest. It returns a *Problem for an
// intent that holds nothing, or less. The returned intent may have changed even then, because its
// authorization may have lapsed.
func Capture(i Intent, amount int64, now time.Time) (Intent, error) {
	if i.Status == RequiresCapture && i.Card().Lapses {
		i = i.lapsed(now)
	}
	switch {
	case i.Status != RequiresCapture:
		return i,
			unexpectedState(i, "This PaymentIntent could not be captured because it has a status of "+string(i.Status)+
				". Only a PaymentIntent with one of the following statuses may be captured: requires_capture.")
	case amount > i.Amount:
		return i,
			invalid("amount_to_capture", "amount_too_large",
				"The provided amount is greater than the amount that can be captured.")
	}
	return i.captured(amount, now), nil
}

// Cancel cancels an intent: it can never be confirmed again, and its authorization is voided. It
// returns a *Problem for an intent that is captured or canceled already.
func Cancel(i Intent, reason string, now time.Time) (Intent, error) {
	if i.Status == Succeeded || i.Status == Canceled {
		return i,
			unexpectedState(i, "You cannot cancel this PaymentIntent because it has a status of "+string(i.Status)+
				". Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, "+
				"requires_capture, "+
				"requires_confirmation, requires_action, processing.")
	}
	return i.canceled(reason, now), nil
}
