package published_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/contract/published"
)

// document returns the document, as published.Make makes it.
func document(t *testing.T) (text []byte, parsed *openapi3.T) {
	t.Helper()
	made, err := published.Make()
	require.NoError(t, err)
	parsed, err = openapi3.NewLoader().LoadFromData(made.OpenAPI)
	require.NoError(t, err)
	return made.OpenAPI, parsed
}

// walk calls visit for a schema and all schemas below it, each with its place.
func walk(place string, ref *openapi3.SchemaRef, visit func(string, *openapi3.Schema)) {
	if ref == nil || ref.Value == nil {
		return
	}
	visit(place, ref.Value)
	for _, name := range slices.Sorted(maps.Keys(ref.Value.Properties)) {
		walk(place+"."+name, ref.Value.Properties[name], visit)
	}
	walk(place+"[]", ref.Value.Items, visit)
	walk(place+"{}", ref.Value.AdditionalProperties.Schema, visit)
}

func TestOpenAPI_NumbersAndListsAreBounded(t *testing.T) {
	t.Parallel()
	_, doc := document(t)
	for name, schema := range doc.Components.Schemas {
		walk(name, schema, func(place string, s *openapi3.Schema) {
			if s.Type.Is("integer") {
				assert.True(t, s.Min != nil && s.Max != nil, "%s has no limits", place)
			}
			// keys and what happened to an order have no fixed limit
			if s.Type.Is("array") && !strings.HasSuffix(place, ".keys") && !strings.HasSuffix(place, ".timeline") {
				assert.NotNil(t, s.MaxItems, "%s has no maxItems", place)
			}
		})
	}
}

func TestOpenAPI_EveryParameterAndHeaderIsDescribed(t *testing.T) {
	t.Parallel()
	_, doc := document(t)
	for _, item := range doc.Paths.Map() {
		for _, o := range item.Operations() {
			for _, p := range o.Parameters {
				assert.NotEmpty(t, p.Value.Description, "%s: the parameter %s has no description", o.OperationID,
					p.Value.Name)
			}
			for status, answer := range o.Responses.Map() {
				for header, described := range answer.Value.Headers {
					said := described.Value.Description + described.Value.Schema.Value.Description
					assert.NotEmpty(t, said, "%s %s: the header %s has no description", o.OperationID, status, header)
				}
			}
		}
	}
}

func TestOpenAPI_WhatIsRepeatedIsAComponent(t *testing.T) {
	t.Parallel()
	text, _ := document(t)
	assert.LessOrEqual(t, len(text), 120_000, "bytes")
}

func TestOpenAPI_EveryGeneralRefusalHasAnExampleOfItsStatus(t *testing.T) {
	t.Parallel()
	_, doc := document(t)
	for _, item := range doc.Paths.Map() {
		for _, o := range item.Operations() {
			for status, answer := range o.Responses.Map() {
				for media, content := range answer.Value.Content {
					if media != "application/problem+json" {
						continue
					}
					if status == "401" || status == "429" || status[0] == '5' {
						assert.NotEmpty(t, content.Examples, "%s %s", o.OperationID, status)
					}
					for name, example := range content.Examples {
						shown, _ := example.Value.Value.(map[string]any)
						assert.Equal(t, status, fmt.Sprint(shown["status"]), "%s %s: %s", o.OperationID, status, name)
					}
				}
			}
		}
	}
}
