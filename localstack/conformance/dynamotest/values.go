package dynamotest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"backroom/localstack/conformance"
)

// stored is an attribute value that is stored and read back as read, or that is refused.
type stored struct {
	value   any
	read    any
	refused bool // as invalid
}

func (v stored) check(t conformance.T, s *stage) {
	row := with(thing(t), item{"x": v.value})
	if v.refused {
		_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.things, Item: attributes(row)})
		refuses(t, err, invalid, "")
		s.holds(t, s.things, thing(t), nil)
		return
	}
	s.put(t, s.things, row)
	s.holds(t, s.things, thing(t), with(thing(t), item{"x": v.read}))
}

// sum is an addition to a number.
type sum struct {
	of, and, is string
	refused     bool // as invalid
}

func (a sum) check(t conformance.T, s *stage) {
	update{given: item{"n": number(a.of)}, do: "ADD n :v", values: item{":v": number(a.and)},
		becomes: item{"n": number(a.is)}, refused: a.refused}.check(t, s)
}

func values() map[string]example {
	all := map[string]example{
		"38 digits are kept": stored{value: number(
			"12345678901234567890123456789012345678"), read: number("12345678901234567890123456789012345678")},
		"38 digits after the point are kept": stored{value: number(
			"0.12345678901234567890123456789012345678"), read: number("0.12345678901234567890123456789012345678")},
		"39 digits are refused": stored{value: number(
			"123456789012345678901234567890123456789"), refused: true},
		"39 digits with a point are refused": stored{value: number(
			"1.23456789012345678901234567890123456789"), refused: true},
		"trailing zeros do not count as digits": stored{value: number(
			"100000000000000000000000000000000000000000"), read: number("100000000000000000000000000000000000000000")},
		"the largest power is kept": stored{value: number("1E125"),
			read: number("1" + strings.Repeat("0", 125))},
		"the largest number is kept": stored{value: number(
			"9.9999999999999999999999999999999999999E+125"),
			read: number(strings.Repeat("9", 38) + strings.Repeat("0", 88))},
		"the smallest power is kept": stored{value: number("1E-130"),
			read: number("0." + strings.Repeat("0", 129) + "1")},
		"a power too large is refused":                   stored{value: number("1E126"), refused: true},
		"a negative power too large is refused":          stored{value: number("-1E126"), refused: true},
		"a power too small is refused":                   stored{value: number("1E-131"), refused: true},
		"an empty number is refused":                     stored{value: number(""), refused: true},
		"a word is not a number":                         stored{value: number("one"), refused: true},
		"NaN is not a number":                            stored{value: number("NaN"), refused: true},
		"Infinity is not a number":                       stored{value: number("Infinity"), refused: true},
		"a hexadecimal is not a number":                  stored{value: number("0x1"), refused: true},
		"a number with two points is refused":            stored{value: number("1.2.3"), refused: true},
		"a number with a thousands separator is refused": stored{value: number("1,000"), refused: true},
		"a number that is too long in a document": stored{value: item{"l": list{number(
			"123456789012345678901234567890123456789")}}, refused: true},
		"numbers in documents are read alike": stored{value: item{"l": list{number("1.50"),
			item{"n": number("007")}}}, read: item{"l": list{number("1.5"), item{"n": 7}}}},
		"numbers in sets are read alike": stored{value: numbers{"1.0", "02", "3e1"},
			read: numbers{"1", "2", "30"}},
		"equal numbers are a duplicate":         stored{value: numbers{"1", "1.0"}, refused: true},
		"a set with a duplicate is refused":     stored{value: words{"a", "b", "a"}, refused: true},
		"a binary set with a duplicate":         stored{value: blobs{{1}, {1}}, refused: true},
		"an empty string set is refused":        stored{value: words{}, refused: true},
		"an empty number set is refused":        stored{value: numbers{}, refused: true},
		"an empty binary set is refused":        stored{value: blobs{}, refused: true},
		"an empty set in a document is refused": stored{value: item{"ss": words{}}, refused: true},
		"an empty string is kept":               stored{value: "", read: ""},
		"empty binary is kept":                  stored{value: []byte{}, read: []byte{}},
		"an empty list is kept":                 stored{value: list{}, read: list{}},
		"an empty map is kept":                  stored{value: item{}, read: item{}},
		"an empty string in a set is kept":      stored{value: words{"", "a"}, read: words{"", "a"}},
		"empty binary in a set is kept":         stored{value: blobs{{}, {1}}, read: blobs{{}, {1}}},
		"text of any script is kept":            stored{value: "Zoë 日本 🚚\u0000\n", read: "Zoë 日本 🚚\u0000\n"},
		"bytes of any kind are kept":            stored{value: []byte{0, 255, 128}, read: []byte{0, 255, 128}},
		"documents are kept as they are": stored{value: item{"a": list{nil, true,
			item{"a name": []byte{}}}}, read: item{"a": list{nil, true, item{"a name": []byte{}}}}},

		"0.1 and 0.2 are 0.3":        sum{of: "0.1", and: "0.2", is: "0.3"},
		"a sum of zero is 0":         sum{of: "-1.50", and: "1.5", is: "0"},
		"a sum loses trailing zeros": sum{of: "1.95", and: "0.05", is: "2"},
		"a sum carries through 38 digits": sum{of: strings.Repeat("9", 38), and: "1", is: "1" +
			strings.Repeat("0", 38)},
		"a sum of large numbers is exact": sum{of: "1e37", and: "1", is: "1" + strings.Repeat("0", 36) + "1"},
		"a sum out of range is refused":   sum{of: "9" + strings.Repeat("0", 125), and: "9e125", refused: true},
	}
	for written, read := range map[string]string{
		"0": "0", "-0": "0", "0.0": "0", "+5": "5", "005": "5", "1.500": "1.5", "1e3": "1000", "1E+3": "1000",
		"15e-1": "1.5", "-0.0010": "-0.001", ".5": "0.5", "5.": "5", "1e-7": "0.0000001",
		"120e-1": "12", "-12.0": "-12", "1e20": "100000000000000000000", "0e99": "0",
	} {
		all["the number "+written+" is read as "+read] = stored{value: number(written), read: number(read)}
	}
	return all
}
