// Package sandbox is a payment provider for everywhere but production: it speaks Stripe's dialect as far as this project
// does, moves no money, and misbehaves on demand (cards.go). It counts how often it really authorized each payment, so that
// a test can prove that nobody is charged twice.
package sandbox

import (
	"maps"
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

// How an intent's money is taken once it is authorized.
const (
	Manual    = "manual"    // when it is captured
	Automatic = "automatic" // at once
)

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
	Created            time.Time
	Settles            time.Time // when a payment in processing is authorized
	Authorizations     int       // how often the amount was really held on the card: at most once, if all is well
}

// Decline is why a card was refused.
type Decline struct {
	Code        string
	DeclineCode string // the issuer's reason
	Message     string
	Card        string
}

// At returns the intent as it stands at the time: what was processing may be authorized by then.
func (i Intent) At(now time.Time) Intent {
	if i.Status == Processing && !now.Before(i.Settles) {
		return i.authorized()
	}
	return i
}

func (i Intent) authorized() Intent {
	i.Status = RequiresCapture
	if i.CaptureMethod == Automatic {
		i.Status = Succeeded
	}
	i.Authorizations++
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
		i.Status, i.PaymentMethod, i.LastError = RequiresPaymentMethod, "", card.Decline
	case card.Challenge:
		i.Status = RequiresAction
	case card.Settles > 0:
		i.Status, i.Settles = Processing, now.Add(card.Settles)
	default:
		i = i.authorized()
	}
	return i, nil
}

// Cancel decides what becomes of an intent that nobody wants any more: it can never be confirmed again, and what it held on
// a card is let go. It returns a *Problem for an intent whose money was taken, or that is canceled already.
func Cancel(i Intent) (Intent, error) {
	if i.Status == Succeeded || i.Status == Canceled {
		return i, unexpectedState(i, "You cannot cancel this PaymentIntent because it has a status of "+string(i.Status)+
			". Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, "+
			"requires_confirmation, requires_action, processing.")
	}
	i.Status = Canceled
	return i, nil
}

// document is an intent as clients see it: Stripe's members, and how often it was really authorized.
type document struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	Amount             int64             `json:"amount"`
	AmountCapturable   int64             `json:"amount_capturable"`
	AmountReceived     int64             `json:"amount_received"`
	CaptureMethod      string            `json:"capture_method"`
	ConfirmationMethod string            `json:"confirmation_method"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	LastPaymentError   *problemDocument  `json:"last_payment_error"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	PaymentMethod      *string           `json:"payment_method"`
	PaymentMethodTypes []string          `json:"payment_method_types"`
	Status             Status            `json:"status"`
	Authorizations     int               `json:"sandbox_authorizations"`
}

func (i Intent) document() document {
	d := document{
		ID: i.ID, Object: "payment_intent", Amount: i.Amount, CaptureMethod: i.CaptureMethod, ConfirmationMethod: i.ConfirmationMethod,
		Created: i.Created.Unix(), Currency: i.Currency, Metadata: maps.Clone(i.Metadata), PaymentMethodTypes: []string{"card"}, Status: i.Status,
		Authorizations: i.Authorizations,
	}
	if d.Metadata == nil {
		d.Metadata = map[string]string{}
	}
	if i.PaymentMethod != "" {
		d.PaymentMethod = &i.PaymentMethod
	}
	if i.LastError != nil {
		p := i.LastError.document()
		d.LastPaymentError = &p
	}
	switch i.Status {
	case RequiresCapture:
		d.AmountCapturable = i.Amount
	case Succeeded:
		d.AmountReceived = i.Amount
	}
	return d
}
