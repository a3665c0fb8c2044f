package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/get-stock/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/identity"
)

const name = "get-stock"

var build = function.Serving(wire.New)

func TestGetStock_ReturnsALevel(t *testing.T) {
	for sentence, c := range map[string]struct{ given, shown string }{
		"with promised units": {`{"pk":"main#sku#MUG-1","sellable":80,"promised":20}`,
			`{"sku":"MUG-1","sellable":80,"promised":20}`},
		"without promised units": {`{"pk":"main#sku#MUG-1","sellable":100}`,
			`{"sku":"MUG-1","sellable":100,"promised":0}`},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			cloud := cloudtest.New(t)
			cloud.Put("Levels", c.given)
			before := cloud.Rows("Levels")

			for range 2 {
				answer := cloud.Request(build, name, "get-stock.json")
				assert.Equal(t, 200, answer.Status, answer.Body)
				assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
				assert.JSONEq(t, c.shown, answer.Body)
				assert.Equal(t, before, cloud.Rows("Levels"))
			}
		})
	}
}

func TestGetStock_UnknownSKUHasNoLevel(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Levels", `{"pk":"other#sku#UNICORN-1","sellable":1}`)
	before := c.Rows("Levels")

	for range 2 {
		answer := c.Request(build, name, "get-stock.unknown.json")
		assert.Equal(t, 404, answer.Status, answer.Body)
		assert.Equal(t, "unknown-stock", answer.Slug())
		assert.Equal(t, before, c.Rows("Levels"))
	}
}

func TestGetStock_RequiresItsScope(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Caller.Scopes = []string{identity.StockWrite, identity.OrdersReadAll}
	c.Put("Levels", `{"pk":"main#sku#MUG-1","sellable":100}`)

	answer := c.Request(build, name, "get-stock.json")
	assert.Equal(t, 403, answer.Status, answer.Body)
	assert.Equal(t, "insufficient-scope", answer.Slug())
}
