package sandbox

import (
	"strconv"
	"strings"
	"time"
)

// Card is how a payment method behaves. The zero Card pays, and its refunds arrive at once.
type Card struct {
	Decline   *Decline
	Challenge bool          // the customer must act first
	Settles   time.Duration // how long the payment is in processing
	Delay     time.Duration // the payment is authorized at once, but the answer is delayed by this time
	Lost      bool          // the payment is authorized, but the answer is a failure of the provider
	Once      bool          // it pays for one intent only: the first confirmation uses it up

	Lapses      bool // a capture finds that the authorization has lapsed
	LosesTaking bool // the payment is captured, but the answer is a failure of the provider
	LosesGiving bool // the payment is canceled or refunded, but the answer is a failure of the provider

	Refunds Refunding // how a refund to it ends
	First   bool      // only the first refund ends so, later ones arrive at once

	Disputed bool // the customer's bank disputes all of the payment as soon as it is captured

	Calls Calling // when its events are delivered
}

// Refunding is how a refund ends.
type Refunding int

// The ends of a refund.
const (
	Arrives     Refunding = iota // at once
	Waits                        // it is pending for a while, and then arrives
	Bounces                      // it fails at once
	BouncesLate                  // it arrives, and fails a while later
)

// Calling is when events are delivered.
type Calling int

// The times of a delivery.
const (
	Soon     Calling = iota // after the answer to the request that caused the event
	Early                   // before that answer
	Late                    // long after it
	Twice                   // soon, and then again
	Reversed                // soon, but the event of the authorization comes long after all later events
	Never
)

// The waiting times. In the real world a callback takes seconds to minutes, and a refund days.
const (
	refundTime = 5 * time.Second
	lateTime   = 15 * time.Second
)

// longest is the longest delay of an answer: callers give up before it, and Lambda soon after.
const longest = 8 * time.Second

// cards are the payment methods with a special behaviour, by the end of their names:
// pm_card_refundFail, also pm_card_visa_refundFail. Those that Stripe has too
// (https://docs.stripe.com/testing) behave as there, except for the waiting times.
var cards = map[string]Card{
	// The payment is declined.
	"chargeDeclined": {Decline: &Decline{Code: "card_declined", DeclineCode: "generic_decline",
		Message: "Your card was declined."}},
	"chargeDeclinedInsufficientFunds": {Decline: &Decline{Code: "card_declined", DeclineCode: "insufficient_funds",
		Message: "Your card has insufficient funds."}},
	"chargeDeclinedLostCard": {Decline: &Decline{Code: "card_declined", DeclineCode: "lost_card",
		Message: "Your card was declined."}},
	"chargeDeclinedStolenCard": {Decline: &Decline{Code: "card_declined", DeclineCode: "stolen_card",
		Message: "Your card was declined."}},
	"chargeDeclinedExpiredCard": {Decline: &Decline{Code: "expired_card", Message: "Your card has expired."}},
	"chargeDeclinedIncorrectCvc": {Decline: &Decline{Code: "incorrect_cvc",
		Message: "Your card's security code is incorrect."}},
	"chargeDeclinedProcessingError": {Decline: &Decline{Code: "processing_error",
		Message: "An error occurred while processing your card. Try again in a little bit."}},

	// The customer must act first; every name that begins like this one behaves so.
	"authenticationRequired": {Challenge: true},

	// The capture goes wrong.
	"captureLapsed": {Lapses: true},
	"captureLost":   {LosesTaking: true},

	// The return or refund goes wrong.
	"returnLost":          {LosesGiving: true},
	"pendingRefund":       {Refunds: Waits},
	"refundFail":          {Refunds: BouncesLate},
	"refundFailFirst":     {Refunds: Bounces, First: true},
	"refundFailLateFirst": {Refunds: BouncesLate, First: true},

	// The customer's bank takes the money back.
	"createDispute": {Disputed: true},

	// The callbacks go wrong.
	"callbackEarly":    {Calls: Early},
	"callbackLate":     {Calls: Late},
	"callbackTwice":    {Calls: Twice},
	"callbackReversed": {Calls: Reversed},
	"callbackNone":     {Calls: Never},
}

// CardOf returns how a payment method behaves. It returns false for an unknown one:
//
//	pm_card_visa, pm_card_…          as in the table above; pays if it is not in the table
//	pm_sandbox_slow_<ms>             pays, but the answer is delayed by these milliseconds
//	pm_sandbox_lost                  pays, but the answer is a failure of the provider
//	pm_sandbox_processing_<ms>       pays after these milliseconds
//	pm_sandbox_once_<any>            pays once, like a card at Stripe that is saved for no customer
func CardOf(paymentMethod string) (Card, bool) {
	if name, ok := strings.CutPrefix(paymentMethod, "pm_card_"); ok && name != "" {
		card, listed := cards[strings.TrimPrefix(name, "visa_")]
		if !listed && strings.HasPrefix(name, "authenticationRequired") {
			card = cards["authenticationRequired"]
		}
		if card.Decline != nil {
			d := *card.Decline
			d.Card = paymentMethod
			card.Decline = &d
		}
		return card, true
	}
	if ms, ok := strings.CutPrefix(paymentMethod, "pm_sandbox_slow_"); ok {
		d, known := milliseconds(ms)
		return Card{Delay: min(d, longest)}, known
	}
	if ms, ok := strings.CutPrefix(paymentMethod, "pm_sandbox_processing_"); ok {
		d, known := milliseconds(ms)
		return Card{Settles: d}, known
	}
	if name, ok := strings.CutPrefix(paymentMethod, "pm_sandbox_once_"); ok {
		return Card{Once: true}, name != ""
	}
	return Card{Lost: true}, paymentMethod == "pm_sandbox_lost"
}

func milliseconds(text string) (time.Duration, bool) {
	ms, err := strconv.ParseUint(text, 10, 31)
	return time.Duration(ms) * time.Millisecond, err == nil
}
