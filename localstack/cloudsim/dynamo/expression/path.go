package expression

import (
	"slices"
	"strconv"
	"strings"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// path is a document path. It begins with the name of an attribute.
type path []step

// step selects a member of a map or, without a name, an element of a list.
type step struct {
	name  string
	index int
}

func (s step) list() bool { return s.name == "" }

func (s step) String() string {
	if s.list() {
		return "[" + strconv.Itoa(s.index) + "]"
	}
	return s.name
}

// String returns the path as DynamoDB's errors show it: [a, b, [0]].
func (p path) String() string {
	steps := make([]string, len(p))
	for i, s := range p {
		steps[i] = s.String()
	}
	return "[" + strings.Join(steps, ", ") + "]"
}

// in returns the value at the path in the item, and false if there is none.
func (p path) in(item attribute.Item) (attribute.Value, bool) {
	v, ok := item.Get(p[0].name)
	for _, s := range p[1:] {
		if !ok {
			break
		}
		v, ok = s.in(v)
	}
	return v, ok
}

func (s step) in(v attribute.Value) (attribute.Value, bool) {
	switch {
	case !s.list() && v.Kind == attribute.M:
		return v.Map.Get(s.name)
	case s.list() && v.Kind == attribute.L && s.index < len(v.List):
		return v.List[s.index], true
	}
	return attribute.Value{}, false
}

// apart refuses paths that overlap or conflict: one path contains another, or two paths need the
// same value to be a map and a list.
func apart(paths []path) error {
	for i, p := range paths {
		for _, q := range paths[:i] {
			common := 0
			for common < min(len(p), len(q)) && p[common] == q[common] {
				common++
			}
			switch {
			case common == min(len(p), len(q)):
				return refuse(
					"Two document paths overlap with each other; must remove or rewrite one of these paths; path "+
						"one: %v, path two: %v", q, p)
			case p[common].list() != q[common].list():
				return refuse(
					"Two document paths conflict with each other; must remove or rewrite one of these paths; path "+
						"one: %v, path two: %v", q, p)
			}
		}
	}
	return nil
}

// tops returns the names of the paths' attributes, without duplicates.
func tops(paths []path) []string {
	var names []string
	for _, p := range paths {
		if !slices.Contains(names, p[0].name) {
			names = append(names, p[0].name)
		}
	}
	return names
}
