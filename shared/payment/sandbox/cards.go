package sandbox

import (
	"strconv"
	"strings"
	"time"
)

// Card is how a payment method behaves when it is charged. The zero Card just pays.
type Card struct {
	Decline   *Decline
	Challenge bool          // the customer has to do something first
	Settles   time.Duration // the payment is in processing for so long
	Delay     time.Duration // the payment is authorized at once, but the answer comes so much later
	Lost      bool          // the payment is authorized, but the answer is that the provider failed
	Once      bool          // it pays for one intent only: the first confirmation uses it up, creating an intent does not
}

// longest is the longest that an answer can be told to wait: callers give up before, and Lambda soon after.
const longest = 8 * time.Second

// declines are Stripe's test cards that are refused (https://docs.stripe.com/testing#declined-payments), by the end of
// their names: pm_card_chargeDeclined, also pm_card_visa_chargeDeclined.
var declines = map[string]Decline{
	"chargeDeclined":                  {Code: "card_declined", DeclineCode: "generic_decline", Message: "Your card was declined."},
	"chargeDeclinedInsufficientFunds": {Code: "card_declined", DeclineCode: "insufficient_funds", Message: "Your card has insufficient funds."},
	"chargeDeclinedLostCard":          {Code: "card_declined", DeclineCode: "lost_card", Message: "Your card was declined."},
	"chargeDeclinedStolenCard":        {Code: "card_declined", DeclineCode: "stolen_card", Message: "Your card was declined."},
	"chargeDeclinedExpiredCard":       {Code: "expired_card", Message: "Your card has expired."},
	"chargeDeclinedIncorrectCvc":      {Code: "incorrect_cvc", Message: "Your card's security code is incorrect."},
	"chargeDeclinedProcessingError":   {Code: "processing_error", Message: "An error occurred while processing your card. Try again in a little bit."},
}

// CardOf returns how a payment method behaves, and whether there is such a one:
//
//	pm_card_visa, pm_card_…          pays, unless it is one of the following
//	pm_card_chargeDeclined…          is declined; the end of the name says why
//	pm_card_authenticationRequired   needs the customer first
//	pm_sandbox_slow_<ms>             pays, but the answer comes so many milliseconds late
//	pm_sandbox_lost                  pays, but the answer is a failure of the provider
//	pm_sandbox_processing_<ms>       pays so many milliseconds later
//	pm_sandbox_once_<any>            pays once, as a card does at Stripe that is kept for no customer
func CardOf(paymentMethod string) (Card, bool) {
	if name, ok := strings.CutPrefix(paymentMethod, "pm_card_"); ok && name != "" {
		if d, ok := declines[strings.TrimPrefix(name, "visa_")]; ok {
			d.Card = paymentMethod
			return Card{Decline: &d}, true
		}
		return Card{Challenge: strings.HasPrefix(name, "authenticationRequired")}, true
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
