package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"backroom/shared/api"
)

// Guarded is a request to an operation that needs a token, made from the document's examples.
type Guarded struct {
	Operation string
	Scopes    []string // that the token must grant
	Method    string
	Path      string // below the server, with values for its parameters
	Header    map[string]string
	Body      string // empty: none
}

// Guarded returns a request to each operation that needs a token, sorted by the operation's name.
// It returns an error if an operation needs a token without scopes, or lacks the example of a path
// parameter or body.
func (c *Contract) Guarded() (all []Guarded, err error) {
	for path, item := range c.document.Paths.Map() {
		for method, o := range item.Operations() {
			if !NeedsToken(o) {
				continue
			}
			g := Guarded{Operation: o.OperationID, Scopes: Scopes(o), Method: method, Path: path}
			if len(g.Scopes) == 0 {
				return nil, fmt.Errorf("%s needs a token, but no scope", o.OperationID)
			}
			g.Header = map[string]string{}
			for _, p := range o.Parameters {
				value := p.Value
				example := value.Example
				if example == nil && len(value.Schema.Value.Examples) > 0 {
					example = value.Schema.Value.Examples[0]
				}
				switch {
				case example != nil && value.In == openapi3.ParameterInHeader:
					g.Header[value.Name] = fmt.Sprint(example)
				case example != nil && value.In == openapi3.ParameterInPath:
					g.Path = strings.ReplaceAll(g.Path, "{"+value.Name+"}", fmt.Sprint(example))
				}
			}
			if strings.Contains(g.Path, "{") {
				return nil, fmt.Errorf("%s has no example of a parameter in %s", o.OperationID, g.Path)
			}
			if g.Body, err = sent(o); err != nil {
				return nil, err
			}
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b Guarded) int { return cmp.Compare(a.Operation, b.Operation) })
	return all, nil
}

// NeedsToken reports whether an operation needs an access token.
func NeedsToken(o *openapi3.Operation) bool {
	return o.Security != nil && slices.ContainsFunc(*o.Security, func(requirement openapi3.SecurityRequirement) bool {
		_, bearer := requirement["bearer"]
		return bearer
	})
}

// Scopes returns the scopes that an access token must grant for an operation.
func Scopes(o *openapi3.Operation) (scopes []string) {
	named, _ := o.Extensions[api.ScopesExtension].([]any)
	for _, scope := range named {
		scopes = append(scopes, fmt.Sprint(scope))
	}
	return scopes
}

// sent returns the first example of an operation's body. It is empty for an operation without a
// body.
func sent(o *openapi3.Operation) (string, error) {
	if o.RequestBody == nil {
		return "", nil
	}
	content := o.RequestBody.Value.Content.Get("application/json")
	if content == nil || len(content.Examples) == 0 {
		return "", fmt.Errorf("%s has no example of its body", o.OperationID)
	}
	first := content.Examples[slices.Min(slices.Collect(maps.Keys(content.Examples)))]
	text, err := json.Marshal(first.Value.Value)
	return string(text), err
}
