package payable_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/money/payable"
)

// These are the examples of https://docs.stripe.com/currencies.
func TestUnits_CountsAsStripeDoes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given money.Money
		want  int64
	}{
		"10.00 USD are 1000 cents":                      {money.Money{Amount: 1000, Currency: "USD"}, 1000},
		"500 JPY are 500: a yen has no cents":           {money.Money{Amount: 500, Currency: "JPY"}, 500},
		"5.120 KWD are 5120 fils":                       {money.Money{Amount: 5120, Currency: "KWD"}, 5120},
		"5 ISK are 500, though a króna has no aurar":    {money.Money{Amount: 5, Currency: "ISK"}, 500},
		"5 UGX are 500, though a shilling has no cents": {money.Money{Amount: 5, Currency: "UGX"}, 500},
		"5 MGA are 5, though ISO counts them in 500":    {money.Money{Amount: 500, Currency: "MGA"}, 5},
		"10.45 HUF are 1045 when charged":               {money.Money{Amount: 1045, Currency: "HUF"}, 1045},
		"800.45 TWD are 80045 when charged":             {money.Money{Amount: 80045, Currency: "TWD"}, 80045},
		"the largest amount does not overflow": {money.Money{Amount: money.Max, Currency: "ISK"},
			money.Max * 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := payable.Units(c.given)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestUnits_RefusesWhatStripeCannotTake(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]money.Money{
		"5.125 KWD: cards do not support thousandths":   {Amount: 5125, Currency: "KWD"},
		"5.01 MGA: the provider counts whole ariary":    {Amount: 501, Currency: "MGA"},
		"IQD: three decimals that Stripe does not name": {Amount: 1000, Currency: "IQD"},
		"XAU: no decimals, and Stripe does not name it": {Amount: 1, Currency: "XAU"},
		"BYR: no decimals, and Stripe does not name it": {Amount: 1, Currency: "BYR"},
		"CLF: four decimals that Stripe does not name":  {Amount: 10000, Currency: "CLF"},
		"a negative amount":                             {Amount: -1, Currency: "EUR"},
		"an amount beyond 2^53":                         {Amount: money.Max + 1, Currency: "EUR"},
		"a currency that is not in ISO 4217":            {Amount: 1, Currency: "EUX"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := payable.Units(given)
			require.Error(t, err)
		})
	}
	_, err := payable.Units(money.Money{Amount: -1, Currency: "EUR"})
	require.ErrorIs(t, err, fault.Invalid)
}

// In whole units of the currency, the provider's amount and ours are equal.
func TestUnits_NeverRounds(t *testing.T) {
	t.Parallel()
	decimals := map[string]int{ // Stripe's, for each of its classes
		"EUR": 2, "USD": 2, "HUF": 2, "TWD": 2, "ISK": 2, "UGX": 2, "JPY": 0, "KRW": 0, "CLP": 0, "XOF": 0, "MGA": 0,
		"BHD": 3, "KWD": 3, "TND": 3,
	}
	codes := make([]string, 0, len(decimals))
	for code := range decimals {
		codes = append(codes, code)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := money.Money{Amount: rapid.Int64Range(0, money.Max).Draw(t, "amount"),
			Currency: rapid.SampledFrom(codes).Draw(t, "currency")}
		theirs, err := payable.Units(m)
		if err != nil {
			return
		}
		ours, known := money.Decimals(m.Currency)
		if !known {
			t.Fatalf("%s is unknown", m.Currency)
		}
		// theirs / 10^decimals = amount / 10^fraction, multiplied out by at most a thousand.
		if left, right := scaled(theirs, ours), scaled(m.Amount, decimals[m.Currency]); left != right {
			t.Fatalf("%d minor units of %s became %d", m.Amount, m.Currency, theirs)
		}
	})
}

type wide struct{ high, low int64 }

// scaled returns n times 10^digits, in two parts so that nothing overflows.
func scaled(n int64, digits int) wide {
	const part = 1_000_000_000
	w := wide{n / part, n % part}
	for range digits {
		w.high, w.low = w.high*10, w.low*10
		w.high, w.low = w.high+w.low/part, w.low%part
	}
	return w
}

func eur(amount int64) money.Money { return money.Money{Amount: amount, Currency: "EUR"} }

