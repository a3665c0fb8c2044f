package sandbox

import (
	"strconv"
	"strings"
	"time"
)

// Card is how a payment method behaves. The zero Card just pays, and its money comes back when it is asked for.
type Card struct {
	Decline   *Decline
	Challenge bool          // the customer has to do something first
	Settles   time.Duration // the payment is in processing for so long
	Delay     time.Duration // the payment is authorized at once, but the answer comes so much later
	Lost      bool          // the payment is authorized, but the answer is that the provider failed
	Once      bool          // it pays for one intent only: the first confirmation uses it up, creating an intent does not

	Lapses      bool // whoever captures finds that the authorization has lapsed
	LosesTaking bool // the payment is captured, but the answer is that the provider failed
	LosesGiving bool // the payment is canceled or refunded, but the answer is that the provider failed

	Refunds Refunding // how a refund to it goes
	First   bool      // only the first one goes so, later ones just arrive

	Calls Calling // when its events are delivered
}

// Refunding is how a refund goes.
type Refunding int

// The ways of a refund.
const (
	Arrives     Refunding = iota // at once
	Waits                        // it is pending for a while, and then arrives
	Bounces                      // it fails at once
	BouncesLate                  // it arrives, and a while later the money is back at the shop
)

// Calling is when events are delivered.
type Calling int

// The times of a delivery.
const (
	Soon     Calling = iota // after the answer to the request that caused the event
	Early                   // before that answer
	Late                    // long after it
	Twice                   // soon, and then again
	Reversed                // soon, but that an amount is held is told long after all that follows from it
	Never
)

// How long things take that take their time. In the real world it is seconds to minutes for a callback, and days for a refund.
const (
	refundTime = 5 * time.Second
	lateTime   = 15 * time.Second
)

// longest is the longest that an answer can be told to wait: callers give up before, and Lambda soon after.
const longest = 8 * time.Second

// cards are the payment methods that do not just pay, by the end of their names: pm_card_refundFail, also pm_card_visa_refundFail.
// Those that Stripe has too (https://docs.stripe.com/testing) behave as there, but for the waiting times.
var cards = map[string]Card{
	// It is declined.
	"chargeDeclined":                  {Decline: &Decline{Code: "card_declined", DeclineCode: "generic_decline", Message: "Your card was declined."}},
	"chargeDeclinedInsufficientFunds": {Decline: &Decline{Code: "card_declined", DeclineCode: "insufficient_funds", Message: "Your card has insufficient funds."}},
	"chargeDeclinedLostCard":          {Decline: &Decline{Code: "card_declined", DeclineCode: "lost_card", Message: "Your card was declined."}},
	"chargeDeclinedStolenCard":        {Decline: &Decline{Code: "card_declined", DeclineCode: "stolen_card", Message: "Your card was declined."}},
	"chargeDeclinedExpiredCard":       {Decline: &Decline{Code: "expired_card", Message: "Your card has expired."}},
	"chargeDeclinedIncorrectCvc":      {Decline: &Decline{Code: "incorrect_cvc", Message: "Your card's security code is incorrect."}},
	"chargeDeclinedProcessingError":   {Decline: &Decline{Code: "processing_error", Message: "An error occurred while processing your card. Try again in a little bit."}},

	// The customer has to do something first; so does every other name that begins like this one.
	"authenticationRequired": {Challenge: true},

	// The money is not taken as it should be.
	"captureLapsed": {Lapses: true},
	"captureLost":   {LosesTaking: true},

	// The money does not come back as it should.
	"returnLost":          {LosesGiving: true},
	"pendingRefund":       {Refunds: Waits},
	"refundFail":          {Refunds: BouncesLate},
	"refundFailFirst":     {Refunds: Bounces, First: true},
	"refundFailLateFirst": {Refunds: BouncesLate, First: true},

	// What is told of the payment is not told as it should be.
	"callbackEarly":    {Calls: Early},
	"callbackLate":     {Calls: Late},
	"callbackTwice":    {Calls: Twice},
	"callbackReversed": {Calls: Reversed},
	"callbackNone":     {Calls: Never},
}

// CardOf returns how a payment method behaves, and whether there is such a one:
//
//	pm_card_visa, pm_card_…          as the table above says; pays, if it is not in there
//	pm_sandbox_slow_<ms>             pays, but the answer comes so many milliseconds late
//	pm_sandbox_lost                  pays, but the answer is a failure of the provider
//	pm_sandbox_processing_<ms>       pays so many milliseconds later
//	pm_sandbox_once_<any>            pays once, as a card does at Stripe that is kept for no customer
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
