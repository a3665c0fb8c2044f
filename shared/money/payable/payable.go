// Package payable says which amounts the payment provider can move, and in which units it counts
// them. The routes that accept prices, orders and refunds share it with the provider's client: an
// amount that the provider can never move is refused when it is asked for. The rules are Stripe's,
// as of 2025-11 (https://docs.stripe.com/currencies); another provider has others.
package payable

import (
	"fmt"
	"strings"

	"backroom/shared/fault"
	"backroom/shared/money"
)

// ErrUnpayable is returned for an amount that cards can never pay or get back. Its place in the
// request has the rule.
var ErrUnpayable = fault.New(fault.Invalid, "amount-unpayable",
	"The payment provider cannot move this amount in this currency; errors says which amounts it can.")

// currencies are those of list "Supported presentment currencies", with the three-decimal ones.
// Withdrawn currencies are absent: they are refunded, but not charged.
var currencies = setOf("AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD " +
	"CDF CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG " +
	"HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD " +
	"MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON " +
	"RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU " +
	"UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW")

// Currencies that the provider does not count in two decimals: sections "Zero-decimal currencies",
// "Three-decimal currencies" and "Special cases".
var (
	zeroDecimal = setOf("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF")

	// The last digit must be 0: cards do not support thousandths.
	threeDecimal = setOf("BHD JOD KWD OMR TND")

	// They no longer have a minor unit, but are still counted in hundredths that must be 00.
	hundredthsOfWhole = setOf("ISK UGX")
)

// least has the smallest charge in the provider's units: section "Minimum and maximum charge
// amounts". That of a currency which is not listed is converted from the one of the account's own
// currency, and is not known here.
var least = map[string]int64{
	"AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30, "HKD": 400,
	"HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200,
	"SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}

// The largest charge in the provider's units: eight digits, and twelve of IDR.
const (
	most    = 99_999_999
	mostIDR = 999_999_999_999
)

func setOf(codes string) map[string]bool {
	set := map[string]bool{}
	for code := range strings.FieldsSeq(codes) {
		set[code] = true
	}
	return set
}

// Limits are the provider's rules for charges in one currency, in the provider's units.
type Limits struct {
	Least, Most int64
	Step        int64 // every amount is a multiple of it
}

// LimitsOf returns the limits of a currency. It returns false if the provider does not take the
// currency.
func LimitsOf(currency string) (Limits, bool) {
	l := Limits{Least: max(least[currency], 1), Most: most, Step: 1}
	switch {
	case currency == "IDR":
		l.Most = mostIDR
	case threeDecimal[currency]:
		l.Step = 10
	case hundredthsOfWhole[currency]:
		l.Step = 100
	}
	return l, currencies[currency]
}

// Charge returns an error with the rule that forbids to charge m, such as "must be at least 0.50
// EUR". An amount of 0 needs no charge and is allowed.
func Charge(m money.Money) error {
	if m.Amount == 0 {
		return nil
	}
	limits, taken := LimitsOf(m.Currency)
	if !taken {
		return fmt.Errorf("must be in another currency: the payment provider does not take %s", m.Currency)
	}
	units, err := Units(m)
	switch {
	case err != nil:
		return err
	case units < limits.Least:
		return fmt.Errorf("must be at least %s", written(limits.Least, m.Currency))
	case units > limits.Most:
		return fmt.Errorf("must be at most %s", written(limits.Most, m.Currency))
	}
	return nil
}

// Part returns an error with the rule that forbids to move m as a part of a charge, such as "must
// be a multiple of 0.010 KWD". A sum of parts that are allowed is allowed too, and so is what they
// leave of a charge. In a currency that the provider does not take, every amount is allowed:
// nothing was ever charged.
func Part(m money.Money) error {
	if _, taken := LimitsOf(m.Currency); !taken {
		return nil
	}
	_, err := Units(m)
	return err
}

// Units returns m in the provider's units. ISO 4217, which Money follows, and the provider differ:
// 5 ISK are 5 minor units here and 500 there, 5 MGA are 500 here and 5 there. Units returns an
// error with the rule for an amount that the provider cannot count to the last minor unit: money is
// never rounded. It returns an error for a currency whose units at the provider are not known, and
// for an amount that is negative or above money.Max.
func Units(m money.Money) (int64, error) {
	ours, theirs, err := decimals(m.Currency)
	switch {
	case err != nil:
		return 0, err
	case m.Amount < 0 || m.Amount > money.Max:
		return 0, money.ErrOutOfRange
	}
	step := int64(1) // in our minor units
	if threeDecimal[m.Currency] {
		step = 10
	}
	for range ours - theirs {
		step *= 10
	}
	if m.Amount%step != 0 {
		return 0, fmt.Errorf("must be a multiple of %s", money.Money{Amount: step, Currency: m.Currency}.Format())
	}
	return rescale(m.Amount, ours, theirs), nil
}

// MinorUnits is the reverse of Units. It returns an error for a fraction of a minor unit.
func MinorUnits(units int64, currency string) (int64, error) {
	ours, theirs, err := decimals(currency)
	if err != nil {
		return 0, err
	}
	minor := rescale(units, theirs, ours)
	if rescale(minor, ours, theirs) != units {
		return 0, fmt.Errorf("%d of the provider's units of %s are a fraction of a minor unit", units, currency)
	}
	return minor, nil
}

// rescale returns an amount with another number of decimals. It drops what does not fit.
func rescale(amount int64, from, to int) int64 {
	for ; from < to; from++ {
		amount *= 10
	}
	for ; from > to; from-- {
		amount /= 10
	}
	return amount
}

// written returns an amount in the provider's units as people read it.
func written(units int64, currency string) string {
	ours, theirs, err := decimals(currency)
	if err != nil {
		return fmt.Sprint(units, " ", currency)
	}
	return money.Money{Amount: rescale(units, theirs, ours), Currency: currency}.Format()
}

// decimals returns how many decimals a currency has here and at the provider.
func decimals(currency string) (ours, theirs int, err error) {
	ours, known := money.Decimals(currency)
	switch {
	case !known:
		return 0, 0, fmt.Errorf("must be in a currency of ISO 4217, not in %s", currency)
	case zeroDecimal[currency]:
		return ours, 0, nil
	case threeDecimal[currency]:
		return ours, 3, nil
	case ours == 2, hundredthsOfWhole[currency]:
		return ours, 2, nil
	}
	return 0, 0, fmt.Errorf("must be in another currency: how the payment provider counts %s is not known", currency)
}
