// Package document reads a JSON document in one pass: requests come by the thousand, and their shape is known only to
// the operation that they ask for.
package document

import (
	"errors"
	"slices"
	"strings"
)

// Kind is what a node is.
type Kind byte

// The kinds of JSON; Absent is none.
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

// Node is a value. The zero Node stands for what is not there.
type Node struct {
	Kind     Kind
	Text     string // of a string, unescaped; of a number, as it was written
	Members  []Member
	Elements []Node
}

// Member is a name of an object and its value.
type Member struct {
	Name  string
	Value Node
}

// Get returns the member with the name; of two the last, as most readers do.
func (n Node) Get(name string) Node {
	for _, v := range slices.Backward(n.Members) {
		if v.Name == name {
			return v.Value
		}
	}
	return Node{}
}

// Has reports whether there is a member with the name that is not null.
func (n Node) Has(name string) bool {
	kind := n.Get(name).Kind
	return kind != Absent && kind != Null
}

// Sorted returns the members by name: the order that a client wrote them in is chance.
func (n Node) Sorted() []Member {
	sorted := slices.Clone(n.Members)
	slices.SortStableFunc(sorted, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return sorted
}

// Append writes the node with the members of its objects sorted: equal documents give equal bytes.
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

// AppendString writes a string with its quotes.
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

// AppendName writes the name of a member and its colon.
func AppendName(to []byte, name string) []byte { return append(AppendString(to, name), ':') }

var errUnreadable = errors.New("the document is not JSON")

// Parse reads a document.
func Parse(body []byte) (Node, error) {
	r := reader{text: string(body)}
	n := r.value(0)
	r.space()
	if r.failed || r.at != len(r.text) {
		return Node{}, errUnreadable
	}
	return n, nil
}
