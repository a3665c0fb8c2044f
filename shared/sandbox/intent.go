// Package sandbox is a payment provider for everywhere but production: it speaks Stripe's dialect as far as this project
// does, moves no money, and misbehaves on demand (cards.go). It counts how often it really authorized and captured each payment
// and how much of it went back, so that a test can prove that nobody is charged twice.
package sandbox

import (
	"slices"
	"time"
)

// Status is how an intent stands, in Stripe's words.
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

// How an intent's money is taken once it is authorized, and who confirms an intent after its customer did something.
const (
	Manual    = "manual"    // when it is captured; our server
	Automatic = "automatic" // at once; the customer's doing does
)

// AuthorizationLasts is how long an amount is held on a card that nobody captures.
const AuthorizationLasts = 7 * 24 * time.Hour

// Intent is a payment.
type Intent struct {
	ID                 string
	Version            int // raised by every change; 0: not stored yet
	Status             Status
	Amount             int64 // as Stripe counts it
	Currency           string
	CaptureMethod      string
	ConfirmationMethod string
	PaymentMethod      string // empty: none, or the last one was declined
	LastError          *Decline
	Metadata           map[string]string
	Secret             string // lets the customer act on the intent
	Created            time.Time
	Authenticated      bool      // the customer did what was to be done
	Settles            time.Time // when a payment in processing is authorized
	Authorized         time.Time // when the amount was held on the card
	CanceledAt         time.Time
	CancellationReason string
	Captured           int64 // what was really taken
	Refunds            []Refund
	Authorizations     int // how often the amount was really held on the card: at most once, if all is well
	Captures           int // how often it was really taken: at most once, too
}

// Decline is why a card was refused.
type Decline struct {
	Code        string
	DeclineCode string // the issuer's reason
	Message     string
	Card        string
}

// At returns the intent as it stands at the time: by then what was processing may be authorized, what was authorized may have
// lapsed, and refunds may have arrived or failed.
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

// Waits returns when time will next change the intent, but for an authorization that lapses; zero: never.
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

// Card returns how the payment method behaves that the intent has, or had.
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
		return i.captured(i.Amount)
	}
	return i
}

func (i Intent) captured(amount int64) Intent {
	i.Status, i.Captured = Succeeded, amount
	i.Captures++
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

// Confirm decides what comes of charging the intent's card. A payment method given here replaces the intent's. It returns a
// *Problem for an intent that cannot be confirmed: one that was confirmed or canceled before, or has no payment method –
// as after a decline.
func Confirm(i Intent, paymentMethod string, now time.Time) (Intent, error) {
	if paymentMethod == "" {
		paymentMethod = i.PaymentMethod
	}
	switch {
	case i.Status != RequiresConfirmation && i.Status != RequiresPaymentMethod:
		return i, unexpectedState(i, "You cannot confirm this PaymentIntent because it has a status of "+string(i.Status)+
			". Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_payment_method.")
	case paymentMethod == "":
		return i, unexpectedState(i, "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "+
			"PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.")
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

// Act decides what comes of what the customer did. Where confirmation is automatic the amount is held; where it is manual, the
// intent is to be confirmed once more. A customer who fails leaves no payment method. It returns a *Problem for an intent that
// asks nothing of its customer.
func Act(i Intent, succeeds bool, now time.Time) (Intent, error) {
	switch {
	case i.Status != RequiresAction:
		return i, unexpectedState(i, "This PaymentIntent requires no action: it has a status of "+string(i.Status)+".")
	case !succeeds:
		return i.declined(Decline{
			Code: "payment_intent_authentication_failure", Card: i.PaymentMethod,
			Message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
		}), nil
	}
	i.Authenticated = true
	if i.ConfirmationMethod == Manual {
		i.Status = RequiresConfirmation
		return i, nil
	}
	return i.authorized(now), nil
}

// Capture decides what comes of taking the amount, or part of it, which lets go of the rest. It returns a *Problem for an
// intent that holds nothing, or less. The intent may have changed even so: its authorization may turn out to have lapsed.
func Capture(i Intent, amount int64, now time.Time) (Intent, error) {
	if i.Status == RequiresCapture && i.Card().Lapses {
		i = i.lapsed(now)
	}
	switch {
	case i.Status != RequiresCapture:
		return i, unexpectedState(i, "This PaymentIntent could not be captured because it has a status of "+string(i.Status)+
			". Only a PaymentIntent with one of the following statuses may be captured: requires_capture.")
	case amount > i.Amount:
		return i, invalid("amount_to_capture", "amount_too_large", "The provided amount is greater than the amount that can be captured.")
	}
	return i.captured(amount), nil
}

// Cancel decides what becomes of an intent that nobody wants any more: it can never be confirmed again, and what it held on
// a card is let go. It returns a *Problem for an intent whose money was taken, or that is canceled already.
func Cancel(i Intent, reason string, now time.Time) (Intent, error) {
	if i.Status == Succeeded || i.Status == Canceled {
		return i, unexpectedState(i, "You cannot cancel this PaymentIntent because it has a status of "+string(i.Status)+
			". Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, "+
			"requires_confirmation, requires_action, processing.")
	}
	return i.canceled(reason, now), nil
}
