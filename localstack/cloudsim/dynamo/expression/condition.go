package expression

import (
	"slices"
	"strings"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// Condition is a ConditionExpression or a FilterExpression.
type Condition struct{ root condition }

// condition is AND, OR or NOT of conditions, or a comparison or function of operands.
type condition struct {
	operator   string
	conditions []condition
	operands   []operand
}

// Condition reads a ConditionExpression.
func (s *Scope) Condition(text string) (Condition, error) {
	root, err := read(s, "ConditionExpression", text, (*parser).condition)
	return Condition{root}, err
}

// Filter reads a FilterExpression.
func (s *Scope) Filter(text string) (Condition, error) {
	root, err := read(s, "FilterExpression", text, (*parser).condition)
	return Condition{root}, err
}

// phrase is the text read so far: a condition, or an operand that may become part of a condition.
type phrase struct {
	condition
	operand    operand
	bare       bool // the phrase is the operand
	parenthese bool // the phrase is in parentheses
}

func (p *parser) condition() condition { return p.whole(p.disjunction()) }

// whole returns the condition of a phrase. A path or a value alone is a syntax error.
func (p *parser) whole(f phrase) condition {
	switch {
	case !f.bare:
		return f.condition
	case f.operand.function == "":
		p.fail()
	case !functions[f.operand.function].truth:
		p.misused(f.operand)
	}
	return condition{operator: f.operand.function, operands: f.operand.operands}
}

func (p *parser) disjunction() phrase { return p.chain("OR", p.conjunction) }
func (p *parser) conjunction() phrase { return p.chain("AND", p.negation) }

// chain reads phrases joined by the operator.
func (p *parser) chain(operator string, next func() phrase) phrase {
	f := next()
	if !p.current().is(operator) {
		return f
	}
	joined := []condition{p.whole(f)}
	for p.accept(operator) {
		p.signs++
		joined = append(joined, p.whole(next()))
	}
	return phrase{condition: condition{operator: operator, conditions: joined}}
}

func (p *parser) negation() phrase {
	if p.accept("NOT") {
		p.signs++
		return phrase{condition: condition{operator: "NOT", conditions: []condition{p.whole(p.negation())}}}
	}
	f := phrase{bare: true}
	if p.accept("(") {
		f = p.disjunction()
		p.expect(")")
		if f.parenthese {
			p.mean("The expression has redundant parentheses;")
		}
		f.parenthese = true
	} else {
		f.operand = p.operand()
	}
	if f.bare {
		return p.comparison(f)
	}
	return f
}

var comparators = []string{"=", "<>", "<", "<=", ">", ">="}

// comparison reads the rest of a comparison whose first operand was read, if there is one.
func (p *parser) comparison(f phrase) phrase {
	operator := strings.ToUpper(p.current().text)
	operands := []operand{f.operand}
	switch {
	case slices.Contains(comparators, operator):
		p.at++
		operands = append(operands, p.operand())
	case operator == "BETWEEN":
		p.at++
		operands = append(operands, p.operand())
		p.expect("AND")
		operands = append(operands, p.operand())
	case operator == "IN":
		p.at++
		operands = append(operands, p.list()...)
	default:
		return f
	}
	p.signs++
	p.checkComparison(operator, operands)
	return phrase{condition: condition{operator: operator, operands: operands}}
}

// list reads the operands of IN.
func (p *parser) list() []operand {
	p.expect("(")
	list := []operand{p.operand()}
	for p.accept(",") {
		list = append(list, p.operand())
	}
	p.expect(")")
	if len(list) > maxList {
		p.mean("The IN operator is provided with too many operands; number of operands: %d", len(list))
	}
	return list
}

func (p *parser) checkComparison(operator string, operands []operand) {
	for _, o := range operands {
		if functions[o.function].truth {
			p.misused(o)
		}
	}
	p.distinct(operator, operands)
	switch operator {
	case "=", "<>", "IN":
		return
	}
	p.need(operator, operands, attribute.S, attribute.N, attribute.B)
	if operator == "BETWEEN" && p.meaning == nil {
		p.checkBounds(operands[1], operands[2])
	}
}

func (p *parser) checkBounds(low, high operand) {
	if low.value == nil || high.value == nil {
		return
	}
	bounds := func() []any { return []any{low.kind(), low.value.Text, high.kind(), high.value.Text} }
	const named = "lower bound operand: AttributeValue: {%s:%s}, upper bound operand: AttributeValue: {%s:%s}"
	switch {
	case low.kind() != high.kind():
		p.mean("The BETWEEN operator requires same data type for lower and upper bounds; "+named, bounds()...)
	case low.value.Compare(high.value.Value) > 0:
		p.mean("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "+named,
			bounds()...)
	}
}

// Holds reports whether the condition holds for the item. A nil item has no attributes.
func (c Condition) Holds(item attribute.Item) bool { return c.root.holds(item) }

// Names returns the attributes that the condition reads.
func (c Condition) Names() []string { return tops(c.root.paths(nil)) }

func (c condition) paths(to []path) []path {
	for _, o := range c.operands {
		to = o.paths(to)
	}
	for _, inner := range c.conditions {
		to = inner.paths(to)
	}
	return to
}

func (c condition) holds(item attribute.Item) bool {
	switch c.operator {
	case "AND":
		return !slices.ContainsFunc(c.conditions, func(c condition) bool { return !c.holds(item) })
	case "OR":
		return slices.ContainsFunc(c.conditions, func(c condition) bool { return c.holds(item) })
	case "NOT":
		return !c.conditions[0].holds(item)
	}
	first, there := c.operands[0].in(item)
	switch c.operator {
	case "attribute_exists":
		return there
	case "attribute_not_exists":
		return !there
	case "<>":
		return !matches("=", first, there, c.operands[1], item)
	case "IN":
		return slices.ContainsFunc(c.operands[1:], func(o operand) bool { return matches("=", first, there, o, item) })
	case "BETWEEN":
		return matches(">=", first, there, c.operands[1], item) && matches("<=", first, there, c.operands[2], item)
	}
	return matches(c.operator, first, there, c.operands[1], item)
}

// matches compares two values. A missing value matches nothing.
func matches(operator string, first attribute.Value, there bool, o operand, item attribute.Item) bool {
	second, ok := o.in(item)
	if !ok || !there {
		return false
	}
	switch operator {
	case "=":
		return first.Equal(second)
	case "attribute_type":
		return string(first.Kind) == second.Text
	case "contains":
		return contains(first, second)
	}
	if first.Kind != second.Kind || !first.Kind.Ordered() {
		return false
	}
	if operator == "begins_with" {
		return first.Kind != attribute.N && strings.HasPrefix(first.Text, second.Text)
	}
	order := first.Compare(second)
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func contains(whole, part attribute.Value) bool {
	switch {
	case whole.Kind == attribute.L, whole.Kind.Set():
		return whole.Contains(part)
	case whole.Kind == attribute.N:
		return false
	}
	return whole.Kind == part.Kind && whole.Kind.Ordered() && strings.Contains(whole.Text, part.Text)
}
