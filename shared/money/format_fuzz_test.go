package money_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/shared/money"
)

// A valid amount is written so that it can be read back, to the last minor unit.
func FuzzFormat(f *testing.F) {
	f.Add(int64(1250), "EUR")
	f.Add(int64(5), "JPY")
	f.Add(int64(money.Max), "KWD")
	f.Add(int64(0), "ISK")
	f.Add(int64(-1), "eur")
	f.Fuzz(func(t *testing.T, amount int64, currency string) {
		m := money.Money{Amount: amount, Currency: currency}
		if m.Check() != nil {
			return
		}
		written := m.Format()
		number, code, _ := strings.Cut(written, " ")
		require.Equal(t, m.Currency, code)
		whole, fraction, _ := strings.Cut(number, ".")
		decimals, known := money.Decimals(currency)
		require.True(t, known)
		require.Len(t, fraction, decimals, written)
		read, err := strconv.ParseInt(strings.ReplaceAll(whole, ",", "")+fraction, 10, 64)
		require.NoError(t, err, written)
		require.Equal(t, amount, read, written)
	})
}
