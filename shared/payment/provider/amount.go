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
	ours, theirs, err := decimals(m.Currency)
	if err != nil {
		return 0, err
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

// minorUnits is the reverse of Amount. It returns an error for what is no whole number of minor units.
func minorUnits(amount int64, currency string) (int64, error) {
	ours, theirs, err := decimals(currency)
	if err != nil {
		return 0, err
	}
	minor := amount
	for ; theirs < ours; theirs++ {
		minor *= 10
	}
	for ; theirs > ours; theirs-- {
		if minor%10 != 0 {
			return 0, fmt.Errorf("provider: %d of the provider's units of %s are no whole number of minor units", amount, currency)
		}
		minor /= 10
	}
	return minor, nil
}

// decimals returns in how many decimals a currency is counted by us and by the provider.
func decimals(currency string) (ours, theirs int, err error) {
	ours, theirs = iso.GetCurrency(currency).Fraction, 2
	switch {
	case zeroDecimal[currency]:
		theirs = 0
	case threeDecimal[currency]:
		theirs = 3
	case ours != 2 && !hundredthsOfWhole[currency]:
		return 0, 0, fmt.Errorf("provider: %s has %d decimals, and how the provider counts them is not known", currency, ours)
	}
	return ours, theirs, nil
}
