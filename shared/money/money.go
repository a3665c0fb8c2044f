// Package money has amounts of money, as whole minor units of an ISO 4217 currency. It uses no
// floats.
package money

import "backroom/shared/fault"

// Max is the largest valid amount, in minor units. Many JSON readers keep integers exact only up to
// 2^53.
const Max = 1 << 53

// Errors of amounts.
var (
	ErrOutOfRange = fault.New(fault.Invalid, "amount-out-of-range",
		"An amount, or the total, is not between 0 and 2^53 minor units. Send a smaller amount.")
	ErrCurrency = fault.New(fault.Invalid, "unknown-currency",
		"The currency is not in ISO 4217 today, or is a fund or a metal. Use a code such as EUR.")
	ErrMixed = fault.New(fault.Invalid, "mixed-currencies",
		"An order has one currency. Use the currency of the order.")
)

// Money is an amount in minor units (cents, yen) of one currency.
type Money struct {
	Amount   int64  `json:"amount" minimum:"0" maximum:"9007199254740992" doc:"in minor units of the currency, such as cents" example:"1250"`
	Currency string `json:"currency" minLength:"3" maxLength:"3" pattern:"^[A-Z]{3}$" doc:"ISO 4217 code" example:"EUR"`
}

// Check returns ErrOutOfRange or ErrCurrency unless m is a valid price today: 0 to Max of a currency
// of ISO 4217. An amount that was stored earlier may be in a currency that was withdrawn since; for
// that, see Decimals.
func (m Money) Check() error {
	if m.Amount < 0 || m.Amount > Max {
		return ErrOutOfRange
	}
	if _, ok := current[m.Currency]; !ok {
		return ErrCurrency
	}
	return nil
}

// Times returns m multiplied by n. It returns ErrOutOfRange if n is negative or the result exceeds
// Max.
func (m Money) Times(n int64) (Money, error) {
	if n < 0 || m.Amount < 0 || (n > 0 && m.Amount > Max/n) {
		return Money{}, ErrOutOfRange
	}
	return Money{m.Amount * n, m.Currency}, nil
}

// Plus returns the sum. It returns ErrMixed for different currencies, and ErrOutOfRange for a sum
// above Max. The zero Money has no currency; its sum with o is o.
func (m Money) Plus(o Money) (Money, error) {
	switch {
	case m == (Money{}):
		return o, nil
	case m.Currency != o.Currency:
		return Money{}, ErrMixed
	case m.Amount+o.Amount > Max:
		return Money{}, ErrOutOfRange
	}
	return Money{m.Amount + o.Amount, m.Currency}, nil
}
