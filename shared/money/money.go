// Package money holds amounts of money as whole minor units of an ISO 4217 currency. There are no floats in it.
package money

import (
	iso "github.com/Rhymond/go-money"

	"backroom/shared/fault"
)

// Max is the largest amount, in minor units, that is let in: JSON readers elsewhere keep integers exact up to 2^53.
const Max = 1 << 53

// What is wrong with an amount.
var (
	ErrOutOfRange = fault.New(fault.Invalid, "amount-out-of-range", "An amount must be between 0 and 2^53 minor units.")
	ErrCurrency   = fault.New(fault.Invalid, "unknown-currency", "The currency is not a code of ISO 4217.")
	ErrMixed      = fault.New(fault.Invalid, "mixed-currencies", "One order has one currency.")
)

// Money is an amount in minor units (cents, yen) of one currency.
type Money struct {
	Amount   int64  `json:"amount" minimum:"0" maximum:"9007199254740992" doc:"in minor units of the currency" example:"1250"`
	Currency string `json:"currency" minLength:"3" maxLength:"3" pattern:"^[A-Z]{3}$" doc:"ISO 4217 code" example:"EUR"`
}

// Check returns ErrOutOfRange or ErrCurrency unless m is an amount that can be asked for.
func (m Money) Check() error {
	if m.Amount < 0 || m.Amount > Max {
		return ErrOutOfRange
	}
	if c := iso.GetCurrency(m.Currency); c == nil || c.Code != m.Currency { // it would take small letters, too
		return ErrCurrency
	}
	return nil
}

// Times returns m taken n times. It returns ErrOutOfRange if n is negative or the result exceeds Max.
func (m Money) Times(n int64) (Money, error) {
	if n < 0 || m.Amount < 0 || (n > 0 && m.Amount > Max/n) {
		return Money{}, ErrOutOfRange
	}
	return Money{m.Amount * n, m.Currency}, nil
}

// Plus returns the sum. It returns ErrMixed for different currencies and ErrOutOfRange beyond Max. The zero Money has no
// currency yet and takes the other's.
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
