package deploy

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	names "backroom/localstack/template"
)

// Rewrite returns the template with the CodeUri of each function set to what codeURI returns for its folder.
// All other content, intrinsics and comments included, stays the same.
func Rewrite(template []byte, codeURI func(function string) string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(template, &document); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	resources, err := resourcesOf(&document)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(resources.Content); i += 2 {
		id, resource := resources.Content[i].Value, own(resources, i+1)
		if kind := child(resource, "Type"); kind == nil || kind.Value != "AWS::Serverless::Function" {
			continue
		}
		properties := ownChild(resource, "Properties")
		if properties == nil {
			return nil, fmt.Errorf("template: function %s has no Properties", id)
		}
		set(properties, "CodeUri", codeURI(names.Function(id)))
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

func resourcesOf(document *yaml.Node) (*yaml.Node, error) {
	if len(document.Content) == 0 {
		return nil, errors.New("template is empty")
	}
	resources := child(document.Content[0], "Resources")
	if resources == nil {
		return nil, errors.New("template has no Resources")
	}
	return resources, nil
}

// child returns the value of a key in a mapping, or nil. It follows an alias.
func child(mapping *yaml.Node, key string) *yaml.Node {
	mapping = resolve(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return resolve(mapping.Content[i+1])
		}
	}
	return nil
}

// ownChild returns the value of a key in a mapping, or nil, as a node that nothing else in the document
// shares.
func ownChild(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return own(mapping, i+1)
		}
	}
	return nil
}

// own returns the i-th node of parent. It replaces an alias by a copy of the aliased node first.
func own(parent *yaml.Node, i int) *yaml.Node {
	if node := parent.Content[i]; node.Kind == yaml.AliasNode {
		parent.Content[i] = duplicate(node.Alias)
	}
	return parent.Content[i]
}

func duplicate(node *yaml.Node) *yaml.Node {
	same := *node
	same.Anchor = ""
	same.Content = make([]*yaml.Node, len(node.Content))
	for i, part := range node.Content {
		same.Content[i] = part
		if part.Kind != yaml.AliasNode {
			same.Content[i] = duplicate(part)
		}
	}
	return &same
}

func resolve(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func set(mapping *yaml.Node, key, value string) {
	scalar := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content[i+1] = scalar
			return
		}
	}
	mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, scalar)
}
