package expression

import (
	"cmp"
	"slices"
	"strings"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// The errors of valid updates that do not fit the item.
const (
	errPath    = attribute.Refusal("The document path provided in the update expression is invalid for update")
	errMissing = attribute.Refusal("The provided expression refers to an attribute that does not exist in the item")
	errKind    = attribute.Refusal("An operand in the update expression has an incorrect data type")
)

// Update is an UpdateExpression.
type Update struct{ actions []action }

// action is the change of one path.
type action struct {
	verb  string // SET, REMOVE, ADD or DELETE
	path  path
	left  operand
	sign  string // between left and right: +, - or nothing
	right operand
}

// Update reads an UpdateExpression.
func (s *Scope) Update(text string) (Update, error) {
	actions, err := read(s, update, text, (*parser).update)
	if err != nil {
		return Update{}, err
	}
	paths := make([]path, len(actions))
	for i, a := range actions {
		paths[i] = a.path
	}
	if err := apart(paths); err != nil {
		return Update{}, refuse("Invalid %s: %v", update, err)
	}
	return Update{actions}, nil
}

func (p *parser) update() []action {
	verbs := map[string]func(*parser, action) action{
		"SET": (*parser).set, "REMOVE": func(_ *parser, a action) action { return a }, "ADD": (*parser).amount,
		"DELETE": (*parser).amount,
	}
	seen := map[string]bool{}
	var actions []action
	for more := true; more; more = p.current().text != "" {
		verb := strings.ToUpper(p.current().text)
		rest, ok := verbs[verb]
		if !ok {
			p.fail()
		}
		p.at++
		if seen[verb] {
			p.mean("The \"%s\" section can only be used once in an update expression;", verb)
		}
		seen[verb] = true
		actions = append(actions, rest(p, action{verb: verb, path: p.path()}))
		for p.accept(",") {
			actions = append(actions, rest(p, action{verb: verb, path: p.path()}))
		}
	}
	return actions
}

// set reads what follows the path of SET.
func (p *parser) set(a action) action {
	p.expect("=")
	if p.accept("(") {
		a = p.sum(a)
		p.expect(")")
		if a.sign != "" {
			return a
		}
		return p.signed(a)
	}
	return p.sum(a)
}

// sum reads an operand, or two operands and the sign between them.
func (p *parser) sum(a action) action {
	if p.accept("(") {
		a = p.sum(a)
		p.expect(")")
		if a.sign != "" {
			p.mean("The expression has redundant parentheses;")
			return a
		}
		return p.signed(a)
	}
	a.left = p.operand()
	return p.signed(a)
}

func (p *parser) signed(a action) action {
	for _, sign := range []string{"+", "-"} {
		if !p.accept(sign) {
			continue
		}
		p.signs++
		a.sign, a.right = sign, p.operand()
		operands := []operand{a.left, a.right}
		for _, o := range operands {
			if o.function == "list_append" {
				p.misused(o)
			}
		}
		p.need(sign, operands, attribute.N)
		break
	}
	return a
}

var kindNames = map[attribute.Kind]string{
	attribute.S: "STRING", attribute.N: "NUMBER", attribute.B: "BINARY", attribute.BOOL: "BOOLEAN",
	attribute.NULL: "NULL", attribute.L: "LIST", attribute.M: "MAP",
}

// amount reads the value of ADD or DELETE.
func (p *parser) amount(a action) action {
	if !p.current().placeholder(':') {
		p.fail()
	}
	a.left.value = p.value()
	kind := a.left.kind()
	if kind != "" && !kind.Set() && (kind != attribute.N || a.verb == "DELETE") {
		p.mean(
			"Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: "+
				"ALLOWED_FOR_%s_OPERAND", a.verb, kindNames[kind], a.verb)
	}
	return a
}

// Names returns the attributes that the update changes.
func (u Update) Names() []string {
	paths := make([]path, len(u.actions))
	for i, a := range u.actions {
		paths[i] = a.path
	}
	return tops(paths)
}

// Touched returns the whole attributes of the item that the update changes. Of the item before the
// update these are UPDATED_OLD, of the item after it UPDATED_NEW.
func (u Update) Touched(item attribute.Item) attribute.Item {
	var names []string
	for _, a := range u.actions {
		if _, ok := a.path.in(item); ok {
			names = append(names, a.path[0].name)
		}
	}
	return item.Only(names)
}

// Apply returns the item after the update. Every operand is read from the item before the update. A
// Refusal means that the update does not fit the item.
func (u Update) Apply(item attribute.Item) (attribute.Item, error) {
	root := attribute.Value{Kind: attribute.M, Map: item}
	results := make([]result, len(u.actions))
	for i, a := range u.actions {
		r, err := a.result(item)
		if err != nil {
			return nil, err
		}
		results[i] = r
	}
	// Elements beyond the end of a list are appended in the order of their indexes.
	slices.SortStableFunc(results,
		func(a, b result) int { return cmp.Compare(a.path[len(a.path)-1].index, b.path[len(b.path)-1].index) })
	gone := false
	for _, r := range results {
		var err error
		if root, err = r.put(root, r.path); err != nil {
			return nil, err
		}
		gone = gone || r.gone && r.path[len(r.path)-1].list()
	}
	if gone {
		root = closed(root)
	}
	return root.Map, nil
}

// result is a path and its value after the update.
type result struct {
	path  path
	value attribute.Value
	gone  bool // the value is removed
}

func (a action) result(item attribute.Item) (result, error) {
	r := result{path: a.path}
	old, there := a.path.in(item)
	var err error
	switch a.verb {
	case "SET":
		r.value, err = a.assigned(item)
	case "REMOVE":
		r.gone = true
	case "ADD":
		r.value, err = added(old, there, a.left.value.Value)
	case "DELETE":
		given := a.left.value.Value
		if there && old.Kind != given.Kind {
			return r, errKind
		}
		r.value = old.Minus(given)
		r.gone = len(r.value.List) == 0
	}
	return r, err
}

func added(old attribute.Value, there bool, given attribute.Value) (attribute.Value, error) {
	switch {
	case !there:
		return given, nil
	case old.Kind != given.Kind:
		return old, errKind
	case old.Kind == attribute.N:
		sum, err := old.Number().Add(given.Number())
		return attribute.Of(sum), err
	}
	return old.Union(given), nil
}

func (a action) assigned(item attribute.Item) (attribute.Value, error) {
	left, err := a.left.settled(item)
	if err != nil || a.sign == "" {
		return left, err
	}
	right, err := a.right.settled(item)
	if err != nil {
		return right, err
	}
	if left.Kind != attribute.N || right.Kind != attribute.N {
		return left, errKind
	}
	amount := right.Number()
	if a.sign == "-" {
		amount = amount.Negated()
	}
	sum, err := left.Number().Add(amount)
	return attribute.Of(sum), err
}

// settled returns the value of an operand of SET for the item.
func (o operand) settled(item attribute.Item) (attribute.Value, error) {
	switch o.function {
	case "if_not_exists":
		if v, ok := o.operands[0].in(item); ok {
			return v, nil
		}
		return o.operands[1].settled(item)
	case "list_append":
		first, err := o.operands[0].settled(item)
		if err != nil {
			return first, err
		}
		second, err := o.operands[1].settled(item)
		if err != nil {
			return second, err
		}
		if first.Kind != attribute.L || second.Kind != attribute.L {
			return first, errKind
		}
		first.List = slices.Concat(first.List, second.List)
		return first, nil
	}
	v, ok := o.in(item)
	if !ok {
		return v, errMissing
	}
	return v, nil
}

// put returns the container with the result in it. An element removed from a list leaves a gap, so
// that the indexes of other paths stay valid.
func (r result) put(container attribute.Value, rest path) (attribute.Value, error) {
	s := rest[0]
	if s.list() && container.Kind != attribute.L || !s.list() && container.Kind != attribute.M {
		return container, errPath
	}
	v, there := s.in(container)
	if len(rest) > 1 {
		if !there {
			return container, errPath
		}
		inner, err := r.put(v, rest[1:])
		if err != nil {
			return container, err
		}
		return s.with(container, inner), nil
	}
	switch {
	case !r.gone:
		return s.with(container, r.value), nil
	case !there:
		return container, nil
	case s.list():
		return s.with(container, attribute.Value{}), nil
	}
	container.Map = container.Map.Without(s.name)
	return container, nil
}

// with returns the container with the value at the step.
func (s step) with(container, v attribute.Value) attribute.Value {
	switch {
	case !s.list():
		container.Map = container.Map.With(s.name, v)
	case s.index < len(container.List):
		container.List = slices.Clone(container.List)
		container.List[s.index] = v
	default:
		container.List = append(slices.Clip(container.List), v)
	}
	return container
}

// closed returns the value without the gaps in its lists.
func closed(v attribute.Value) attribute.Value {
	switch v.Kind {
	case attribute.M:
		v.Map = slices.Clone(v.Map)
		for i := range v.Map {
			v.Map[i].Value = closed(v.Map[i].Value)
		}
	case attribute.L:
		list := []attribute.Value{}
		for _, e := range v.List {
			if e.Kind != "" {
				list = append(list, closed(e))
			}
		}
		v.List = list
	}
	return v
}
