package money_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/money"
)

func TestFormat_WritesAmountsForPeople(t *testing.T) {
	for want, m := range map[string]money.Money{
		"0.00 EUR":                  {Amount: 0, Currency: "EUR"},
		"0.05 EUR":                  {Amount: 5, Currency: "EUR"},
		"1,250.00 USD":              {Amount: 125000, Currency: "USD"},
		"7,900 JPY":                 {Amount: 7900, Currency: "JPY"},
		"1.234 KWD":                 {Amount: 1234, Currency: "KWD"},
		"90,071,992,547,409.92 EUR": {Amount: money.Max, Currency: "EUR"},
		"12.50 BGN":                 {Amount: 1250, Currency: "BGN"},
		"7 BYR":                     {Amount: 7, Currency: "BYR"},
		"1,250 QQQ":                 {Amount: 1250, Currency: "QQQ"},
	} {
		assert.Equal(t, want, m.Format())
	}
}
