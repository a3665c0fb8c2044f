package simulation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// pattern is the filter of an event source mapping, in EventBridge's pattern language. Only the parts that the
// template uses are supported: values, "exists", "prefix" and "anything-but"
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html).
type pattern map[string]any

func parsePattern(text string) (pattern, error) {
	var p pattern
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("simulation: filter %s: %w", text, err)
	}
	return p, p.check()
}

// check returns an error for parts of the language that are not supported.
func (p pattern) check() error {
	for name, want := range p {
		switch want := want.(type) {
		case map[string]any:
			if err := pattern(want).check(); err != nil {
				return err
			}
		case []any:
			for _, w := range want {
				rule, ok := w.(map[string]any)
				for word := range rule {
					if ok && word != "exists" && word != "prefix" && word != "anything-but" {
						return fmt.Errorf("simulation: a filter of %q asks for %q, which is not simulated", name, word)
					}
				}
			}
		default:
			return fmt.Errorf("simulation: a filter of %q is neither a list nor an object", name)
		}
	}
	return nil
}

// passes reports whether a record matches one of the filters, or there are no filters.
func passes(filters []pattern, document map[string]any) bool {
	return len(filters) == 0 || slices.ContainsFunc(filters, func(p pattern) bool { return p.matches(document) })
}

func (p pattern) matches(document map[string]any) bool {
	for name, want := range p {
		value, there := document[name]
		switch want := want.(type) {
		case map[string]any:
			inner, _ := value.(map[string]any)
			if !pattern(want).matches(inner) {
				return false
			}
		case []any:
			if !oneOf(want, value, there) {
				return false
			}
		}
	}
	return true
}

func oneOf(wanted []any, value any, there bool) bool {
	for _, w := range wanted {
		rule, ok := w.(map[string]any)
		if !ok {
			if there && value == w {
				return true
			}
			continue
		}
		text, _ := value.(string)
		_, inner := value.(map[string]any)
		if exists, ok := rule["exists"].(bool); ok && exists == (there && !inner) { // it matches leaves only
			return true
		}
		if prefix, ok := rule["prefix"].(string); ok && there && strings.HasPrefix(text, prefix) {
			return true
		}
		if but, ok := rule["anything-but"]; ok && there && !oneOf(asList(but), value, there) {
			return true
		}
	}
	return false
}

func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}
