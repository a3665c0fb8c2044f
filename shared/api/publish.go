package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2/yaml"
)

// A node is an object of a document, decoded from JSON.
type node = map[string]any

// publish makes a document ready for its readers and returns it as YAML. Schemas of answers are open, so that a
// later release may add members and values. What occurs several times is written once, in components.
func publish(document []byte) ([]byte, error) {
	var root node
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // 12500000 must not become 1.25e+07
	if err := decoder.Decode(&root); err != nil {
		return nil, err
	}
	openAnswers(root)
	shareEnumerations(root)
	share(root, "headers", 2, unchanged, responses(root, "headers"))
	share(root, "examples", 1, unchanged, examples(root))
	share(root, "parameters", 2, unchanged, parameters(root))
	share(root, "responses", 2, func(status string) string {
		code, _ := strconv.Atoi(status)
		return strings.ReplaceAll(http.StatusText(code), " ", "")
	}, operations(root, "responses"))
	if version, _ := root["openapi"].(string); strings.HasPrefix(version, "3.0.") {
		wrapReferences(root)
	}
	finished, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = yaml.Convert(&text, bytes.NewReader(finished))
	return text.Bytes(), err
}

// at returns the object at the path below n, and creates what is missing.
func at(n node, path ...string) node {
	for _, name := range path {
		inner, ok := n[name].(node)
		if !ok {
			inner = node{}
			n[name] = inner
		}
		n = inner
	}
	return n
}

// each calls do for the members of n that are objects, sorted by name.
func each(n node, do func(name string, member node)) {
	for _, name := range slices.Sorted(maps.Keys(n)) {
		if member, ok := n[name].(node); ok {
			do(name, member)
		}
	}
}

// A slot is a place that an object may move from: a member of a map.
type slot struct {
	name  string
	kind  string // only objects of one kind are shared; empty: of one name
	value node
	put   func(any)
}

// operations returns the members of one member of every operation, such as its responses.
func operations(root node, member string) (slots []slot) {
	for _, operation := range operationsOf(root) {
		slots = append(slots, members(operation, member)...)
	}
	return slots
}

func members(of node, member string) (slots []slot) {
	inner, _ := of[member].(node)
	each(inner, func(name string, value node) {
		slots = append(slots, slot{name: name, value: value, put: func(v any) { inner[name] = v }})
	})
	return slots
}

// parameters returns the parameters of every operation.
func parameters(root node) (slots []slot) {
	for _, member := range operationsOf(root) {
		list, _ := member["parameters"].([]any)
		for i := range list {
			if value, ok := list[i].(node); ok {
				name, _ := value["name"].(string)
				slots = append(slots, slot{name: name, value: value, put: func(v any) { list[i] = v }})
			}
		}
	}
	return slots
}

// operationsOf returns every operation, sorted by path and method.
func operationsOf(root node) (found []node) {
	each(at(root, "paths"), func(_ string, path node) {
		each(path, func(_ string, operation node) { found = append(found, operation) })
	})
	return found
}

// responses returns the members of one member of every response, such as its headers.
func responses(root node, member string) (slots []slot) {
	for _, response := range operations(root, "responses") {
		slots = append(slots, members(response.value, member)...)
	}
	return slots
}

// examples returns the examples of every response.
func examples(root node) (slots []slot) {
	for _, content := range responses(root, "content") {
		slots = append(slots, members(content.value, "examples")...)
	}
	return slots
}

// share moves objects that occur at least so many times into a member of components, and puts references in their
// places. name returns the name of a shared object; a second object of the same name gets a number.
func share(root node, member string, least int, name func(string) string, slots []slot) {
	count := map[string]int{}
	key := func(s slot) string {
		text, _ := json.Marshal(s.value) // it was decoded from JSON
		return cmp.Or(s.kind, s.name) + string(text)
	}
	for _, s := range slots {
		count[key(s)]++
	}
	shared, used := map[string]string{}, map[string]int{}
	for _, s := range slots {
		if s.value["$ref"] != nil || count[key(s)] < least {
			continue
		}
		if _, ok := shared[key(s)]; !ok {
			label := name(s.name)
			if used[label]++; used[label] > 1 {
				label += strconv.Itoa(used[label])
			}
			at(root, "components", member)[label] = s.value
			shared[key(s)] = label
		}
		s.put(node{"$ref": "#/components/" + member + "/" + shared[key(s)]})
	}
}

// unchanged names a shared object as its slot is named.
func unchanged(name string) string { return name }

