// Package expression reads and evaluates DynamoDB's expressions: conditions, filters, updates, key
// conditions and projections
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html). Every error
// is an attribute.Refusal with DynamoDB's text.
package expression

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
)

// The limits of DynamoDB.
const (
	maxLength      = 4096 // bytes of an expression
	maxPlaceholder = 255  // characters of a placeholder
)

// Scope holds the names and values that the expressions of one request share.
type Scope struct {
	names  map[string]*name
	values map[string]*value
}

type name struct {
	text string
	used bool
}

type value struct {
	attribute.Value
	used bool
}

// NewScope reads ExpressionAttributeNames and ExpressionAttributeValues. expressions says whether
// the request has any expression: names and values without one are refused.
func NewScope(names, values document.Node, expressions bool) (*Scope, error) {
	s := &Scope{}
	if names.Kind == document.Object {
		s.names = make(map[string]*name, len(names.Members))
		if err := checkPlaceholders("ExpressionAttributeNames", '#', names, expressions); err != nil {
			return nil, err
		}
		for _, m := range names.Members {
			if m.Value.Text == "" {
				return nil, refuse("ExpressionAttributeNames contains invalid value: Syntax error; value: \"\"")
			}
			s.names[m.Name] = &name{text: m.Value.Text}
		}
	}
	if values.Kind == document.Object {
		s.values = make(map[string]*value, len(values.Members))
		if err := checkPlaceholders("ExpressionAttributeValues", ':', values, expressions); err != nil {
			return nil, err
		}
		for _, m := range values.Sorted() {
			v, err := attribute.Decode(m.Value)
			if err != nil {
				return nil, refuse("ExpressionAttributeValues contains invalid value: %v for key %s", err, m.Name)
			}
			s.values[m.Name] = &value{Value: v}
		}
	}
	return s, nil
}

func refuse(format string, args ...any) error {
	return attribute.Refusal(fmt.Sprintf(format, args...))
}

func checkPlaceholders(parameter string, mark byte, given document.Node, expressions bool) error {
	if !expressions {
		return refuse("%s can only be specified when using expressions", parameter)
	}
	if len(given.Members) == 0 {
		return refuse("%s must not be empty", parameter)
	}
	for _, m := range given.Sorted() {
		switch tokens := split(m.Name); {
		case len(m.Name) > maxPlaceholder:
			return refuse("%s contains invalid key: The expression attribute map contains a key that is too long;",
				parameter)
		case len(tokens) != 2 || !tokens[0].placeholder(mark) || len(tokens[0].text) != len(m.Name):
			return refuse("%s contains invalid key: Syntax error; key: %q", parameter, m.Name)
		}
	}
	return nil
}

// Unused refuses a request with names or values that its expressions do not use.
func (s *Scope) Unused() error {
	var names, values []string
	for _, k := range slices.Sorted(maps.Keys(s.names)) {
		if !s.names[k].used {
			names = append(names, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.values)) {
		if !s.values[k].used {
			values = append(values, k)
		}
	}
	switch {
	case names != nil:
		return refuse("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}",
			strings.Join(names, ", "))
	case values != nil:
		return refuse("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}",
			strings.Join(values, ", "))
	}
	return nil
}
