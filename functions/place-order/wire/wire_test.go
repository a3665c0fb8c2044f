package wire_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/place-order/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const (
	name = "place-order"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4" // derived from the caller and the sample's Idempotency-Key
)

var build = function.Serving(wire.New)

// shop is a cloud whose catalogue has the products of the samples.
func shop(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	c.Put("Catalog",
		`{"pk":"main#MUG-1","sku":"MUG-1","title":"Mug, stoneware","prices":{"EUR":1250},"version":1,"changed_at":1}`)
	c.Put("Catalog",
		`{"pk":"main#TEAPOT-1","sku":"TEAPOT-1","title":"Teapot, cast iron","prices":{"EUR":5400},"version":1,"changed_at":1}`)
	return c
}

func TestPlaceOrder_AcceptsAnOrder(t *testing.T) {
	t.Parallel()
	c := shop(t)

	first := c.Request(build, name, "place-order.json")

	assert.Equal(t, 202, first.Status, first.Body)
	assert.Equal(t, "/v1/orders/"+id, first.Header.Get("Location"))
	assert.JSONEq(t, `{
		"id": "`+id+`",
		"placed_at": "2026-03-01T12:00:00Z",
		"lines": [
			{"sku": "MUG-1", "quantity": 2, "price": {"amount": 1250, "currency": "EUR"}},
			{"sku": "TEAPOT-1", "quantity": 1, "price": {"amount": 5400, "currency": "EUR"}}
		],
		"total": {"amount": 7900, "currency": "EUR"}
	}`, first.Body)
	assert.Len(t, c.Rows("Orders"), 1)
	assert.JSONEq(t, c.Image("relay-facts.json"), c.Row("Orders", "main#"+id),
		"the row is the one that relay-facts' sample shows")

	t.Run("a repetition gets the same answer and changes nothing, even at another price", func(t *testing.T) {
		c.Put("Catalog",
			`{"pk":"main#MUG-1","sku":"MUG-1","title":"Mug, stoneware","prices":{"EUR":1350},"version":2,"changed_at":2}`)
		before := c.State()
		again := c.Request(build, name, "place-order.json")
		assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
		assert.Equal(t, [2]any{first.Status, first.Body}, [2]any{again.Status, again.Body})
		assert.Equal(t, before, c.State())
	})
	t.Run("a repetition gets it even if the order could no longer be placed", func(t *testing.T) {
		c.Put("Catalog",
			`{"pk":"main#MUG-1","sku":"MUG-1","title":"Mug, stoneware","prices":{"JPY":1350},"version":3,"changed_at":3}`)
		before := c.State()
		again := c.Request(build, name, "place-order.json")
		assert.Equal(t, [2]any{first.Status, first.Body}, [2]any{again.Status, again.Body})
		assert.Equal(t, before, c.State())
	})
	t.Run("the same key with another body is refused", func(t *testing.T) {
		before := c.State()
		other := bytes.Replace(c.Event("place-order.json"), []byte(`\"quantity\": 2`), []byte(`\"quantity\": 3`), 1)
		answer, err := c.Call(build, name, other)
		require.NoError(t, err)
		assert.Contains(t, string(answer), `"statusCode":422`)
		assert.Contains(t, string(answer), "idempotency-key-reused")
		assert.Equal(t, before, c.State())
	})
}

func TestPlaceOrder_RefusalStoresNothing(t *testing.T) {
	for event, want := range map[string]struct {
		status int
		slug   string
		names  string // the error
	}{
		"place-order.not-sold.json":      {422, "product-not-sold", `"#/lines/1/sku"`},
		"place-order.no-key.json":        {400, "idempotency-key-missing", `"Idempotency-Key"`},
		"place-order.price-changed.json": {409, "price-changed", ""},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			c := shop(t)
			for range 2 {
				answer := c.Request(build, name, event)
				assert.Equal(t, want.status, answer.Status, answer.Body)
				assert.Equal(t, want.slug, answer.Slug())
				assert.Contains(t, answer.Body, want.names)
				assert.Empty(t, c.Rows("Orders"))
			}
		})
	}
}
