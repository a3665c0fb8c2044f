package attribute

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"backroom/localstack/cloudsim/dynamo/document"
)

// Refusal is the error for an invalid value or expression, with DynamoDB's text.
type Refusal string

// Error returns DynamoDB's text.
func (r Refusal) Error() string { return string(r) }

// The errors of values.
const (
	errNoKind    = Refusal("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	errManyKinds = Refusal(
		"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	errNull    = invalid + Refusal("Null attribute value types must have the value of true")
	errBase64  = invalid + Refusal("The value of a binary attribute is not Base64")
	errNoName  = Refusal("Empty attribute name")
	errNesting = Refusal("Nesting Levels have exceeded supported limits")
	errTwice   = Refusal("Input collection contains duplicates")
	invalid    = Refusal("One or more parameter values were invalid: ")
)

// nesting is the deepest nesting of lists and maps, without the item itself.
const nesting = 31

// Decode reads a value such as {"S": "mug"}. Every error is a Refusal.
func Decode(n document.Node) (Value, error) { return decode(n, 1) }

// DecodeItem reads a map of attributes. Every error is a Refusal.
func DecodeItem(n document.Node) (Item, error) { return decodeMap(n, 1) }

func decode(n document.Node, level int) (Value, error) {
	var given document.Member
	for _, m := range n.Members {
		if m.Value.Kind == document.Null {
			continue
		}
		if given.Name != "" {
			return Value{}, errManyKinds
		}
		given = m
	}
	v := Value{Kind: Kind(given.Name)}
	if level > nesting && v.Kind.nests() {
		return v, errNesting
	}
	var err error
	switch v.Kind {
	case S, N, B:
		return scalar(v.Kind, given.Value)
	case BOOL:
		v.True = given.Value.Kind == document.True
	case NULL:
		if given.Value.Kind != document.True {
			return v, errNull
		}
	case M:
		v.Map, err = decodeMap(given.Value, level+1)
	case L:
		v.List = make([]Value, len(given.Value.Elements))
		for i, e := range given.Value.Elements {
			if v.List[i], err = decode(e, level+1); err != nil {
				return v, err
			}
		}
	case SS, NS, BS:
		v.List, err = decodeSet(v.Kind, given.Value.Elements)
	default:
		err = errNoKind
	}
	return v, err
}

func scalar(k Kind, n document.Node) (Value, error) {
	v := Value{Kind: k, Text: n.Text}
	switch k {
	case N:
		if canonical(n.Text) {
			break
		}
		number, err := ParseNumber(n.Text)
		if err != nil {
			return v, err
		}
		v.Text = number.String()
	case B:
		bytes, err := base64.StdEncoding.DecodeString(n.Text)
		if err != nil {
			return v, errBase64
		}
		v.Text = string(bytes)
	}
	return v, nil
}

// canonical reports whether the text is an integer in DynamoDB's own form. Most numbers are, and
// need no parsing.
func canonical(text string) bool {
	return text != "" && len(text) <= maxDigits && text[0] != '0' && decimal(text)
}

func decodeMap(n document.Node, level int) (Item, error) {
	item := make(Item, 0, len(n.Members))
	for _, m := range n.Members {
		if m.Name == "" {
			return nil, errNoName
		}
		v, err := decode(m.Value, level)
		if err != nil {
			return nil, err
		}
		item = append(item, Field{m.Name, v})
	}
	slices.SortFunc(item, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return item, nil
}

var setNames = map[Kind]string{SS: "string", NS: "number", BS: "binary"}

func decodeSet(k Kind, elements []document.Node) ([]Value, error) {
	if len(elements) == 0 {
		return nil, invalid + Refusal(fmt.Sprintf("An %s set  may not be empty", setNames[k]))
	}
	set := make([]Value, len(elements))
	for i, e := range elements {
		var err error
		if set[i], err = scalar(k.Element(), e); err != nil {
			return nil, err
		}
	}
	sorted(set)
	for i := range set[1:] {
		if set[i].Text == set[i+1].Text {
			return nil, duplicates(k, elements)
		}
	}
	return set, nil
}

func duplicates(k Kind, elements []document.Node) error {
	switch k {
	case NS:
		return errTwice
	case BS:
		return invalid + "Input collection of type BS contains duplicates."
	}
	texts := make([]string, len(elements))
	for i, e := range elements {
		texts[i] = e.Text
	}
	return invalid + Refusal(fmt.Sprintf("Input collection [%s] contains duplicates", strings.Join(texts, ", ")))
}

// Append appends the item as JSON.
func (i Item) Append(to []byte) []byte {
	to = append(to, '{')
	for at, f := range i {
		if at > 0 {
			to = append(to, ',')
		}
		to = f.Value.Append(document.AppendName(to, f.Name))
	}
	return append(to, '}')
}

// Append appends the value as JSON.
func (v Value) Append(to []byte) []byte {
	to = append(to, '{', '"')
	to = append(to, v.Kind...)
	to = append(to, '"', ':')
	switch v.Kind {
	case S, N, B:
		to = v.appendText(to)
	case BOOL:
		to = fmt.Append(to, v.True)
	case NULL:
		to = append(to, "true"...)
	case M:
		to = v.Map.Append(to)
	default:
		to = v.appendList(to)
	}
	return append(to, '}')
}

func (v Value) appendText(to []byte) []byte {
	if v.Kind != B {
		return document.AppendString(to, v.Text)
	}
	to = append(to, '"')
	to = base64.StdEncoding.AppendEncode(to, []byte(v.Text))
	return append(to, '"')
}

func (v Value) appendList(to []byte) []byte {
	to = append(to, '[')
	for i, e := range v.List {
		if i > 0 {
			to = append(to, ',')
		}
		if v.Kind == L {
			to = e.Append(to)
		} else {
			to = e.appendText(to)
		}
	}
	return append(to, ']')
}
