// Package generate writes the part of template.yaml that is generated from
// functions/*/function.yaml: each function with its role, queues and alarms, and the dashboards and
// alarms over all functions. `go generate ./functions` calls it.
package generate

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

// Mark is the line of template.yaml below which everything is generated.
const Mark = "  # ======= go generate ./functions writes everything below, from functions/*/function.yaml: edit " +
	"those =======\n"

//go:embed *.tmpl
var sources embed.FS

var texts = template.Must(
	template.New("").Delims("<<", ">>").Funcs(
		template.FuncMap{"pairs": pairs, "list": list, "value": value, "inside": inside}).ParseFS(sources, "*.tmpl"))

// Template returns the template.yaml of the repository at root: the part above the mark unchanged,
// and below it the generated part. It returns an error if the mark is missing or a function.yaml is
// invalid.
func Template(root string) ([]byte, error) {
	written, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return nil, err
	}
	head, _, marked := bytes.Cut(written, []byte(Mark))
	if !marked {
		return nil, fmt.Errorf("template.yaml must have the line %q", strings.TrimSpace(Mark))
	}
	all, err := functions(root)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(slices.Concat(head, []byte(Mark)))
	for _, f := range all {
		if err := texts.ExecuteTemplate(out, "function.tmpl", f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if err := texts.ExecuteTemplate(out, "stack.tmpl", stack{all}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// stack is the data for stack.tmpl.
type stack struct{ all []function }

func (s stack) those(are func(function) bool) []function {
	return slices.DeleteFunc(slices.Clone(s.all), func(f function) bool { return !are(f) })
}

// Steps returns the functions that consume facts.
func (s stack) Steps() []function { return s.those(func(f function) bool { return f.Step != nil }) }

// Relays returns the functions that read streams.
func (s stack) Relays() []function {
	return s.those(func(f function) bool { return len(f.Streams) > 0 })
}

// mostWatched is the highest number of metrics in one alarm:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
const mostWatched = 10

// watch is an alarm on several functions.
type watch struct {
	ID        string
	Functions []function
}

// Watch returns the alarms for functions. One alarm has at most mostWatched functions, so their ids
// are id, id2 and so on.
func (s stack) Watch(id string, functions []function) (all []watch) {
	for some := range slices.Chunk(functions, mostWatched) {
		if len(all) == 0 {
			all = append(all, watch{id, some})
			continue
		}
		all = append(all, watch{fmt.Sprint(id, len(all)+1), some})
	}
	return all
}

// Workers returns the steps and the relays. Their failures are retried, so a few errors do not
// raise an alarm.
func (s stack) Workers() []function { return append(s.Steps(), s.Relays()...) }

// Callers returns the functions that call an external service.
func (s stack) Callers() []function { return s.those(function.Calls) }

// pair is a key and a value of function.yaml.
type pair struct {
	Key   string
	Value *yaml.Node
}

func pairs(mapping yaml.Node) (all []pair) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		all = append(all, pair{mapping.Content[i].Value, mapping.Content[i+1]})
	}
	return all
}

// list returns the elements of a key's sequence, or nil if the value is not a sequence.
func list(mapping *yaml.Node, key string) ([]*yaml.Node, error) {
	n, err := at(mapping, key)
	if err != nil || n.Kind != yaml.SequenceNode {
		return nil, err
	}
	return n.Content, nil
}

func at(mapping *yaml.Node, key string) (*yaml.Node, error) {
	for _, p := range pairs(*mapping) {
		if p.Key == key {
			return p.Value, nil
		}
	}
	return nil, fmt.Errorf("a grant without %s", key)
}

// value returns a value on one line, as YAML's block style needs it.
func value(n *yaml.Node) (string, error) { return line(n, false) }

// inside returns the value of a key on one line, as it must be between braces.
func inside(mapping *yaml.Node, key string) (string, error) {
	n, err := at(mapping, key)
	if err != nil {
		return "", err
	}
	return line(n, true)
}

func line(n *yaml.Node, braces bool) (string, error) {
	tag := ""
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		tag = n.Tag + " "
	}
	var parts []string
	for _, part := range n.Content {
		text, err := line(part, true)
		if err != nil {
			return "", err
		}
		parts = append(parts, text)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		return tag + "[" + strings.Join(parts, ", ") + "]", nil
	case yaml.MappingNode:
		for i := 0; i < len(parts); i += 2 {
			parts[i/2] = parts[i] + ": " + parts[i+1]
		}
		return tag + "{" + strings.Join(parts[:len(parts)/2], ", ") + "}", nil
	case yaml.ScalarNode:
		quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
		switch {
		case strings.Contains(n.Value, "\n"):
			return "", fmt.Errorf("line %d: a value of several lines", n.Line)
		case quoted || braces && strings.ContainsAny(n.Value, ",[]{}"):
			return tag + "'" + strings.ReplaceAll(n.Value, "'", "''") + "'", nil
		}
		return tag + n.Value, nil
	}
	return "", fmt.Errorf("line %d: an alias", n.Line)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
