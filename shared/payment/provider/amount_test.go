package provider_test

import (
	"testing"

	iso "github.com/Rhymond/go-money"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/payment/provider"
)

// These are the examples of https://docs.stripe.com/currencies.
func TestAmount_CountsAsStripeDoes(t *testing.T) {
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
			got, err := provider.Amount(c.given)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestAmount_RefusesWhatStripeCannotTake(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]money.Money{
		"5.125 KWD: cards do not support thousandths":   {Amount: 5125, Currency: "KWD"},
		"5.01 MGA: the provider counts whole ariary":    {Amount: 501, Currency: "MGA"},
		"IQD: three decimals that Stripe does not name": {Amount: 1000, Currency: "IQD"},
		"XAU: no decimals, and Stripe does not name it": {Amount: 1, Currency: "XAU"},
		"CLF: four decimals that Stripe does not name":  {Amount: 10000, Currency: "CLF"},
		"a negative amount":                             {Amount: -1, Currency: "EUR"},
		"an amount beyond 2^53":                         {Amount: money.Max + 1, Currency: "EUR"},
		"a currency that is not in ISO 4217":            {Amount: 1, Currency: "EUX"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := provider.Amount(given)
			require.Error(t, err)
		})
	}
	_, err := provider.Amount(money.Money{Amount: -1, Currency: "EUR"})
	require.ErrorIs(t, err, fault.Invalid)
}

// In whole units of the currency, the provider's amount and ours are equal.
func TestAmount_NeverRounds(t *testing.T) {
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
		theirs, err := provider.Amount(m)
		if err != nil {
			return
		}
		ours := iso.GetCurrency(m.Currency).Fraction
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
