// Package document reads JSON in one pass into untyped nodes. Simulations send thousands of
// requests, and only the operation of a request knows the request's shape.
package document

import (
	"errors"
	"slices"
	"strings"
)

// Kind is the kind of a node.
type Kind byte

// The kinds of JSON values. Absent is the kind of a missing value.
const (
	Absent Kind = iota
	Null
	True
	False
	Number
	String
	Object
	Array
)

// Node is a JSON value. The zero Node is a missing value.
type Node struct {
	Kind     Kind
	Text     string // of a string: unescaped; of a number: as written
	Members  []Member
	Elements []Node
}

// Member is a member of an object.
type Member struct {
	Name  string
	Value Node
}

// Get returns the member with the name, or the zero Node. The last of several wins, as in
// encoding/json.
func (n Node) Get(name string) Node {
	for _, v := range slices.Backward(n.Members) {
		if v.Name == name {
			return v.Value
		}
	}
	return Node{}
}

// Has reports whether the member with the name exists and is not null.
func (n Node) Has(name string) bool {
	kind := n.Get(name).Kind
	return kind != Absent && kind != Null
}

// Sorted returns the members sorted by name. The order in which a client wrote them has no meaning.
func (n Node) Sorted() []Member {
	sorted := slices.Clone(n.Members)
	slices.SortStableFunc(sorted, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return sorted
}

// Append appends the node as JSON. It sorts the members of objects, so that equal documents give
// equal bytes.
func (n Node) Append(to []byte) []byte {
	switch n.Kind {
	case True:
		return append(to, "true"...)
	case False:
		return append(to, "false"...)
	case Number:
		return append(to, n.Text...)
	case String:
		return AppendString(to, n.Text)
	case Object:
		to = append(to, '{')
		for i, m := range n.Sorted() {
			if i > 0 {
				to = append(to, ',')
			}
			to = AppendName(to, m.Name)
			to = m.Value.Append(to)
		}
		return append(to, '}')
	case Array:
		to = append(to, '[')
		for i, e := range n.Elements {
			if i > 0 {
				to = append(to, ',')
			}
			to = e.Append(to)
		}
		return append(to, ']')
	default:
		return append(to, "null"...)
	}
}

const hexadecimal = "0123456789abcdef"

// AppendString appends a quoted JSON string.
func AppendString(to []byte, s string) []byte {
	to = append(to, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		to = append(to, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			to = append(to, '\\', c)
		default:
			to = append(to, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&15])
		}
	}
	to = append(to, s[from:]...)
	return append(to, '"')
}

// AppendName appends the name of a member and a colon.
func AppendName(to []byte, name string) []byte { return append(AppendString(to, name), ':') }

var errUnreadable = errors.New("the document is not JSON")

// Parse reads a JSON document. It returns an error for any text that is not one JSON value.
func Parse(body []byte) (Node, error) {
	r := reader{text: string(body)}
	n := r.value(0)
	r.space()
	if r.failed || r.at != len(r.text) {
		return Node{}, errUnreadable
	}
	return n, nil
}
