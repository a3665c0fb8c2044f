package attribute

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

// The range of numbers: 38 digits, and magnitudes from 1e-130 up to but not including 1e126.
const (
	maxDigits   = 38
	maxExponent = 126
	minExponent = -129
)

// The errors of numbers.
const (
	errNotNumber = Refusal("A value provided cannot be converted into a number")
	errOverflow  = Refusal("Number overflow. Attempting to store a number with magnitude larger than supported range")
	errUnderflow = Refusal("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	errPrecision = Refusal("DynamoDB only supports precision up to 38 digits")
)

// Number is the decimal 0.digits × 10^exponent. Its digits neither begin nor end with 0. Zero has
// no digits.
type Number struct {
	negative bool
	digits   string
	exponent int
}

// ParseNumber reads a number in DynamoDB's syntax: an optional sign, digits, a decimal point and an
// exponent. It returns a Refusal for any other text, and for a number out of range.
func ParseNumber(text string) (Number, error) {
	n := Number{}
	rest := text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		n.negative = rest[0] == '-'
		rest = rest[1:]
	}
	mantissa := rest
	if e := strings.IndexAny(rest, "eE"); e >= 0 {
		mantissa = rest[:e]
		power, err := strconv.Atoi(rest[e+1:])
		if err != nil || strings.Contains(rest[e+1:], "_") {
			return n, errNotNumber
		}
		n.exponent = max(min(power, 10*maxExponent), 10*minExponent)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || !decimal(whole) || !decimal(fraction) {
		return n, errNotNumber
	}
	n.exponent += len(whole)
	n.digits = whole
	if fraction != "" {
		n.digits += fraction
	}
	return n.trimmed()
}

func decimal(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// trimmed returns the number without leading and trailing zeros, or a Refusal if it is out of
// range.
func (n Number) trimmed() (Number, error) {
	significant := strings.TrimLeft(n.digits, "0")
	n.exponent -= len(n.digits) - len(significant)
	n.digits = strings.TrimRight(significant, "0")
	switch {
	case n.digits == "":
		return Number{}, nil
	case n.exponent > maxExponent:
		return n, errOverflow
	case n.exponent < minExponent:
		return n, errUnderflow
	case len(n.digits) > maxDigits:
		return n, errPrecision
	}
	return n, nil
}

// String returns the canonical form, without an exponent and without superfluous zeros.
func (n Number) String() string {
	sign := ""
	if n.negative {
		sign = "-"
	}
	switch {
	case n.digits == "":
		return "0"
	case n.exponent <= 0:
		return sign + "0." + strings.Repeat("0", -n.exponent) + n.digits
	case n.exponent < len(n.digits):
		return sign + n.digits[:n.exponent] + "." + n.digits[n.exponent:]
	}
	return sign + n.digits + strings.Repeat("0", n.exponent-len(n.digits))
}

// Compare returns -1, 0 or 1.
func (n Number) Compare(other Number) int {
	sign, otherSign := n.sign(), other.sign()
	if sign != otherSign || sign == 0 {
		return cmp.Compare(sign, otherSign)
	}
	magnitude := cmp.Compare(n.exponent, other.exponent)
	if magnitude == 0 {
		magnitude = strings.Compare(n.digits, other.digits)
	}
	return sign * magnitude
}

func (n Number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	}
	return 1
}

// Add returns the sum, or a Refusal if it is out of range.
func (n Number) Add(other Number) (Number, error) {
	scale := min(n.exponent-len(n.digits), other.exponent-len(other.digits))
	sum := new(big.Int).Add(n.scaled(scale), other.scaled(scale))
	digits := new(big.Int).Abs(sum).String()
	return Number{negative: sum.Sign() < 0, digits: digits, exponent: scale + len(digits)}.trimmed()
}

// Negated returns the number with the opposite sign.
func (n Number) Negated() Number {
	n.negative = !n.negative && n.digits != ""
	return n
}

// scaled returns the number as a multiple of 10^scale.
func (n Number) scaled(scale int) *big.Int {
	i := new(big.Int)
	if n.digits == "" {
		return i
	}
	i.SetString(n.digits+strings.Repeat("0", n.exponent-len(n.digits)-scale), 10)
	if n.negative {
		i.Neg(i)
	}
	return i
}

// size returns the bytes that the number takes in storage: one for every two digits, counted from
// the decimal point, and one or two more.
func (n Number) size() int {
	if n.digits == "" {
		return 1
	}
	size := 1 + (len(n.digits)+n.exponent&1+1)/2
	if n.negative {
		size++
	}
	return size
}

// appendKey appends the number in a form whose byte order is the order of numbers.
func (n Number) appendKey(to []byte) []byte {
	switch n.sign() {
	case 0:
		return append(to, 2)
	case 1:
		to = append(to, 3, byte(n.exponent-minExponent))
		to = append(to, n.digits...)
		return append(to, 0)
	}
	to = append(to, 1, ^byte(n.exponent-minExponent))
	for i := range len(n.digits) {
		to = append(to, ^n.digits[i])
	}
	return append(to, 0xff)
}
