package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/put-product/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const name = "put-product"

var build = function.Serving(wire.New)

func TestPutProduct_CreatesAProduct(t *testing.T) {
	for event, want := range map[string]struct {
		answer string
		rows   map[string]string
	}{
		"put-product.json": {
			answer: `{"sku": "BOWL-1", "title": "Bowl, stoneware", "prices": [{"amount": 1490, "currency": "EUR"}], "changed_at": "2026-03-01T12:00:00Z"}`,
			rows: map[string]string{"main#BOWL-1": `{
				"pk": "main#BOWL-1", "sku": "BOWL-1", "listed": "main", "title": "Bowl, stoneware", "prices": {"EUR": 1490},
				"version": 1, "since": 1, "changed_at": 1772366400000
			}`},
		},
		"put-product.variants.json": {
			answer: `{
				"sku": "SHIRT-1", "title": "Shirt, linen", "description": "Woven, washed, not ironed.", "changed_at": "2026-03-01T12:00:00Z",
				"prices": [{"amount": 4900, "currency": "EUR"}, {"amount": 5400, "currency": "USD"}],
				"variants": [
					{"sku": "SHIRT-1-M", "title": "Shirt, linen, medium", "options": {"size": "M"}},
					{"sku": "SHIRT-1-XXL", "title": "Shirt, linen, very large", "prices": [{"amount": 5900, "currency": "EUR"}], "options": {"size": "XXL"}}
				]
			}`,
			rows: map[string]string{
				"main#SHIRT-1": `{
					"pk": "main#SHIRT-1", "sku": "SHIRT-1", "listed": "main", "title": "Shirt, linen", "description": "Woven, washed, not ironed.",
					"prices": {"EUR": 4900, "USD": 5400}, "version": 1, "since": 1, "changed_at": 1772366400000,
					"variants": [
						{"sku": "SHIRT-1-M", "title": "Shirt, linen, medium", "options": [{"name": "size", "value": "M"}]},
						{"sku": "SHIRT-1-XXL", "title": "Shirt, linen, very large", "prices": {"EUR": 5900}, "options": [{"name": "size", "value": "XXL"}]}
					]
				}`,
				"main#SHIRT-1-M":   `{"pk": "main#SHIRT-1-M", "sku": "SHIRT-1-M", "product": "SHIRT-1", "prices": {"EUR": 4900, "USD": 5400}}`,
				"main#SHIRT-1-XXL": `{"pk": "main#SHIRT-1-XXL", "sku": "SHIRT-1-XXL", "product": "SHIRT-1", "prices": {"EUR": 5900}}`,
			},
		},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			c := cloudtest.New(t)

			first := c.Request(build, name, event)

			assert.Equal(t, 201, first.Status, first.Body)
			assert.Equal(t, `"v1"`, first.Header.Get("ETag"))
			assert.JSONEq(t, want.answer, first.Body)
			assert.Len(t, c.Rows("Catalog"), len(want.rows))
			for key, row := range want.rows {
				assert.JSONEq(t, row, c.Row("Catalog", key))
			}

			before := c.State()
			again := c.Request(build, name, event)
			assert.Equal(t, 200, again.Status, "a repetition is answered with what is stored: %s", again.Body)
			assert.Equal(t, [2]string{first.Body, first.Header.Get("ETag")},
				[2]string{again.Body, again.Header.Get("ETag")})
			assert.Equal(t, before, c.State(), "and changes nothing")
		})
	}
}

func TestPutProduct_DeletedProductReturnsWithAHigherVersion(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Catalog",
		`{"pk":"main#BOWL-1","sku":"BOWL-1","title":"Bowl","prices":{"EUR":1290},"version":8,"since":1,"changed_at":1,"deleted_at":1}`)

	first := c.Request(build, name, "put-product.json")

	assert.Equal(t, 201, first.Status, first.Body)
	assert.Equal(t, `"v9"`, first.Header.Get("ETag"))
	assert.JSONEq(t, `{
		"pk": "main#BOWL-1", "sku": "BOWL-1", "listed": "main", "title": "Bowl, stoneware", "prices": {"EUR": 1490},
		"version": 9, "since": 9, "changed_at": 1772366400000
	}`, c.Row("Catalog", "main#BOWL-1"))
	before := c.State()
	again := c.Request(build, name, "put-product.json")
	assert.Equal(t, [2]any{200, first.Body}, [2]any{again.Status, again.Body})
	assert.Equal(t, before, c.State())
}

func TestPutProduct_TakesAMissingVariantOffSale(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Catalog", `{
		"pk":"main#BOWL-1","sku":"BOWL-1","listed":"main","title":"Bowl","prices":{"EUR":1290},"version":7,"since":1,"changed_at":1,
		"variants":[{"sku":"BOWL-1-S","title":"Bowl, small"}]
	}`)
	c.Put("Catalog", `{"pk":"main#BOWL-1-S","sku":"BOWL-1-S","product":"BOWL-1","prices":{"EUR":1290}}`)

	assert.Equal(t, 200, c.Request(build, name, "put-product.changed-meanwhile.json").Status)

	assert.Len(t, c.Rows("Catalog"), 1, "an order of the small one is refused as not sold")
}

func TestPutProduct_RefusalChangesNothing(t *testing.T) {
	for event, want := range map[string]struct {
		status int
		slug   string
		names  string // the error
	}{
		"put-product.changed-meanwhile.json": {412, "product-changed", ""},
		"put-product.unknown-currency.json":  {422, "unknown-currency", `"#/prices/0"`},
		"put-product.sku-taken.json":         {409, "sku-taken", `"#/variants/1/sku"`},
	} {
		for given, row := range map[string]string{
			"the first time":    "",
			"after another one": `{"pk":"main#BOWL-1","sku":"BOWL-1","listed":"main","title":"Bowl","prices":{"EUR":1290},"version":8,"since":1,"changed_at":1}`,
		} {
			t.Run(event+" "+given, func(t *testing.T) {
				t.Parallel()
				c := cloudtest.New(t)
				c.Token() // before the state is read, because it stores a public key
				c.Put("Catalog",
					`{"pk":"main#SHIRT-1-XXL","sku":"SHIRT-1-XXL","product":"SHIRT-1","prices":{"EUR":5900}}`)
				if row != "" {
					c.Put("Catalog", row)
				}
				before := c.State()
				for range 2 {
					answer := c.Request(build, name, event)
					assert.Equal(t, want.status, answer.Status, answer.Body)
					assert.Equal(t, want.slug, answer.Slug())
					assert.Contains(t, answer.Body, want.names)
					assert.Equal(t, before, c.State())
				}
			})
		}
	}
}
