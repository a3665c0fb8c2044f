package provider

import (
	"fmt"

	iso "github.com/Rhymond/go-money"

	"backroom/shared/money"
)

// How many decimals Stripe counts an amount in, where that is not two. Everything here is from
// https://docs.stripe.com/currencies, sections "Zero-decimal currencies", "Three-decimal currencies" and "Special cases".
var (
	zeroDecimal = setOf("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")

	// The last digit has to be 0: cards know no thousandths.
	threeDecimal = setOf("BHD", "JOD", "KWD", "OMR", "TND")

	// They have no minor unit any more, but are still counted in hundredths that have to be 00.
	hundredthsOfWhole = setOf("ISK", "UGX")
)

func setOf(currencies ...string) map[string]bool {
	set := map[string]bool{}
	for _, c := range currencies {
		set[c] = true
	}
	return set
}

// Amount returns m as Stripe counts it. ISO 4217, which Money follows, and Stripe differ: 5 ISK are 5 minor units here and
// 500 there, 5 MGA are 500 here and 5 there. It returns an error for an amount that Stripe cannot take to the last minor
// unit, and for a currency in which it is not known how Stripe counts: money is never rounded.
func Amount(m money.Money) (int64, error) {
	if err := m.Check(); err != nil {
		return 0, err
	}
	ours, theirs := iso.GetCurrency(m.Currency).Fraction, 2
	switch {
	case zeroDecimal[m.Currency]:
		theirs = 0
	case threeDecimal[m.Currency]:
		theirs = 3
	case ours != 2 && !hundredthsOfWhole[m.Currency]:
		return 0, fmt.Errorf("provider: %s has %d decimals, and how the provider counts them is not known", m.Currency, ours)
	}
	amount := m.Amount
	for ; ours < theirs; ours++ {
		amount *= 10
	}
	for ; ours > theirs; ours-- {
		if amount%10 != 0 {
			return 0, fmt.Errorf("provider: %d minor units of %s are no whole number of the provider's", m.Amount, m.Currency)
		}
		amount /= 10
	}
	if threeDecimal[m.Currency] && amount%10 != 0 {
		return 0, fmt.Errorf("provider: thousandths of %s cannot be paid by card", m.Currency)
	}
	return amount, nil
}
