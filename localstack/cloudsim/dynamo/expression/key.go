package expression

import "backroom/localstack/cloudsim/dynamo/attribute"

// Key is a KeyConditionExpression: one partition, and a range of its sort keys.
type Key struct {
	Hash     attribute.Value
	Operator string            // on the sort key; empty: the whole partition
	Bounds   []attribute.Value // two for BETWEEN, otherwise one
}

// Key reads a KeyConditionExpression for a table or index with the key attributes hash and sort.
// sort may be empty.
func (s *Scope) Key(text, hash, sort string) (Key, error) {
	root, err := read(s, "KeyConditionExpression", text, (*parser).condition)
	if err != nil {
		return Key{}, err
	}
	parts := []condition{root}
	if root.operator == "AND" {
		parts = root.conditions
	}
	named := map[string]condition{}
	for _, c := range parts {
		name, c, err := keyPart(c)
		if err != nil {
			return Key{}, err
		}
		if _, twice := named[name]; twice {
			return Key{}, refuse("KeyConditionExpressions must only contain one condition per key")
		}
		named[name] = c
	}
	k := Key{}
	first, ok := named[hash]
	second, ordered := named[sort]
	switch {
	case len(named) > 2:
		return k, refuse("Conditions can be of length 1 or 2 only")
	case !ok || len(named) == 2 && !ordered:
		return k, refuse("Query condition missed key schema element")
	case first.operator != "=":
		return k, refuse("Query key condition not supported")
	}
	k.Hash = first.operands[1].value.Value
	k.Operator = second.operator
	if ordered {
		for _, o := range second.operands[1:] {
			k.Bounds = append(k.Bounds, o.value.Value)
		}
	}
	return k, nil
}

var turned = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// keyPart returns the name of a key attribute and the condition on it, with the attribute as the
// first operand.
func keyPart(c condition) (string, condition, error) {
	_, comparison := turned[c.operator]
	switch {
	case c.operator == "AND":
		return "", c, refuse("Conditions can be of length 1 or 2 only")
	case !comparison && c.operator != "BETWEEN" && c.operator != "begins_with":
		return "", c, refuse("Invalid operator used in KeyConditionExpression: %s", c.operator)
	}
	paths := 0
	for _, o := range c.operands {
		if o.function != "" {
			return "", c, refuse("KeyConditionExpressions cannot contain nested operations")
		}
		if o.path != nil {
			paths++
		}
	}
	if comparison && c.operands[1].path != nil && c.operands[0].path == nil {
		c = condition{operator: turned[c.operator], operands: []operand{c.operands[1], c.operands[0]}}
	}
	first := c.operands[0].path
	switch {
	case paths > 1:
		return "", c,
			refuse("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
	case first == nil:
		return "", c, refuse("Invalid condition in KeyConditionExpression: No key attribute specified")
	case len(first) > 1:
		return "", c,
			refuse(
				"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: %s",
				first[0].name)
	}
	return first[0].name, c, nil
}
