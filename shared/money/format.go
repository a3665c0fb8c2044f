package money

import iso "github.com/Rhymond/go-money"

// Format writes the amount for people to read, as in 1,250.00 EUR: with the code of its currency and not its sign, for a dollar
// sign stands for twenty currencies.
func (m Money) Format() string {
	c := iso.New(m.Amount, m.Currency).Currency()
	return iso.NewFormatter(c.Fraction, ".", ",", c.Code, "1 $").Format(m.Amount)
}
