package money_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"backroom/shared/money"
)

var (
	anyAmount = rapid.OneOf(rapid.Int64Range(0, money.Max), rapid.Int64Range(0, 10_000),
		rapid.SampledFrom([]int64{0, 1, money.Max - 1, money.Max}))
	currency = rapid.SampledFrom([]string{"EUR", "USD", "JPY", "KWD"})
)

func amount(t *rapid.T, in string, label string) money.Money {
	return money.Money{Amount: anyAmount.Draw(t, label), Currency: in}
}

// checkResult checks that a result is a valid amount in its currency, or an error with the zero
// Money.
func checkResult(t *rapid.T, m money.Money, err error, currency string) {
	if err == nil && (m.Amount < 0 || m.Amount > money.Max || m.Currency != currency) {
		t.Fatalf("invalid result: %d %s", m.Amount, m.Currency)
	}
	if err != nil && m != (money.Money{}) {
		t.Fatalf("an error, but also the result %v", m)
	}
}

func TestPlus_IsCommutativeAndAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := currency.Draw(t, "currency")
		a, b, c := amount(t, in, "a"), amount(t, in, "b"), amount(t, in, "c")
		ab, err := a.Plus(b)
		checkResult(t, ab, err, in)
		ba, otherErr := b.Plus(a)
		if ab != ba || (err == nil) != (otherErr == nil) {
			t.Fatalf("%v + %v is not %v + %v", a, b, b, a)
		}
		if (err == nil) != (a.Amount <= money.Max-b.Amount) {
			t.Fatalf("%v + %v: %v", a, b, err)
		}
		bc, errBC := b.Plus(c)
		if err == nil && errBC == nil {
			left, errLeft := ab.Plus(c)
			right, errRight := a.Plus(bc)
			if left != right || (errLeft == nil) != (errRight == nil) {
				t.Fatalf("(%v + %v) + %v is not %v + (%v + %v)", a, b, c, a, b, c)
			}
		}
	})
}

func TestTimes_IsRepeatedPlus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := currency.Draw(t, "currency")
		price, n := amount(t, in, "price"), rapid.Int64Range(0, 50).Draw(t, "n")
		product, err := price.Times(n)
		checkResult(t, product, err, in)
		sum, sumErr := money.Money{Currency: in}, error(nil)
		for range n {
			if sum, sumErr = sum.Plus(price); sumErr != nil {
				break
			}
		}
		if (err == nil) != (sumErr == nil) || err == nil && product != sum {
			t.Fatalf("%d times %v is %v (%v), added up %v (%v)", n, price, product, err, sum, sumErr)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		price, n := amount(t, "EUR", "price"), rapid.Int64().Draw(t, "n")
		product, err := price.Times(n)
		checkResult(t, product, err, "EUR")
	})
}

func TestPlus_RefusesOtherCurrenciesAndSumsAboveMax(t *testing.T) {
	euro, yen := money.Money{Amount: 1, Currency: "EUR"}, money.Money{Amount: 1, Currency: "JPY"}
	_, err := euro.Plus(yen)
	assert.ErrorIs(t, err, money.ErrMixed)
	_, err = euro.Plus(money.Money{Amount: money.Max, Currency: "EUR"})
	assert.ErrorIs(t, err, money.ErrOutOfRange)
	sum, err := money.Money{}.Plus(yen)
	assert.NoError(t, err)
	assert.Equal(t, yen, sum, "the zero Money takes the currency of the other")
}

func TestCheck_AcceptsValidAmountsOnly(t *testing.T) {
	for name, c := range map[string]struct {
		amount   int64
		currency string
		err      error
	}{
		"zero":                     {0, "EUR", nil},
		"a price":                  {1250, "EUR", nil},
		"the largest amount":       {money.Max, "JPY", nil},
		"one more":                 {money.Max + 1, "JPY", money.ErrOutOfRange},
		"a negative amount":        {-1, "EUR", money.ErrOutOfRange},
		"the smallest number":      {math.MinInt64, "EUR", money.ErrOutOfRange},
		"a currency in lower case": {1, "eur", money.ErrCurrency},
		"an unknown currency":      {1, "XXY", money.ErrCurrency},
		"no currency":              {1, "", money.ErrCurrency},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorIs(t, money.Money{Amount: c.amount, Currency: c.currency}.Check(), c.err)
		})
	}
}
