package dynamotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// dice draw what a generated sequence is made of: few keys, few values, and expressions that are mostly valid.
type dice struct {
	*rapid.T
	space string // begins every partition key and index key of the sequence, so that sequences share a table
	valid bool   // nothing is drawn that is refused for how it is written
	tame  bool   // attributes keep their types, and functions are asked only of the types that they know
}

// one draws one of several.
func one[E any](d dice, of ...E) E { return rapid.SampledFrom(of).Draw(d.T, "one of") }

// perhaps is true once in so many times.
func (d dice) perhaps(in int) bool { return rapid.IntRange(1, in).Draw(d.T, "perhaps") == 1 }

func (d dice) upto(count int) int { return rapid.IntRange(0, count).Draw(d.T, "up to") }

// The partition keys, sort keys and index keys there are.
func (d dice) partitions() []string { return []string{d.space + "a", d.space + "b"} }
func (d dice) owners() []string     { return []string{d.space + "x", d.space + "y"} }

func (d dice) key() item { return item{"pk": one(d, d.partitions()...), "sk": one(d, "1", "2", "3")} }

// distinct draws so many different keys.
func (d dice) distinct(count int) []item {
	var all []item
	for _, pk := range d.partitions() {
		for _, sk := range []string{"1", "2", "3"} {
			all = append(all, item{"pk": pk, "sk": sk})
		}
	}
	return rapid.Permutation(all).Draw(d.T, "keys")[:count]
}

// Numbers are whole and short: DynamoDB Local leaves zeros at the end of sums of fractions, and MiniStack counts with 28 digits.
func (d dice) number() any { return rapid.IntRange(-3, 9).Draw(d.T, "number") }
func (d dice) string() any { return one(d, "", "a", "ab", "b", "abc") }

func (d dice) scalar() any {
	return one(d, d.number(), d.string(), any(true), any(false), nil, any([]byte{1}), any([]byte{1, 2}))
}

func (d dice) set() any {
	if d.perhaps(2) {
		return d.words()
	}
	return d.numbers()
}

func (d dice) words() words {
	return words(rapid.Permutation([]string{"a", "b", "c"}).Draw(d.T, "words")[:1+d.upto(2)])
}

func (d dice) numbers() numbers {
	return numbers(rapid.Permutation([]string{"1", "2", "3"}).Draw(d.T, "numbers")[:1+d.upto(2)])
}

func (d dice) list() list {
	all := list{}
	for range d.upto(3) {
		all = append(all, d.scalar())
	}
	return all
}

func (d dice) value() any {
	switch d.upto(6) {
	case 0:
		return d.set()
	case 1:
		return d.list()
	case 2:
		return item{"x": d.scalar(), "y": d.list()}
	case 3:
		return item{"x": item{"y": d.scalar()}}
	}
	return d.scalar()
}

// usual draw what attributes usually hold. What an index has for its key is always of its type.
func (d dice) usual() map[string]func() any {
	return map[string]func() any{
		"n": d.number, "s": d.string, "v": d.value, "l": func() any { return d.list() }, "ss": func() any { return d.words() }, "ns": func() any { return d.numbers() },
		"m": func() any { return item{"x": d.scalar(), "y": d.list()} }, "owner": func() any { return one(d, d.owners()...) }, "at": d.number,
		"open": func() any { return one(d, d.owners()...) }, "due": d.number,
	}
}

// attributes draws what a row holds beside its key.
func (d dice) attributes() item {
	row, usual := item{}, d.usual()
	for _, name := range slices.Sorted(maps.Keys(usual)) {
		if d.perhaps(2) {
			row[name] = usual[name]()
		}
	}
	return row
}

// expression is one that is being written, with its values.
type expression struct {
	dice
	values item
}

func (d dice) expression() *expression { return &expression{dice: d, values: item{}} }

// is returns a placeholder for a value.
func (e *expression) is(v any) string {
	name := fmt.Sprintf(":v%d", len(e.values))
	e.values[name] = v
	return name
}

// path draws a document path that begins with an attribute that is in no index.
func (e *expression) path() string {
	return one(e.dice, "n", "s", "v", "l", "ss", "ns", "m", "m.x", "m.y", "m.y[0]", "l[0]", "l[1]", "v.x", "v.x.y", "absent")
}

// condition draws a condition of so many levels.
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
		return "attribute_type(" + path + ", " + e.is(one(e.dice, "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS")) + ")"
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
		return path + " " + one(e.dice, "=", "<>") + " " + e.is(e.value())
	}
	switch {
	case e.valid:
		return path + " " + e.sign() + " " + e.is(one(e.dice, e.number(), e.string()))
	case e.perhaps(2):
		return path + " " + e.sign() + " " + e.path()
	}
	return path + " " + e.sign() + " " + e.is(e.value())
}

// of returns the path, or one of those that a function knows the type of if it must.
func (e *expression) of(path string, known ...string) string {
	if e.tame {
		return one(e.dice, known...)
	}
	return path
}

func (e *expression) sign() string { return one(e.dice, "=", "<>", "<", "<=", ">", ">=") }

// update draws an update expression. Whole says that it changes whole attributes, and can: of none does it matter what it holds.
func (e *expression) update(whole bool) string {
	targets := rapid.Permutation([]string{"n", "s", "v", "l", "ss", "ns", "m", "owner", "at", "open"}).Draw(e.T, "targets")[:1+e.upto(3)]
	if !whole && !e.valid && e.perhaps(12) {
		targets = append(targets, targets[0]) // which overlaps
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

// replacement draws another value for a whole attribute, or none.
func (e *expression) replacement(of string) (clause, change string) {
	name := of
	if _, ok := indexKeys["#"+of]; ok {
		name = "#" + of
	}
	if e.perhaps(3) {
		return "REMOVE", name
	}
	if e.tame || name != of {
		return "SET", name + " = " + e.is(e.usual()[of]())
	}
	return "SET", name + " = " + e.is(e.value())
}

// change draws what becomes of an attribute or of a part of it. It may need the attribute to be of a type.
func (e *expression) change(of string) (clause, change string) {
	switch of {
	case "ss":
		return one(e.dice, "ADD", "DELETE"), "ss " + e.is(e.words())
	case "ns":
		return one(e.dice, "ADD", "DELETE"), "ns " + e.is(e.numbers())
	case "n":
		return e.count()
	case "l":
		return e.lengthen()
	case "m":
		if !e.tame && e.perhaps(3) {
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

// forms returns how many forms of a change there are to draw, beside the first: so many that need no more than the attribute's
// own type, and two that may meet another.
func (e *expression) forms(own int) int {
	if e.tame {
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

// indexKeys are the names by which reserved words go in expressions.
var indexKeys = names{"#owner": "owner", "#at": "at", "#open": "open"}

// named returns the names that expressions use; nil if they use none.
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
