package expression

import (
	"slices"
	"strconv"
	"strings"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// path leads to a value within an item: it begins with an attribute's name.
type path []step

// step goes to a member of a map or, without a name, to an element of a list.
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

// String returns the path as DynamoDB names it in errors: [a, b, [0]].
func (p path) String() string {
	steps := make([]string, len(p))
	for i, s := range p {
		steps[i] = s.String()
	}
	return "[" + strings.Join(steps, ", ") + "]"
}

// in returns what the path leads to.
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

// apart refuses two paths of which one is part of the other, or that take one value for a map and for a list.
func apart(paths []path) error {
	for i, p := range paths {
		for _, q := range paths[:i] {
			common := 0
			for common < min(len(p), len(q)) && p[common] == q[common] {
				common++
			}
			switch {
			case common == min(len(p), len(q)):
				return refuse("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %v, path two: %v", q, p)
			case p[common].list() != q[common].list():
				return refuse("Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %v, path two: %v", q, p)
			}
		}
	}
	return nil
}

// tops returns the names of the attributes that the paths begin with, each once.
func tops(paths []path) []string {
	var names []string
	for _, p := range paths {
		if !slices.Contains(names, p[0].name) {
			names = append(names, p[0].name)
		}
	}
	return names
}
