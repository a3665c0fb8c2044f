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

var update = flag.Bool("update", false, "write the golden document anew")

func operations() []api.Operation {
	get := api.New(api.Route{
		Name: "get-shelf", Method: "GET", Path: "/shelves/{shelf}", Summary: "Look at a shelf", Tags: []string{"stock"}, Access: api.Public,
		Faults: []*fault.Fault{fault.New(fault.NotFound, "no-such-shelf", "There is no such shelf."), fault.New(fault.NotFound, "shelf-moved", "It is elsewhere.")},
	}, func(context.Context, *struct {
		Shelf string `path:"shelf"`
	}) (*shelfOutput, error) {
		return nil, nil
	})
	return []api.Operation{place(accept), get}
}

func TestDocument(t *testing.T) {
	const golden = "testdata/openapi.yaml"
	got, err := api.Document("Shelves", "1.2.3", operations()...)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "if it is meant: go test ./shared/api -update")
	for range 20 {
		again, err := api.Document("Shelves", "1.2.3", operations()...)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	}
}

func TestOperationsThatDoNotGoTogether(t *testing.T) {
	_, err := api.Document("x", "1", place(accept), place(accept))
	assert.Error(t, err)
	_, err = api.Document("x", "1", api.Operation{})
	assert.Error(t, err)
}
