package dynamotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// generator draws the operations of a random sequence. It uses few keys, few values, and mostly
// valid expressions.
type generator struct {
	*rapid.T
	space string // the prefix of the sequence's partition and index keys; sequences share a table
	valid bool   // expressions have a valid syntax
	typed bool   // attributes keep their types, and functions get only types that they accept
}

// one draws one of several values.
func one[E any](g generator, of ...E) E { return rapid.SampledFrom(of).Draw(g.T, "one of") }

// perhaps draws true with a chance of one in the given number.
func (g generator) perhaps(in int) bool { return rapid.IntRange(1, in).Draw(g.T, "perhaps") == 1 }

func (g generator) upto(count int) int { return rapid.IntRange(0, count).Draw(g.T, "up to") }

// The partition keys, index keys and sort keys of a sequence.
func (g generator) partitions() []string { return []string{g.space + "a", g.space + "b"} }
func (g generator) owners() []string     { return []string{g.space + "x", g.space + "y"} }

func (g generator) key() item {
	return item{"pk": one(g, g.partitions()...), "sk": one(g, "1", "2", "3")}
}

// distinct draws count different keys.
func (g generator) distinct(count int) []item {
	var all []item
	for _, pk := range g.partitions() {
		for _, sk := range []string{"1", "2", "3"} {
			all = append(all, item{"pk": pk, "sk": sk})
		}
	}
	return rapid.Permutation(all).Draw(g.T, "keys")[:count]
}

// Numbers are short integers. DynamoDB Local keeps trailing zeros of sums of fractions, and
// MiniStack calculates with 28 digits.
func (g generator) number() any { return rapid.IntRange(-3, 9).Draw(g.T, "number") }
func (g generator) string() any { return one(g, "", "a", "ab", "b", "abc") }

func (g generator) scalar() any {
	return one(g, g.number(), g.string(), any(true), any(false), nil, any([]byte{1}), any([]byte{1, 2}))
}

func (g generator) set() any {
	if g.perhaps(2) {
		return g.words()
	}
	return g.numbers()
}

func (g generator) words() words {
	return words(rapid.Permutation([]string{"a", "b", "c"}).Draw(g.T, "words")[:1+g.upto(2)])
}

func (g generator) numbers() numbers {
	return numbers(rapid.Permutation([]string{"1", "2", "3"}).Draw(g.T, "numbers")[:1+g.upto(2)])
}

func (g generator) list() list {
	all := list{}
	for range g.upto(3) {
		all = append(all, g.scalar())
	}
	return all
}

func (g generator) value() any {
	switch g.upto(6) {
	case 0:
		return g.set()
	case 1:
		return g.list()
	case 2:
		return item{"x": g.scalar(), "y": g.list()}
	case 3:
		return item{"x": item{"y": g.scalar()}}
	}
	return g.scalar()
}

// usual has generators of the usual values of attributes. Index keys always have the type of the
// index.
func (g generator) usual() map[string]func() any {
	return map[string]func() any{
		"n": g.number, "s": g.string, "v": g.value, "l": func() any { return g.list() },
		"ss": func() any { return g.words() }, "ns": func() any { return g.numbers() },
		"m":     func() any { return item{"x": g.scalar(), "y": g.list()} },
		"owner": func() any { return one(g, g.owners()...) }, "at": g.number,
		"open": func() any { return one(g, g.owners()...) }, "due": g.number,
	}
}

// attributes draws the attributes of a row, without the key.
func (g generator) attributes() item {
	row, usual := item{}, g.usual()
	for _, name := range slices.Sorted(maps.Keys(usual)) {
		if g.perhaps(2) {
			row[name] = usual[name]()
		}
	}
	return row
}

// expression is a random expression with its values.
type expression struct {
	generator
	values item
}

func (g generator) expression() *expression { return &expression{generator: g, values: item{}} }

// is adds a value, and returns its placeholder.
func (e *expression) is(v any) string {
	name := fmt.Sprintf(":v%d", len(e.values))
	e.values[name] = v
	return name
}

// path draws a document path. It begins with an attribute that is in no index.
func (e *expression) path() string {
	return one(e.generator, "n", "s", "v", "l", "ss", "ns", "m", "m.x", "m.y", "m.y[0]", "l[0]", "l[1]", "v.x", "v.x.y",
		"absent")
}

// condition draws a condition with the given number of levels.
func (e *expression) condition(levels int) string {
	if levels > 0 {
		switch e.upto(5) {
		case 0:
			return e.condition(levels-1) + " AND " + e.condition(levels-1)
		case 1:
			return e.condition(levels-1) + " OR " + e.condition(levels-1)
		case 2:
			return "NOT " + e.condition(levels-1)
		case 3:
			return "(" + e.condition(levels-1) + ") AND NOT (" + e.condition(levels-1) + ")"
		}
	}
	return e.term()
}

