package money_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/money"
)

func TestCheck_KnowsTheCurrenciesOfToday(t *testing.T) {
	for why, codes := range map[string]string{
		"the largest currencies": "USD EUR JPY GBP CNY AUD CAD CHF HKD SGD SEK KRW NOK NZD INR MXN TWD " +
			"ZAR BRL DKK",
		"they came since 2021":             "VED SLE XCG ZWG",
		"they have no decimals":            "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
		"they have three decimals":         "BHD IQD JOD KWD LYD OMR TND",
		"they are easily taken for funds":  "XAF XOF XPF XCD XCG",
		"they replaced withdrawn ones":     "TRY BYN MRU STN VES GHS",
		"they are in list one without use": "KPW IRR SYP CUP",
	} {
		for code := range strings.FieldsSeq(codes) {
			assert.NoError(t, money.Money{Amount: 1, Currency: code}.Check(), "%s: %s", code, why)
		}
	}
	for why, codes := range map[string]string{
		"they never were in ISO 4217":      "GGP IMP JEP EUX BTC",
		"the euro replaced them":           "BGN HRK LTL LVL EEK SKK DEM FRF",
		"another currency replaced them":   "TRL BYR ZWL ZWD CUC ANG SLL STD MRO VEF GHC RUR",
		"they are fund codes and indexes":  "BOV CHE CHW CLF COU MXV USN UYI UYW",
		"they are metals":                  "XAG XAU XPD XPT",
		"they are units of account":        "XAD XBA XBB XBC XBD XDR XSU XUA",
		"one is for tests, one is nothing": "XTS XXX",
		"they are not codes":               "eur Eur E EURO",
	} {
		for code := range strings.FieldsSeq(codes) {
			assert.ErrorIs(t, money.Money{Amount: 1, Currency: code}.Check(), money.ErrCurrency, "%s: %s", code, why)
		}
	}
}

// Rows in a withdrawn currency stay: they are read, refunded and erased.
func TestDecimals_KnowsCurrenciesOfStoredAmounts(t *testing.T) {
	for code, want := range map[string]int{
		"EUR": 2, "JPY": 0, "KWD": 3, "ISK": 0, "MGA": 2, "BGN": 2, "HRK": 2, "TRL": 2, "BYR": 0, "GGP": 2, "CLF": 4,
	} {
		got, known := money.Decimals(code)
		assert.True(t, known, code)
		assert.Equal(t, want, got, code)
	}
	_, known := money.Decimals("QQQ")
	assert.False(t, known)
}
