package api_test

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
	"backroom/shared/fault"
)

var update = flag.Bool("update", false, "write the golden document again")

func operations() []api.Operation {
	get := api.New(api.Route{
		Name: "get-shelf", Method: "GET", Path: "/shelves/{shelf}", Summary: "Look at a shelf", Tags: []string{"stock"},
		Access: api.Public,
		Faults: []*fault.Fault{fault.New(fault.NotFound, "no-such-shelf", "There is no such shelf."),
			fault.New(fault.NotFound, "shelf-moved", "It is elsewhere.")},
	}, func(context.Context, *struct {
		Shelf string `path:"shelf"`
	}) (*shelfOutput, error) {
		return nil, nil
	})
	return []api.Operation{place(accept), get}
}

var about = api.About{
	Title: "Shelves", Version: "1.2.3", Description: "The shelves of a shop.", License: "Apache-2.0", Server: "/v1",
	Token:  "/oauth/token",
	Scopes: map[string]string{"orders:write": "place orders"},
	Tags:   []api.Tag{{Name: "stock", Meaning: "What there is."}},
}

var examples = []api.Example{{
	Operation: "get-shelf", Name: "nowhere", Path: "/shelves/7", Status: 404, Media: "application/problem+json",
	Answer: `{"code":"no-such-shelf","status":404}`,
}}

func TestDocuments_EqualTheGoldenFile(t *testing.T) {
	const golden = "testdata/openapi.yaml"
	got, copy30, err := api.Documents(about, examples, operations()...)
	require.NoError(t, err)
	assert.Contains(t, string(copy30), "openapi: 3.0.")
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "if it is meant: go test ./shared/api -update")
	for range 20 {
		again, _, err := api.Documents(about, examples, operations()...)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	}
}

func TestDocuments_RefuseConflictingOperations(t *testing.T) {
	_, _, err := api.Documents(about, nil, place(accept), place(accept))
	require.Error(t, err)
	_, _, err = api.Documents(about, nil, api.Operation{})
	require.Error(t, err)
	_, _, err = api.Documents(about, []api.Example{{Operation: "get-basket", Status: 200}}, operations()...)
	require.ErrorContains(t, err, "not an operation")
	_, _, err = api.Documents(about, []api.Example{{Operation: "get-shelf", Status: 418}}, operations()...)
	assert.ErrorContains(t, err, "418")
}
