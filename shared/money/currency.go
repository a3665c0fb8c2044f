package money

import "strings"

// current has the currencies of ISO 4217 in which a price can be stated, with the number of their
// decimals. The source is list one of SIX, the maintenance agency of ISO 4217 (www.six-group.com,
// data standards), as of 2026-01-01. Nobody pays in the other codes of that list: fund codes and
// index units (BOV, CHE, CHW, CLF, COU, MXV, USN, UYI, UYW), precious metals (XAG, XAU, XPD, XPT),
// units of account (XAD, XBA, XBB, XBC, XBD, XDR, XSU, XUA), the code for tests (XTS) and the one
// for no currency (XXX).
var current = decimalsOf(map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY " +
		"COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF " +
		"IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR " +
		"MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG " +
		"SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES " +
		"WST XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
})

// former has codes that earlier releases accepted for prices: currencies that were withdrawn since,
// and codes that were never currencies of ISO 4217. An order in one of them can still be read,
// refunded and erased. A currency that is withdrawn moves from current to this list.
var former = decimalsOf(map[int]string{
	0: "BYR XAG XAU XDR",
	2: "ANG BGN CUC EEK GGP GHC HRK IMP JEP LTL LVL RUR SKK SLL STD TRL VEF ZWD ZWL",
	4: "CLF",
})

func decimalsOf(codes map[int]string) map[string]int {
	decimals := map[string]int{}
	for n, list := range codes {
		for code := range strings.FieldsSeq(list) {
			decimals[code] = n
		}
	}
	return decimals
}

// Decimals returns how many decimals a currency has: 2 if a minor unit is a hundredth. It returns
// false for a code that no price can have had.
func Decimals(currency string) (int, bool) {
	if n, ok := current[currency]; ok {
		return n, true
	}
	n, ok := former[currency]
	return n, ok
}
