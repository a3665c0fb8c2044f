package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/get-product/wire"
	"backroom/shared/cloudtest"
	"backroom/shared/function"
)

const name = "get-product"

var build = function.Serving(wire.New)

func TestEverybodyMaySeeWhatIsSold(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Catalog", `{"pk":"main#MUG-1","sku":"MUG-1","title":"Mug, stoneware","price":1250,"currency":"EUR","version":3,"changed_at":1772366400000}`)
	before := c.State()

	for range 2 {
		answer := c.Request(build, name, "get-product.json")
		assert.Equal(t, 200, answer.Status, answer.Body)
		assert.Equal(t, `"v3"`, answer.Header.Get("ETag"))
		assert.JSONEq(t, `{"sku": "MUG-1", "title": "Mug, stoneware", "price": {"amount": 1250, "currency": "EUR"}, "changed_at": "2026-03-01T12:00:00Z"}`, answer.Body)
		assert.Equal(t, before, c.State())
	}
}

func TestWhatIsNotSoldIsNotFound(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Catalog", `{"pk":"other#UNICORN-1","sku":"UNICORN-1","title":"Another shop's","price":1,"currency":"EUR","version":1,"changed_at":1}`)
	before := c.State()

	for range 2 {
		answer := c.Request(build, name, "get-product.unknown.json")
		assert.Equal(t, 404, answer.Status, answer.Body)
		assert.Equal(t, "unknown-product", answer.Slug())
		assert.Equal(t, before, c.State())
	}
}
