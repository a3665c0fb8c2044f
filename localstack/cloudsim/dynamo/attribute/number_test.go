package attribute

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseNumber_EqualNumbersHaveOneForm(t *testing.T) {
	t.Parallel()
	for text, canonical := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "+5": "5", "5.": "5", ".5": "0.5", "1.500": "1.5", "00012.3400e2": "1234",
		"1E+3": "1000",
		"1e-5": "0.00001", "-1.23e-3": "-0.00123", "100": "100", "12e20": "1200000000000000000000",
		"123456789012345678901234567890.12345678":     "123456789012345678901234567890.12345678",
		"1234567890123456789012345678901234567800000": "1234567890123456789012345678901234567800000",
		"1e125":  "1" + strings.Repeat("0", 125),
		"1e-130": "0." + strings.Repeat("0", 129) + "1",
		"9.9999999999999999999999999999999999999e125":    strings.Repeat("9", 38) + strings.Repeat("0", 88),
		"0.00000000000000000000000000000000000000000000": "0",
	} {
		n, err := ParseNumber(text)
		require.NoError(t, err, text)
		assert.Equal(t, canonical, n.String(), text)
	}
}

func TestParseNumber_InvalidTextIsRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]error{
		"": errNotNumber, "x": errNotNumber, " 5": errNotNumber, "5 ": errNotNumber, "0x10": errNotNumber,
		"1_000": errNotNumber, "1e1_0": errNotNumber,
		".": errNotNumber, "e5": errNotNumber, "1e": errNotNumber, "--1": errNotNumber, "NaN": errNotNumber,
		"Infinity": errNotNumber,
		"1e126":    errOverflow, "-1e126": errOverflow, "1e999999999": errOverflow, "1e-131": errUnderflow,
		"123456789012345678901234567890123456789": errPrecision,
	} {
		_, err := ParseNumber(text)
		assert.ErrorIs(t, err, why, text)
	}
}

// numbers draws numbers of all magnitudes. Many are close to each other.
func numbers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		digits := rapid.StringMatching(`-?[0-9]{1,18}(\.[0-9]{1,18})?`).Draw(t, "digits")
		return fmt.Sprintf("%se%d", digits,
			rapid.SampledFrom([]int{0, 0, 0, 1, -1, 40, -40, 90, -90}).Draw(t, "exponent"))
	})
}

func rational(t *rapid.T, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q", text)
	}
	return r
}

func TestNumber_CompareAndKeysFollowTheValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first, second := numbers().Draw(t, "first"), numbers().Draw(t, "second")
		a, errA := ParseNumber(first)
		b, errB := ParseNumber(second)
		if errA != nil || errB != nil {
			t.Skip("too many digits")
		}
		want := rational(t, first).Cmp(rational(t, second))
		if got := a.Compare(b); got != want {
			t.Fatalf("%s compared with %s: got %d, want %d", a, b, got, want)
		}
		if got := bytes.Compare(Of(a).AppendKey(nil), Of(b).AppendKey(nil)); got != want {
			t.Fatalf("the keys of %s compared with %s: got %d, want %d", a, b, got, want)
		}
	})
}

func TestNumber_SumsAreExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first, second := numbers().Draw(t, "first"), numbers().Draw(t, "second")
		a, errA := ParseNumber(first)
		b, errB := ParseNumber(second)
		if errA != nil || errB != nil {
			t.Skip("too many digits")
		}
		sum, err := a.Add(b)
		if err != nil {
			return
		}
		if want := new(big.Rat).Add(rational(t, first), rational(t, second)); rational(t, sum.String()).Cmp(want) != 0 {
			t.Fatalf("%s + %s is %s", a, b, sum)
		}
	})
}
