package template

import (
	"fmt"
	"regexp"
	"strings"
)

// Names resolves the names of the template.
type Names interface {
	// Ref returns the value of !Ref for a resource or a pseudo parameter.
	Ref(name string) (any, error)
	// GetAtt returns the value of !GetAtt.
	GetAtt(resource, attribute string) (any, error)
}

// noValue is the value of !Ref AWS::NoValue. A property or element with this value is removed.
const noValue = "AWS::NoValue"

type nothing struct{}

// Resolve returns v with every function replaced by its value. Parameters have their default
// values. An error names the function that cannot be resolved.
func (t Template) Resolve(v any, names Names) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, element := range v {
			r, err := t.Resolve(element, names)
			if err != nil {
				return nil, err
			}
			if _, gone := r.(nothing); !gone {
				m[key] = r
			}
		}
		return m, nil
	case []any:
		list := []any{}
		for _, element := range v {
			r, err := t.Resolve(element, names)
			if err != nil {
				return nil, err
			}
			if _, gone := r.(nothing); !gone {
				list = append(list, r)
			}
		}
		return list, nil
	case Call:
		return t.call(v, names)
	}
	return v, nil
}

// Holds reports whether the condition is true. The empty condition is true. An unknown condition is
// an error.
func (t Template) Holds(condition string, names Names) (bool, error) {
	if condition == "" {
		return true, nil
	}
	rule, ok := t.Conditions[condition]
	if !ok {
		return false, fmt.Errorf("template: unknown condition %q", condition)
	}
	v, err := t.Resolve(rule, names)
	holds, ok := v.(bool)
	if err == nil && !ok {
		err = fmt.Errorf("template: condition %q is %v, not true or false", condition, v)
	}
	return holds, err
}

func (t Template) call(c Call, names Names) (any, error) {
	if c.Function == "If" {
		return t.choose(c, names)
	}
	argument, err := t.Resolve(c.Argument, names)
	if err != nil {
		return nil, err
	}
	switch list, _ := argument.([]any); {
	case c.Function == "Ref":
		return t.ref(asText(argument), names)
	case c.Function == "GetAtt":
		return attribute(asText(argument), names)
	case c.Function == "Sub" && len(list) == 2:
		text := asText(list[0])
		for name, value := range mapping(list[1]) {
			text = strings.ReplaceAll(text, "${"+name+"}", asText(value))
		}
		return t.sub(text, names)
	case c.Function == "Sub":
		return t.sub(asText(argument), names)
	case c.Function == "Equals" && len(list) == 2:
		return fmt.Sprint(list[0]) == fmt.Sprint(list[1]), nil
	case c.Function == "Not" && len(list) == 1:
		return list[0] == false, nil
	case c.Function == "Split" && len(list) == 2:
		return parts(strings.Split(asText(list[1]), asText(list[0]))), nil
	case c.Function == "FindInMap" && len(list) == 3:
		if v, ok := mapping(mapping(t.Mappings[asText(list[0])])[asText(list[1])])[asText(list[2])]; ok {
			return v, nil
		}
	case c.Function == "Select" && len(list) == 2:
		from, _ := list[1].([]any)
		if i, ok := list[0].(int); ok && i >= 0 && i < len(from) {
			return from[i], nil
		}
	}
	return nil, fmt.Errorf("template: cannot resolve !%s %v", c.Function, c.Argument)
}

func (t Template) choose(c Call, names Names) (any, error) {
	list, _ := c.Argument.([]any)
	if len(list) != 3 {
		return nil, fmt.Errorf("template: cannot resolve !If %v", c.Argument)
	}
	holds, err := t.Holds(asText(list[0]), names)
	if err != nil {
		return nil, err
	}
	if holds {
		return t.Resolve(list[1], names)
	}
	return t.Resolve(list[2], names)
}

func (t Template) ref(name string, names Names) (any, error) {
	if name == noValue {
		return nothing{}, nil
	}
	if standard, ok := t.Parameters[name]; ok {
		return standard, nil
	}
	return names.Ref(name)
}

func attribute(path string, names Names) (any, error) {
	id, name, ok := strings.Cut(path, ".")
	if !ok {
		return nil, fmt.Errorf("template: !GetAtt %s has no attribute", path)
	}
	return names.GetAtt(id, name)
}

var hole = regexp.MustCompile(`\$\{([^}]*)\}`)

func (t Template) sub(text string, names Names) (any, error) {
	var failure error
	filled := hole.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		var v any
		var err error
		if strings.Contains(name, ".") {
			v, err = attribute(name, names)
		} else {
			v, err = t.ref(name, names)
		}
		if err != nil {
			failure = err
		}
		return fmt.Sprint(v)
	})
	return filled, failure
}

func parts(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

// Mentions returns every resource, parameter and pseudo parameter that v refers to, with
// duplicates.
func Mentions(v any) []string {
	var names []string
	switch v := v.(type) {
	case map[string]any:
		for _, element := range v {
			names = append(names, Mentions(element)...)
		}
	case []any:
		for _, element := range v {
			names = append(names, Mentions(element)...)
		}
	case Call:
		switch text := asText(v.Argument); v.Function {
		case "Ref":
			return []string{text}
		case "GetAtt":
			id, _, _ := strings.Cut(text, ".")
			return []string{id}
		case "Sub":
			var own map[string]any
			if list, _ := v.Argument.([]any); len(list) == 2 {
				text, own = asText(list[0]), mapping(list[1])
			}
			for _, match := range hole.FindAllStringSubmatch(text, -1) {
				id, _, _ := strings.Cut(match[1], ".")
				if own[id] == nil {
					names = append(names, id)
				}
			}
			return append(names, Mentions(own)...)
		}
		return Mentions(v.Argument)
	}
	return names
}
