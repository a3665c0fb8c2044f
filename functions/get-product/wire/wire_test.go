package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/get-product/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const name = "get-product"

var build = function.Serving(wire.New)

func TestGetProduct_ReturnsAProductWithoutAToken(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Catalog", `{
		"pk":"main#MUG-1","sku":"MUG-1","listed":"main","title":"Mug, stoneware","prices":{"USD":1390,"EUR":1250},
		"variants":[{"sku":"MUG-1-S","title":"Mug, small"}],"version":3,"since":1,"changed_at":1772366400000
	}`)
	before := c.State()

	for range 2 {
		answer := c.Request(build, name, "get-product.json")
		assert.Equal(t, 200, answer.Status, answer.Body)
		assert.Equal(t, `"v3"`, answer.Header.Get("ETag"))
		assert.Equal(t, "public, no-cache", answer.Header.Get("Cache-Control"), "who reads it again sees what changed")
		assert.JSONEq(t, `{
			"sku": "MUG-1", "title": "Mug, stoneware", "changed_at": "2026-03-01T12:00:00Z",
			"prices": [{"amount": 1250, "currency": "EUR"}, {"amount": 1390, "currency": "USD"}],
			"variants": [{"sku": "MUG-1-S", "title": "Mug, small"}]
		}`, answer.Body)
		assert.Equal(t, before, c.State())
	}
}

func TestGetProduct_RefusesWhatIsNotOnSale(t *testing.T) {
	for given, row := range map[string]string{
		"another shop's": `{"pk":"other#UNICORN-1","sku":"UNICORN-1","listed":"other","title":"Theirs","prices":{"EUR":1},"version":1,"since":1,"changed_at":1}`,
		"deleted":        `{"pk":"main#UNICORN-1","sku":"UNICORN-1","title":"Ours","prices":{"EUR":1},"version":2,"since":1,"changed_at":1,"deleted_at":1}`,
		"a variant":      `{"pk":"main#UNICORN-1","sku":"UNICORN-1","product":"HORSE-1","prices":{"EUR":1}}`,
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			c := cloudtest.New(t)
			c.Put("Catalog", row)
			before := c.State()

			for range 2 {
				answer := c.Request(build, name, "get-product.unknown.json")
				assert.Equal(t, 404, answer.Status, answer.Body)
				assert.Equal(t, "unknown-product", answer.Slug())
				assert.Equal(t, before, c.State())
			}
		})
	}
}
