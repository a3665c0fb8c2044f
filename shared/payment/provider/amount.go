package provider

import (
	"fmt"

	iso "github.com/Rhymond/go-money"

	"backroom/shared/money"
)

// The currencies that Stripe does not count in two decimals. The source of every line here is
// https://docs.stripe.com/currencies, sections "Zero-decimal currencies", "Three-decimal currencies"
// and "Special cases".
var (
	zeroDecimal = setOf(
		"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
	)

	// The last digit must be 0: cards do not support thousandths.
	threeDecimal = setOf("BHD", "JOD", "KWD", "OMR", "TND")

	// They no longer have a minor unit, but are still counted in hundredths that must be 00.
	hundredthsOfWhole = setOf("ISK", "UGX")
)

func setOf(currencies ...string) map[string]bool {
	set := map[string]bool{}
	for _, c := range currencies {
		set[c] = true
	}
	return set
}

// Amount returns m in Stripe's units. ISO 4217, which Money follows, and Stripe differ: 5 ISK are 5
// minor units here and 500 there, 5 MGA are 500 here and 5 there. It returns an error for an amount
// that Stripe cannot take to the last minor unit, and for a currency whose units at Stripe are not
// known: money is never rounded.
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
			return 0,
				fmt.Errorf("provider: %d minor units of %s do not convert to the provider's units", m.Amount,
					m.Currency)
		}
		amount /= 10
	}
	if threeDecimal[m.Currency] && amount%10 != 0 {
		return 0, fmt.Errorf("provider: thousandths of %s cannot be paid by card", m.Currency)
	}
	return amount, nil
}

// minorUnits is the reverse of Amount. It returns an error for a fraction of a minor unit.
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
			return 0,
				fmt.Errorf("provider: %d of the provider's units of %s do not convert to minor units", amount, currency)
		}
		minor /= 10
	}
	return minor, nil
}

// decimals returns how many decimals a currency has here and at the provider.
func decimals(currency string) (ours, theirs int, err error) {
	ours, theirs = iso.GetCurrency(currency).Fraction, 2
	switch {
	case zeroDecimal[currency]:
		theirs = 0
	case threeDecimal[currency]:
		theirs = 3
	case ours != 2 && !hundredthsOfWhole[currency]:
		return 0, 0,
			fmt.Errorf("provider: %s has %d decimals, and how the provider counts them is not known", currency, ours)
	}
	return ours, theirs, nil
}
