package contract_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/contract"
)

func TestGuarded_HasARequestForEveryOperationWithAToken(t *testing.T) {
	t.Parallel()
	promised, err := contract.Promised()
	require.NoError(t, err)
	all, err := promised.Guarded()
	require.NoError(t, err)

	by := map[string]contract.Guarded{}
	for _, g := range all {
		by[g.Operation] = g
		request := httptest.NewRequest(g.Method, "https://api.example/v1"+g.Path, strings.NewReader(g.Body))
		for name, value := range g.Header {
			request.Header.Set(name, value)
		}
		if g.Body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		assert.NoError(t, promised.CheckAccepted(request, g.Path))
	}
	assert.Equal(t, []string{"orders:write"}, by["cancel-order"].Scopes)
	assert.Regexp(t, "^/orders/ord_[a-z0-9]+/cancellation$", by["cancel-order"].Path)
	assert.NotEmpty(t, by["place-order"].Header["Idempotency-Key"])
	assert.Contains(t, by["place-order"].Body, "payment_method")
	assert.NotContains(t, by, "get-product", "it is public")
}

// bare is a document with one operation and no examples.
const bare = `
openapi: 3.1.0
info: {title: Orders, version: "1"}
components: {securitySchemes: {bearer: {type: http, scheme: bearer}}}
paths:
  /orders/{id}:
    post:
      operationId: change-order
      security: [{bearer: []}]
      x-scopes: [orders:write]
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {"204": {description: done}}
`

func TestGuarded_AnOperationWithoutExamplesIsAnError(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct{ before, after, says string }{
		"a path parameter without an example": {"", "", "example of a parameter"},
		"a body without an example": {"schema: {type: string}", `example: "1", schema: {type: string}`,
			"example of its body"},
		"a token without scopes": {"[orders:write]", "[]", "but no scope"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			read, err := contract.Read([]byte(strings.Replace(bare, c.before, c.after, 1)))
			require.NoError(t, err)
			_, err = read.Guarded()
			assert.ErrorContains(t, err, c.says)
		})
	}
}
