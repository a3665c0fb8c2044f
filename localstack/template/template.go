// Package template reads template.yaml: its resources and their properties. CloudFormation's
// functions become values of type Call. It supports exactly the functions that the template uses,
// and any other is an error.
package template

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Template is the SAM template.
type Template struct {
	Parameters map[string]any // their default values
	Conditions map[string]any
	Mappings   map[string]any
	Globals    map[string]any // for all functions
	Resources  map[string]Resource
}

// Resource is a resource of the template. Its functions are not resolved.
type Resource struct {
	ID         string
	Type       string
	Condition  string // the name of a condition; empty: none
	Deletion   string // its DeletionPolicy; empty: Delete
	Metadata   map[string]any
	Properties map[string]any
}

// Call is a call of a CloudFormation function. !Ref Orders is {"Ref", "Orders"}.
type Call struct {
	Function string
	Argument any
}

// Root returns the folder of the repository. It is the nearest folder with a template.yaml, from
// the working directory up.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "template.yaml")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("template: no template.yaml above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// Read reads the repository's template. The result is shared by all callers and must not be
// changed.
func Read() (Template, error) { return read() }

var read = sync.OnceValues(func() (Template, error) {
	root, err := Root()
	if err != nil {
		return Template{}, err
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return Template{}, err
	}
	return Parse(text)
})

// Parse reads a template. It returns an error for a repeated key in a mapping, and for an unknown
// function.
func Parse(text []byte) (Template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return Template{}, fmt.Errorf("template: %w", err)
	}
	if len(document.Content) == 0 {
		return Template{}, errors.New("template: the document is empty")
	}
	decoded, err := value(document.Content[0])
	if err != nil {
		return Template{}, err
	}
	whole := mapping(decoded)
	t := Template{
		Parameters: map[string]any{}, Conditions: mapping(whole["Conditions"]), Mappings: mapping(whole["Mappings"]),
		Resources: map[string]Resource{},
		Globals:   mapping(mapping(whole["Globals"])["Function"]),
	}
	for name, p := range mapping(whole["Parameters"]) {
		t.Parameters[name] = mapping(p)["Default"]
	}
	for id, r := range mapping(whole["Resources"]) {
		m := mapping(r)
		t.Resources[id] = Resource{
			ID: id, Type: asText(m["Type"]), Condition: asText(m["Condition"]), Deletion: asText(m["DeletionPolicy"]),
			Metadata: mapping(m["Metadata"]), Properties: mapping(m["Properties"]),
		}
	}
	return t, nil
}

// known are the functions that Resolve supports.
var known = map[string]bool{"Ref": true, "GetAtt": true, "Sub": true, "If": true, "Select": true, "Split": true,
	"Equals": true, "Not": true, "FindInMap": true}

func value(n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode {
		return value(n.Alias)
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		call := Call{Function: n.Tag[1:]}
		if !known[call.Function] {
			return nil,
				fmt.Errorf("template: line %d: localstack/template does not support the function %s", n.Line, n.Tag)
		}
		plain := *n
		plain.Tag = map[yaml.Kind]string{yaml.ScalarNode: "!!str", yaml.SequenceNode: "!!seq",
			yaml.MappingNode: "!!map"}[n.Kind]
		var err error
		call.Argument, err = value(&plain)
		return call, err
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				return nil, fmt.Errorf("template: line %d: %q is repeated", n.Content[i].Line, key)
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, element := range n.Content {
			v, err := value(element)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	var scalar any
	if err := n.Decode(&scalar); err != nil {
		return nil, fmt.Errorf("template: line %d: %w", n.Line, err)
	}
	return scalar, nil
}

func mapping(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}

// String returns the call in short form, as in "!GetAtt Orders.Arn".
func (c Call) String() string { return fmt.Sprintf("!%s %v", c.Function, c.Argument) }

// Environment returns the unresolved variables of a function: those of all functions, overridden by
// its own.
func (t Template) Environment(function string) map[string]any {
	variables := map[string]any{}
	for _, properties := range []map[string]any{t.Globals, t.Resources[LogicalID(function)].Properties} {
		maps.Copy(variables, mapping(mapping(properties["Environment"])["Variables"]))
	}
	return variables
}

// Statement is a statement of a role's policies.
type Statement struct {
	Sid, Effect string
	Actions     []string
	Resources   []any
}

// Statements returns the statements of all policies of a function's role.
func (t Template) Statements(function string) []Statement {
	var all []Statement
	for _, policy := range List(t.Resources[LogicalID(function)+"Role"].Properties["Policies"]) {
		for _, s := range List(mapping(mapping(policy)["PolicyDocument"])["Statement"]) {
			m := mapping(s)
			statement := Statement{Sid: asText(m["Sid"]), Effect: asText(m["Effect"]), Resources: List(m["Resource"])}
			for _, action := range List(m["Action"]) {
				statement.Actions = append(statement.Actions, fmt.Sprint(action))
			}
			all = append(all, statement)
		}
	}
	return all
}

// List returns a value as a list: a list unchanged, nil as an empty list, any other value as one
// element.
func List(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// LogicalID returns the logical id of a function's resource: PlaceOrder for place-order.
func LogicalID(function string) string {
	var id strings.Builder
	for word := range strings.SplitSeq(function, "-") {
		if word != "" {
			id.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return id.String()
}

// Function returns the name of the function with that resource: PlaceOrder is place-order.
func Function(logicalID string) string {
	var name strings.Builder
	for i, letter := range logicalID {
		if letter >= 'A' && letter <= 'Z' && i > 0 {
			name.WriteByte('-')
		}
		name.WriteRune(letter)
	}
	return strings.ToLower(name.String())
}
