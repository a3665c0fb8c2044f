package money

import iso "github.com/Rhymond/go-money"

// Format writes the amount for people to read, as in 1,250.00 EUR. It uses the code of the currency
// and not its sign, because twenty currencies share the dollar sign. An amount in an unknown currency
// is written in minor units.
func (m Money) Format() string {
	decimals, _ := Decimals(m.Currency)
	return iso.NewFormatter(decimals, ".", ",", m.Currency, "1 $").Format(m.Amount)
}