// shareEnumerations gives an enumeration that several schemas have a schema of its own, named after
// the first of them and its member, as in OrderStatus.
func shareEnumerations(root node) {
	var slots []slot
	each(at(root, "components", "schemas"), func(name string, schema node) {
		for _, member := range members(schema, "properties") {
			if member.value["x-extensible-enum"] != nil {
				member.name, member.kind = name+strings.ToUpper(member.name[:1])+member.name[1:], member.name
				slots = append(slots, member)
			}
		}
	})
	share(root, "schemas", 2, unchanged, slots)
}

const schemaPath = "#/components/schemas/"

// openAnswers opens the schemas of answers for growth: they allow more members, and their enumerations more values.
// A schema of requests stays closed. One that both use gets a second one for requests, with the suffix Request.
func openAnswers(root node) {
	schemas := at(root, "components", "schemas")
	asked, answered := map[string]bool{}, map[string]bool{}
	requests := func(yield func(node)) {
		for _, operation := range operationsOf(root) {
			if body, ok := operation["requestBody"].(node); ok {
				yield(body)
			}
		}
	}
	requests(func(body node) { collect(schemas, body, asked) })
	for _, response := range operations(root, "responses") {
		collect(schemas, response.value, answered)
	}
	own := map[string]string{}
	for name := range asked {
		if answered[name] {
			own[schemaPath+name] = schemaPath + name + "Request"
		}
	}
	for name := range asked {
		if answered[name] {
			schemas[name+"Request"] = clone(schemas[name])
			name += "Request"
		} else {
			walk(schemas[name], func(n node) {
				if n["additionalProperties"] == true {
					delete(n, "additionalProperties") // the default, over which some generators stumble
				}
			})
		}
		point(schemas[name], own)
		walk(schemas[name], describeText)
	}
	requests(func(body node) { point(body, own) })
	for name := range answered {
		open(schemas[name])
	}
}

// describeText gives a text of a request without a rule of its own the pattern of textFault: no
// control characters but tab and line ends, and not blank.
func describeText(n node) {
	if n["type"] != "string" || n["pattern"] != nil || n["format"] != nil || n["enum"] != nil {
		return
	}
	const visible = `[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*`
	const mark = `[^\x00-\x20\x7f-\xa0]` // \S would match control characters, too
	n["pattern"] = "^(" + visible + mark + visible + ")?$"
}

// collect adds the names of all schemas to which value leads.
func collect(schemas node, value any, found map[string]bool) {
	walk(value, func(n node) {
		ref, _ := n["$ref"].(string)
		if name, ok := strings.CutPrefix(ref, schemaPath); ok && !found[name] {
			found[name] = true
			collect(schemas, schemas[name], found)
		}
	})
}

// point replaces references in value.
func point(value any, by map[string]string) {
	walk(value, func(n node) {
		if ref, _ := n["$ref"].(string); by[ref] != "" {
			n["$ref"] = by[ref]
		}
	})
}

// open opens the schema of an answer. Clients must tolerate members and values that they do not know. The members are
// allowed in so many words, because some generators take a schema that says nothing for a closed one. x-extensible-enum
// lists the values of this release.
func open(schema any) {
	walk(schema, func(n node) {
		if _, typed := n["additionalProperties"].(node); n["properties"] != nil && !typed {
			n["additionalProperties"] = true
		}
		if values := n["enum"]; values != nil && n["type"] == "string" {
			delete(n, "enum")
			n["x-extensible-enum"] = values
		}
	})
}

// walk calls do for value and all objects in it.
func walk(value any, do func(node)) {
	switch value := value.(type) {
	case node:
		do(value)
		for _, inner := range value {
			walk(inner, do)
		}
	case []any:
		for _, inner := range value {
			walk(inner, do)
		}
	}
}

func clone(value any) any {
	switch value := value.(type) {
	case node:
		copied := node{}
		for name, inner := range value {
			copied[name] = clone(inner)
		}
		return copied
	case []any:
		copied := make([]any, len(value))
		for i, inner := range value {
			copied[i] = clone(inner)
		}
		return copied
	}
	return value
}

// wrapReferences wraps references that have siblings, because OpenAPI 3.0 ignores siblings.
func wrapReferences(value any) {
	walk(value, func(n node) {
		if ref, ok := n["$ref"].(string); ok && len(n) > 1 {
			delete(n, "$ref")
			n["allOf"] = []any{node{"$ref": ref}}
		}
	})
}
