package main

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/template"
	"backroom/shared/saga"
)

// read decodes a file below the root of the repository.
func read[E any](t *testing.T, file ...string) (e E) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(file...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &e))
	return e
}

// repository returns the root of this repository.
func repository(t *testing.T) string {
	t.Helper()
	root, err := template.Root()
	require.NoError(t, err)
	return root
}

func TestRequest_EqualsTheStoredSample(t *testing.T) {
	t.Parallel()
	root := repository(t)
	for _, route := range []string{
		"adjust-stock", "cancel-order", "get-order", "get-product", "place-order", "refund-order",
	} {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			kept := read[events.APIGatewayProxyRequest](t, root, "events", route+".json")
			made, err := options{route: route, body: kept.Body, at: kept.Path}.request(root)
			require.NoError(t, err)
			text, err := indented(made)
			require.NoError(t, err)
			var again events.APIGatewayProxyRequest
			require.NoError(t, json.Unmarshal(text, &again))

			// Each sample has its own key and id, and a stored length may be that of an earlier body.
			for _, e := range []*events.APIGatewayProxyRequest{&kept, &again} {
				_, keyed := e.Headers["Idempotency-Key"]
				assert.Equal(t, keyed, made.Headers["Idempotency-Key"] != "")
				for _, name := range []string{"Idempotency-Key", "Content-Length"} {
					delete(e.Headers, name)
					delete(e.MultiValueHeaders, name)
				}
				assert.Regexp(t, "^7c9e6679-7425-40de-944b-[0-9a-f]{12}$", e.RequestContext.RequestID)
				e.RequestContext.RequestID = ""
			}
			assert.Equal(t, kept, again)
		})
	}
}

func TestRequest_PathAndQueryComeFromTheOptionsOrOtherSamples(t *testing.T) {
	t.Parallel()
	root := repository(t)
	for sentence, c := range map[string]struct {
		options options
		path    string
		query   map[string]string
		says    string // the error; empty for none
	}{
		"a parameter is taken from another sample": {options{route: "get-product"}, "/products/" + sku(t, root), nil,
			""},
		"a path that is given": {options{route: "get-product", at: "/products/CUP-1"},
			"/products/CUP-1", nil, ""},
		"a query": {
			options{route: "list-orders", at: "/orders?limit=2&cursor=x"}, "/orders",
			map[string]string{"limit": "2", "cursor": "x"}, "",
		},
		"another route's path": {options{route: "get-product", at: "/orders/ord_1"}, "", nil,
			"does not match the path /products/{sku}"},
		"a path that is longer": {options{route: "get-product", at: "/products/CUP-1/x"}, "", nil,
			"does not match the path /products/{sku}"},
		"a function without HTTP": {options{route: "commit-stock"}, "", nil, "place-order"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			e, err := c.options.request(root)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.path, e.Path)
			assert.Equal(t, "/v1"+c.path, e.RequestContext.Path)
			assert.Equal(t, c.query, e.QueryStringParameters)
		})
	}
}

func sku(t *testing.T, root string) string {
	t.Helper()
	known, err := samples(root)
	require.NoError(t, err)
	require.NotEmpty(t, known["/products/{sku}"])
	return known["/products/{sku}"]
}

func TestMessage_IsAFactThatTheStepConsumes(t *testing.T) {
	t.Parallel()
	root := repository(t)
	known, err := samples(root)
	require.NoError(t, err)
	for _, step := range saga.Steps {
		for _, fact := range consumed(step) {
			e, err := options{step: string(step), fact: string(fact)}.message(root)
			require.NoError(t, err)
			require.Len(t, e.Records, 1)
			m := e.Records[0]
			said, err := saga.Decode(step, m.Body)
			require.NoError(t, err, "%s of %s", step, fact)
			assert.Equal(t, []string{string(fact), known[order]}, []string{string(said.Type), said.Subject})
			_, err = saga.As[saga.OrderRef](said)
			assert.NoError(t, err, "%s has the order id of the samples", fact)
			assert.Equal(t, fmt.Sprintf("%x", md5.Sum([]byte(m.Body))), m.Md5OfBody)
		}
	}
	made, err := options{step: "commit-stock"}.message(root)
	require.NoError(t, err)
	kept := read[events.SQSEvent](t, root, "events", "commit-stock.json")
	assert.Equal(t, kept.Records[0].EventSourceARN, made.Records[0].EventSourceARN)
	assert.Equal(t, kept.Records[0].Attributes, made.Records[0].Attributes)

	made, err = options{step: "return-payment", body: "{"}.message(root)
	require.NoError(t, err)
	assert.Equal(t, "{", made.Records[0].Body, "a message may be unreadable")

	_, err = options{step: "return-payment"}.message(root)
	require.ErrorContains(t, err, "return-payment consumes several facts: set FACT to one of")
	_, err = options{step: "get-order"}.message(root)
	require.ErrorContains(t, err, "is not a step")
}

func TestWrite_DoesNotOverwriteASample(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "events"), 0o755))
	o := options{route: "place-order", of: "empty", body: `{"lines":[]}`}

	file, err := o.write(folder)
	require.NoError(t, err)
	assert.Equal(t, "events/place-order.empty.json", file)
	e := read[events.APIGatewayProxyRequest](t, folder, file)
	assert.Equal(t, "sample-place-order.empty", e.Headers["Idempotency-Key"])
	assert.Equal(t, []string{o.body, "12"}, []string{e.Body, e.Headers["Content-Length"]})

	o.body = ""
	_, err = o.write(folder)
	require.ErrorContains(t, err, "already exists")
	assert.Equal(t, e, read[events.APIGatewayProxyRequest](t, folder, file))

	for _, o := range []options{{}, {route: "place-order", step: "commit-stock"}} {
		_, err := o.write(folder)
		assert.ErrorContains(t, err, "set either ROUTE or STEP")
	}
}
