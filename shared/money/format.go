package money

import iso "github.com/Rhymond/go-money"

// Format writes the amount for people to read, as in 1,250.00 EUR. It uses the code of the currency
// and not its sign, because twenty currencies share the dollar sign.
func (m Money) Format() string {
	c := iso.New(m.Amount, m.Currency).Currency()
	return iso.NewFormatter(c.Fraction, ".", ",", c.Code, "1 $").Format(m.Amount)
}
