// Package attribute has DynamoDB's values: their types, JSON form, order and size
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html).
// Values are never changed in place, because an item, its copy in an index and its image in a
// stream share memory.
package attribute

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// Kind is a type descriptor, such as S in {"S": "mug"}.
type Kind string

// The kinds of values.
const (
	S    Kind = "S"
	N    Kind = "N"
	B    Kind = "B"
	BOOL Kind = "BOOL"
	NULL Kind = "NULL"
	M    Kind = "M"
	L    Kind = "L"
	SS   Kind = "SS"
	NS   Kind = "NS"
	BS   Kind = "BS"
)

// Value is one value.
type Value struct {
	Kind Kind
	Text string  // S; B, the bytes; N, in canonical form
	True bool    // BOOL
	List []Value // L; of a set: its elements, sorted
	Map  Item    // M
}

// Item is a list of attributes, sorted by name.
type Item []Field

// Field is the name and the value of an attribute.
type Field struct {
	Name  string
	Value Value
}

// Set reports whether the kind is a set.
func (k Kind) Set() bool { return k == SS || k == NS || k == BS }

// Element returns the kind of a set's elements.
func (k Kind) Element() Kind { return k[:1] }

// Of returns a number as a value.
func Of(n Number) Value { return Value{Kind: N, Text: n.String()} }

// Number returns the number of a value of kind N.
func (v Value) Number() Number {
	n, _ := ParseNumber(v.Text) // the text is canonical
	return n
}

// Get returns the attribute with the name.
func (i Item) Get(name string) (Value, bool) {
	if at, ok := i.find(name); ok {
		return i[at].Value, true
	}
	return Value{}, false
}

func (i Item) find(name string) (int, bool) {
	return slices.BinarySearchFunc(i, name, func(f Field, name string) int { return strings.Compare(f.Name, name) })
}

// With returns a copy of the item in which the attribute has the value.
func (i Item) With(name string, v Value) Item {
	at, ok := i.find(name)
	if ok {
		i = slices.Clone(i)
		i[at].Value = v
		return i
	}
	return slices.Insert(slices.Clip(i), at, Field{name, v})
}

// Without returns a copy of the item without the attribute.
func (i Item) Without(name string) Item {
	at, ok := i.find(name)
	if !ok {
		return i
	}
	return slices.Delete(slices.Clone(i), at, at+1)
}

// Only returns a copy of the item with only the named attributes.
func (i Item) Only(names []string) Item {
	only := Item{}
	for _, f := range i {
		if slices.Contains(names, f.Name) {
			only = append(only, f)
		}
	}
	return only
}

// Equal reports whether two items are equal.
func (i Item) Equal(other Item) bool {
	return slices.EqualFunc(i, other, func(a, b Field) bool { return a.Name == b.Name && a.Value.Equal(b.Value) })
}

// Equal reports whether two values have the same kind and are equal.
func (v Value) Equal(other Value) bool {
	return v.Kind == other.Kind && v.Text == other.Text && v.True == other.True &&
		slices.EqualFunc(v.List, other.List, Value.Equal) && v.Map.Equal(other.Map)
}

// Ordered reports whether values of the kind have an order.
func (k Kind) Ordered() bool { return k == S || k == N || k == B }

// Compare returns -1, 0 or 1. Both values must be of the same kind, and the kind must be ordered.
func (v Value) Compare(other Value) int {
	if v.Kind == N {
		return v.Number().Compare(other.Number())
	}
	return strings.Compare(v.Text, other.Text)
}

// Contains reports whether the value is in the set.
func (v Value) Contains(element Value) bool {
	return slices.ContainsFunc(v.List, func(e Value) bool { return e.Equal(element) })
}

// sorted sorts the elements of a set in place, and returns them.
func sorted(elements []Value) []Value {
	slices.SortFunc(elements, Value.Compare)
	return elements
}

// Union returns a set with the elements of both.
func (v Value) Union(other Value) Value {
	list := slices.Clone(v.List)
	for _, e := range other.List {
		if !v.Contains(e) {
			list = append(list, e)
		}
	}
	v.List = sorted(list)
	return v
}

// Minus returns the set without the other's elements. It may be empty.
func (v Value) Minus(other Value) Value {
	v.List = slices.DeleteFunc(slices.Clone(v.List), other.Contains)
	return v
}

// Length returns the result of the expression function size(): UTF-16 characters, bytes or
// elements. It returns false for numbers, booleans and nulls.
func (v Value) Length() (int, bool) {
	switch v.Kind {
	case S:
		return len(utf16.Encode([]rune(v.Text))), true
	case B:
		return len(v.Text), true
	case M:
		return len(v.Map), true
	case N, BOOL, NULL:
		return 0, false
	}
	return len(v.List), true
}

// nests reports whether values of the kind contain values.
func (k Kind) nests() bool { return k == M || k == L }

// TooDeep reports whether the item's lists and maps are nested deeper than DynamoDB allows.
func (i Item) TooDeep() bool { return i.deeper(nesting) }

func (i Item) deeper(levels int) bool {
	return slices.ContainsFunc(i, func(f Field) bool { return f.Value.deeper(levels) })
}

func (v Value) deeper(levels int) bool {
	if !v.Kind.nests() {
		return false
	}
	return levels == 0 || v.Map.deeper(levels-1) ||
		slices.ContainsFunc(v.List, func(e Value) bool { return e.deeper(levels - 1) })
}

// Size returns the item's size in bytes, as DynamoDB counts it.
func (i Item) Size() int {
	size := 0
	for _, f := range i {
		size += len(f.Name) + f.Value.Size()
	}
	return size
}

// Size returns the value's size in bytes, as DynamoDB counts it.
func (v Value) Size() int {
	switch v.Kind {
	case S, B:
		return len(v.Text)
	case N:
		return v.Number().size()
	case M:
		return 3 + len(v.Map) + v.Map.Size()
	case L:
		size := 3 + len(v.List)
		for _, e := range v.List {
			size += e.Size()
		}
		return size
	case SS, NS, BS:
		size := 0
		for _, e := range v.List {
			size += e.Size()
		}
		return size
	}
	return 1
}

// AppendKey appends the value of a key in a form whose byte order is the order of values. No
// value's form is a prefix of another's.
func (v Value) AppendKey(to []byte) []byte {
	if v.Kind == N {
		return v.Number().appendKey(to)
	}
	return append(v.AppendKeyPrefix(to), 0, 0)
}

// AppendKeyPrefix appends the common prefix of the forms of all values that begin with the value.
func (v Value) AppendKeyPrefix(to []byte) []byte {
	for i := range len(v.Text) {
		if to = append(to, v.Text[i]); v.Text[i] == 0 {
			to = append(to, 1)
		}
	}
	return to
}
