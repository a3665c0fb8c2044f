package collection_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/contract/collection"
	"backroom/shared/api"
)

func operation(name, method, path, tag string) api.Operation {
	return api.New(
		api.Route{Name: name, Method: method, Path: path, Summary: "Do it", Tags: []string{tag}, Access: api.Public},
		func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
}

var about = api.About{Title: "Shelves", Version: "1.2.3", Token: "/token",
	Tags: []api.Tag{{Name: "stock", Meaning: "What there is."}}}

func TestOf_RequestIsTheFirstAcceptedExample(t *testing.T) {
	t.Parallel()
	refused := api.Example{Operation: "place", Name: "place.twice", Path: "/shelves", Status: 409,
		Media: "application/problem+json", Body: `{"n":2}`, Answer: `{}`}
	accepted := api.Example{
		Operation: "place", Name: "place", Path: "/shelves", Status: 201, Media: "application/json", Body: `{"n":1}`,
		Answer: `{"id":1}`,
		Query:  url.Values{"dry": {"1"}, "at": {"2"}},
		Header: http.Header{"Idempotency-Key": {"k-1"}, "Content-Type": {"application/json"},
			"Authorization": {"Bearer secret"}, "User-Agent": {"curl"}},
	}
	text,
		err := collection.Of(about, []api.Example{refused, accepted}, operation("place", "POST", "/shelves", "stock"),
		operation("issue-token", "POST", "/token", "stock"))
	require.NoError(t, err)
	var c collection.Collection
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&c))

	ask, place := c.Item[0].Item[0], c.Item[0].Item[1]
	assert.Equal(t, "{{baseUrl}}/shelves?at=2&dry=1", place.Request.URL.Raw)
	assert.Equal(t, `{"n":1}`, place.Request.Body.Raw)
	assert.Equal(t,
		[]collection.Variable{{Key: "Content-Type", Value: "application/json"},
			{Key: "Idempotency-Key", Value: "{{$guid}}"}}, place.Request.Header)
	assert.Len(t, place.Response, 2)
	assert.NotContains(t, string(text), "secret\"")
	assert.Equal(t, "basic", ask.Request.Auth.Type)
	assert.Contains(t, strings.Join(ask.Event[0].Script.Exec, "\n"), "access_token")
	assert.Contains(t, place.Event[0].Script.Exec[0], "status(201)", "each request checks its status")
}

func TestOf_AnUnknownTagIsAnError(t *testing.T) {
	t.Parallel()
	_, err := collection.Of(about, nil, operation("ask", "POST", "/token", "nowhere"))
	assert.ErrorContains(t, err, "nowhere")
}