func TestCharge_NamesTheRuleThatAnAmountBreaks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given money.Money
		rule  string // empty: it can be charged
	}{
		"nothing is to be paid":    {eur(0), ""},
		"the smallest charge":      {eur(50), ""},
		"a cent less":              {eur(49), "must be at least 0.50 EUR"},
		"one cent":                 {eur(1), "must be at least 0.50 EUR"},
		"the largest charge":       {eur(99_999_999), ""},
		"a cent more":              {eur(100_000_000), "must be at most 999,999.99 EUR"},
		"yen below the minimum":    {money.Money{Amount: 49, Currency: "JPY"}, "must be at least 50 JPY"},
		"forint below the minimum": {money.Money{Amount: 17499, Currency: "HUF"}, "must be at least 175.00 HUF"},
		"the minimum is not known": {money.Money{Amount: 1, Currency: "KES"}, ""},
		"a thousandth": {money.Money{Amount: 1125, Currency: "KWD"},
			"must be a multiple of 0.010 KWD"},
		"a tenth of ten thousandths": {money.Money{Amount: 1120, Currency: "KWD"}, ""},
		"a part of an ariary": {money.Money{Amount: 550, Currency: "MGA"},
			"must be a multiple of 1.00 MGA"},
		"a large charge in rupiah": {money.Money{Amount: 999_999_999_999, Currency: "IDR"}, ""},
		"too many rupiah": {money.Money{Amount: 1_000_000_000_000, Currency: "IDR"},
			"must be at most 9,999,999,999.99 IDR"},
		"too many krónur": {money.Money{Amount: 1_000_000, Currency: "ISK"},
			"must be at most 999,999 ISK"},
		"a currency that is not taken": {money.Money{Amount: 1000, Currency: "VED"},
			"must be in another currency: the payment provider does not take VED"},
		"a withdrawn currency": {money.Money{Amount: 1000, Currency: "BGN"},
			"must be in another currency: the payment provider does not take BGN"},
		"three decimals that it does not": {money.Money{Amount: 1000, Currency: "IQD"},
			"must be in another currency: the payment provider does not take IQD"},
	} {
		err := payable.Charge(c.given)
		if c.rule == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.EqualError(t, err, c.rule, name)
	}
}

func TestPart_HasNoMinimum(t *testing.T) {
	t.Parallel()
	assert.NoError(t, payable.Part(eur(1)), "a refund of a cent")
	assert.NoError(t, payable.Part(money.Money{Amount: 1, Currency: "JPY"}))
	assert.NoError(t, payable.Part(money.Money{Amount: 1250, Currency: "BGN"}), "an order of the time before the euro")
	assert.NoError(t, payable.Part(money.Money{Amount: 10, Currency: "VED"}), "a price that another provider takes")
	assert.EqualError(t, payable.Part(money.Money{Amount: 1125, Currency: "KWD"}), "must be a multiple of 0.010 KWD")
	assert.EqualError(t, payable.Part(money.Money{Amount: 50, Currency: "MGA"}), "must be a multiple of 1.00 MGA")
}

// No list of refunds leaves an amount that can never be refunded.
func TestPart_LeavesARestThatCanBeMoved(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{"EUR", "JPY", "KWD", "BHD", "MGA", "ISK", "UGX", "IDR", "HUF"}).Draw(t,
			"currency")
		left := money.Money{Amount: rapid.Int64Range(1, 99_999_999).Draw(t, "total"), Currency: code}
		if payable.Charge(left) != nil {
			return
		}
		for range rapid.IntRange(0, 5).Draw(t, "refunds") {
			part := money.Money{Amount: rapid.Int64Range(0, left.Amount).Draw(t, "part"), Currency: code}
			if payable.Part(part) == nil {
				left.Amount -= part.Amount
			}
		}
		if err := payable.Part(left); err != nil {
			t.Fatalf("%s is left: %v", left.Format(), err)
		}
	})
}

// Every currency that the provider takes is one of today, and its units are known.
func TestLimits_OfEveryCurrencyCanBeCounted(t *testing.T) {
	t.Parallel()
	taken := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				code := string([]rune{a, b, c})
				limits, ok := payable.LimitsOf(code)
				if !ok {
					continue
				}
				taken++
				assert.NoError(t, money.Money{Amount: 1, Currency: code}.Check(), code)
				minor, err := payable.MinorUnits(limits.Step, code)
				require.NoError(t, err, code)
				units, err := payable.Units(money.Money{Amount: minor, Currency: code})
				require.NoError(t, err, code)
				assert.Equal(t, limits.Step, units, code)
			}
		}
	}
	assert.GreaterOrEqual(t, taken, 135, "the provider takes over 135 currencies")
}
