package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/put-product/wire"
	"backroom/shared/cloudtest"
	"backroom/shared/function"
)

const name = "put-product"

var build = function.Serving(wire.New)

func TestAProductIsCreated(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)

	first := c.Request(build, name, "put-product.json")

	assert.Equal(t, 201, first.Status, first.Body)
	assert.Equal(t, `"v1"`, first.Header.Get("ETag"))
	assert.JSONEq(t, `{"sku": "BOWL-1", "title": "Bowl, stoneware", "price": {"amount": 1490, "currency": "EUR"}, "changed_at": "2026-03-01T12:00:00Z"}`, first.Body)
	assert.Len(t, c.Rows("Catalog"), 1)
	assert.JSONEq(t, `{
		"pk": "main#BOWL-1", "sku": "BOWL-1", "title": "Bowl, stoneware", "price": 1490, "currency": "EUR",
		"version": 1, "changed_at": 1772366400000
	}`, c.Row("Catalog", "main#BOWL-1"))

	t.Run("and a repetition is answered with what is stored, and changes nothing", func(t *testing.T) {
		before := c.State()
		again := c.Request(build, name, "put-product.json")
		assert.Equal(t, 200, again.Status, again.Body)
		assert.Equal(t, [2]string{first.Body, first.Header.Get("ETag")}, [2]string{again.Body, again.Header.Get("ETag")})
		assert.Equal(t, before, c.State())
	})
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	for event, want := range map[string]struct {
		status int
		slug   string
	}{
		"put-product.changed-meanwhile.json": {412, "product-changed"},
		"put-product.unknown-currency.json":  {422, "unknown-currency"},
	} {
		for given, row := range map[string]string{
			"the first time":    "",
			"after another one": `{"pk":"main#BOWL-1","sku":"BOWL-1","title":"Bowl","price":1290,"currency":"EUR","version":8,"changed_at":1}`,
		} {
			t.Run(event+" "+given, func(t *testing.T) {
				t.Parallel()
				c := cloudtest.New(t)
				c.Token() // its public key is in the state that must not change
				c.Table("Catalog")
				if row != "" {
					c.Put("Catalog", row)
				}
				before := c.State()
				for range 2 {
					answer := c.Request(build, name, event)
					assert.Equal(t, want.status, answer.Status, answer.Body)
					assert.Equal(t, want.slug, answer.Slug())
					assert.Equal(t, before, c.State())
				}
			})
		}
	}
}