// term draws one comparison or function.
func (e *expression) term() string {
	path := e.path()
	switch e.upto(9) {
	case 0:
		return "attribute_exists(" + path + ")"
	case 1:
		return "attribute_not_exists(" + path + ")"
	case 2:
		return "attribute_type(" + path + ", " +
			e.is(one(e.generator, "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS")) + ")"
	case 3:
		return "begins_with(" + e.of(path, "s") + ", " + e.is(e.string()) + ")"
	case 4:
		return "contains(" + e.of(path, "s", "l", "ss", "ns") + ", " + e.is(e.scalar()) + ")"
	case 5:
		return "size(" + e.of(path, "s", "l", "ss", "ns", "m") + ") " + e.sign() + " " + e.is(e.upto(3))
	case 6:
		return path + " BETWEEN " + e.is(e.upto(3)) + " AND " + e.is(4+e.upto(3))
	case 7:
		return path + " IN (" + e.is(e.value()) + ", " + e.is(e.scalar()) + ")"
	case 8:
		return path + " " + one(e.generator, "=", "<>") + " " + e.is(e.value())
	}
	switch {
	case e.valid:
		return path + " " + e.sign() + " " + e.is(one(e.generator, e.number(), e.string()))
	case e.perhaps(2):
		return path + " " + e.sign() + " " + e.path()
	}
	return path + " " + e.sign() + " " + e.is(e.value())
}

// of returns the path or, if the generator is typed, one of the paths whose type the function
// accepts.
func (e *expression) of(path string, known ...string) string {
	if e.typed {
		return one(e.generator, known...)
	}
	return path
}

func (e *expression) sign() string { return one(e.generator, "=", "<>", "<", "<=", ">", ">=") }

// update draws an update expression. With whole, it only replaces or removes whole attributes, and
// so never depends on their values.
func (e *expression) update(whole bool) string {
	targets := rapid.Permutation([]string{"n", "s", "v", "l", "ss", "ns", "m", "owner", "at", "open"}).Draw(e.T,
		"targets")[:1+e.upto(3)]
	if !whole && !e.valid && e.perhaps(12) {
		targets = append(targets, targets[0]) // the paths overlap
	}
	changes := map[string][]string{}
	for _, target := range targets {
		var clause, change string
		if whole {
			clause, change = e.replacement(target)
		} else {
			clause, change = e.change(target)
		}
		changes[clause] = append(changes[clause], change)
	}
	var clauses []string
	for _, clause := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if changes[clause] != nil {
			clauses = append(clauses, clause+" "+strings.Join(changes[clause], ", "))
		}
	}
	return strings.Join(clauses, " ")
}

// replacement draws a new value for an attribute, or its removal.
func (e *expression) replacement(of string) (clause, change string) {
	name := of
	if _, ok := indexKeys["#"+of]; ok {
		name = "#" + of
	}
	if e.perhaps(3) {
		return "REMOVE", name
	}
	if e.typed || name != of {
		return "SET", name + " = " + e.is(e.usual()[of]())
	}
	return "SET", name + " = " + e.is(e.value())
}

// change draws a change of an attribute or of a part of it. It may be invalid for some types of
// attributes.
func (e *expression) change(of string) (clause, change string) {
	switch of {
	case "ss":
		return one(e.generator, "ADD", "DELETE"), "ss " + e.is(e.words())
	case "ns":
		return one(e.generator, "ADD", "DELETE"), "ns " + e.is(e.numbers())
	case "n":
		return e.count()
	case "l":
		return e.lengthen()
	case "m":
		if !e.typed && e.perhaps(3) {
			return "REMOVE", "m.x"
		}
		return "SET", "m.x = " + e.is(e.scalar())
	case "v":
		return "SET", "v = if_not_exists(" + e.path() + ", " + e.is(e.value()) + ")"
	}
	return e.replacement(of)
}

// count draws arithmetic on n.
func (e *expression) count() (clause, change string) {
	switch e.upto(e.forms(3)) {
	case 0:
		return "ADD", "n " + e.is(e.number())
	case 1:
		return "SET", "n = n + " + e.is(e.number())
	case 2:
		return "SET", "n = " + e.is(e.number()) + " - n"
	case 3:
		return "SET", "n = if_not_exists(n, " + e.is(0) + ") + " + e.is(1)
	}
	if e.perhaps(2) {
		return "SET", "n = " + e.is(e.number()) + " + " + e.path()
	}
	return "SET", "n = " + e.path() + " - " + e.is(e.number())
}

// forms returns the highest index of the forms of a change: own forms need only the attribute's own
// type, and two more may meet another type.
func (e *expression) forms(own int) int {
	if e.typed {
		return own
	}
	return own + 2
}

// lengthen draws a change of the list l.
func (e *expression) lengthen() (clause, change string) {
	switch e.upto(e.forms(2)) {
	case 0:
		return "SET", "l = list_append(if_not_exists(l, " + e.is(list{}) + "), " + e.is(e.list()) + ")"
	case 1:
		return "SET", "l = list_append(" + e.is(e.list()) + ", l)"
	case 2:
		return "SET", "l[1] = " + e.is(e.scalar())
	case 3:
		return "SET", "l = " + e.path()
	}
	return "REMOVE", "l[0]"
}

// indexKeys are the placeholders of reserved words.
var indexKeys = names{"#owner": "owner", "#at": "at", "#open": "open"}

// named returns the placeholders that expressions use; nil if they use none.
func named(expressions ...string) names {
	var some names
	for name, stands := range indexKeys {
		if slices.ContainsFunc(expressions, func(text string) bool { return strings.Contains(text, name) }) {
			if some == nil {
				some = names{}
			}
			some[name] = stands
		}
	}
	return some
}
