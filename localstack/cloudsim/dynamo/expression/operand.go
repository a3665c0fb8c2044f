package expression

import (
	"strconv"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// operand is a path, a value or a function of operands.
type operand struct {
	path     path
	value    *value
	function string
	operands []operand
}

// function says how a function may be used.
type function struct {
	arity     int
	condition bool // allowed in conditions
	update    bool // allowed in updates
	truth     bool // is a condition by itself
	onPath    bool // the first operand must be a path
}

var functions = map[string]function{
	"attribute_exists":     {arity: 1, condition: true, truth: true, onPath: true},
	"attribute_not_exists": {arity: 1, condition: true, truth: true, onPath: true},
	"attribute_type":       {arity: 2, condition: true, truth: true},
	"begins_with":          {arity: 2, condition: true, truth: true},
	"contains":             {arity: 2, condition: true, truth: true},
	"size":                 {arity: 1, condition: true},
	"if_not_exists":        {arity: 2, update: true, onPath: true},
	"list_append":          {arity: 2, update: true},
}

// kind returns the kind of the operand's value, or empty if it depends on the item.
func (o operand) kind() attribute.Kind {
	switch {
	case o.value != nil:
		return o.value.Kind
	case o.function == "size":
		return attribute.N
	}
	return ""
}

// operand reads a path, a value or a function, with or without parentheses.
func (p *parser) operand() operand {
	if p.accept("(") {
		o := p.operand()
		p.expect(")")
		return o
	}
	t := p.current()
	switch {
	case t.placeholder(':'):
		return operand{value: p.value()}
	case t.word() && !t.keyword() && p.peek().text == "(":
		return p.call()
	}
	return operand{path: p.path()}
}

// call reads a function and its operands.
func (p *parser) call() operand {
	o := operand{function: p.current().text}
	p.at++
	p.signs++
	p.expect("(")
	o.operands = append(o.operands, p.operand())
	for p.accept(",") {
		o.operands = append(o.operands, p.operand())
	}
	p.expect(")")
	if f, ok := functions[o.function]; !ok {
		p.mean("Invalid function name; function: %s", o.function)
	} else {
		p.checkCall(o, f)
	}
	return o
}

func (p *parser) checkCall(o operand, f function) {
	first := o.operands[0]
	switch {
	case !f.condition && p.kind != update:
		p.mean("The function is not allowed in a condition expression; function: %s", o.function)
	case !f.update && p.kind == update:
		p.mean("The function is not allowed in an update expression; function: %s", o.function)
	case len(o.operands) != f.arity:
		p.mean(
			"Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
			o.function, len(o.operands))
	case f.onPath && first.path == nil:
		p.mean("Operator or function requires a document path; operator or function: %s", o.function)
	}
	for _, inner := range o.operands {
		if functions[inner.function].truth || inner.function == "list_append" {
			p.misused(inner)
		}
	}
	if p.meaning == nil {
		p.checkOperands(o)
	}
}

func (p *parser) misused(o operand) {
	p.mean("The function is not allowed to be used this way in an expression; function: %s", o.function)
}

// checkOperands records an error for operands of kinds that the function does not accept.
func (p *parser) checkOperands(o operand) {
	switch o.function {
	case "size":
		p.need(o.function, o.operands, attribute.S, attribute.B, attribute.SS, attribute.NS, attribute.BS, attribute.L,
			attribute.M)
	case "begins_with":
		p.need(o.function, o.operands, attribute.S, attribute.B)
		p.distinct(o.function, o.operands)
	case "contains":
		p.distinct(o.function, o.operands)
	case "list_append":
		p.need(o.function, o.operands, attribute.L)
	case "attribute_type":
		p.checkType(o.operands[1])
	}
}

func (p *parser) checkType(o operand) {
	switch {
	case o.kind() == "":
		p.mean(
			"Incorrect operand type for operator or function; operator or function: attribute_type, operand type: a " +
				"document path")
	case o.kind() != attribute.S:
		p.mean(
			"Incorrect operand type for operator or function; operator or function: attribute_type, operand type: %s",
			o.kind())
	default:
		switch attribute.Kind(o.value.Text) {
		case attribute.S, attribute.N, attribute.B, attribute.BOOL, attribute.NULL, attribute.M, attribute.L,
			attribute.SS, attribute.NS, attribute.BS:
		default:
			p.mean("Invalid attribute type name found; type: %s, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}",
				o.value.Text)
		}
	}
}

// need records an error for operands whose known kind is not among the kinds.
func (p *parser) need(operator string, operands []operand, kinds ...attribute.Kind) {
	for _, o := range operands {
		known := o.kind() == ""
		for _, k := range kinds {
			known = known || o.kind() == k
		}
		if !known {
			p.mean("Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
				operator, o.kind())
		}
	}
}

// distinct records an error for a path that is compared with itself.
func (p *parser) distinct(operator string, operands []operand) {
	first := operands[0].path
	for _, o := range operands[1:] {
		if first != nil && o.path != nil && first.String() == o.path.String() {
			p.mean(
				"The first operand must be distinct from the remaining operands for this operator or function; "+
					"operator: %s, first operand: %v", operator, first)
		}
	}
}

// in returns the operand's value for the item, and false if it has none.
func (o operand) in(item attribute.Item) (attribute.Value, bool) {
	switch {
	case o.value != nil:
		return o.value.Value, true
	case o.path != nil:
		return o.path.in(item)
	}
	v, ok := o.operands[0].in(item)
	if !ok {
		return v, false
	}
	length, ok := v.Length()
	return attribute.Value{Kind: attribute.N, Text: strconv.Itoa(length)}, ok
}

// paths appends the paths in the operand.
func (o operand) paths(to []path) []path {
	if o.path != nil {
		to = append(to, o.path)
	}
	for _, inner := range o.operands {
		to = inner.paths(to)
	}
	return to
}
