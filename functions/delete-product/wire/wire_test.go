package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/delete-product/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const name = "delete-product"

var build = function.Serving(wire.New)

const (
	bowl    = `{"pk":"main#BOWL-1","sku":"BOWL-1","listed":"main","title":"Bowl","prices":{"EUR":1290},"variants":[{"sku":"BOWL-1-S","title":"Small"}],"version":3,"since":1,"changed_at":1}`
	variant = `{"pk":"main#BOWL-1-S","sku":"BOWL-1-S","product":"BOWL-1","prices":{"EUR":1290}}`
	other   = `{"pk":"main#CUP-1","sku":"CUP-1","listed":"main","title":"Cup","prices":{"EUR":990},"version":1,"since":1,"changed_at":1}`
)

func TestDeleteProduct_TakesAProductOffSale(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	for _, row := range []string{bowl, variant, other} {
		c.Put("Catalog", row)
	}

	first := c.Request(build, name, "delete-product.json")

	assert.Equal(t, 204, first.Status, first.Body)
	assert.Equal(t, `"v4"`, first.Header.Get("ETag"))
	assert.Empty(t, first.Body)
	assert.Len(t, c.Rows("Catalog"), 2)
	assert.JSONEq(t, `{
		"pk": "main#BOWL-1", "sku": "BOWL-1", "title": "Bowl", "prices": {"EUR": 1290}, "variants": [{"sku": "BOWL-1-S", "title": "Small"}],
		"version": 4, "since": 1, "changed_at": 1772366400000, "deleted_at": 1772366400000
	}`, c.Row("Catalog", "main#BOWL-1"))
	assert.JSONEq(t, other, c.Row("Catalog", "main#CUP-1"))

	before := c.State()
	for _, event := range []string{"delete-product.json", "delete-product.changed-meanwhile.json"} {
		again := c.Request(build, name, event)
		assert.Equal(t, [2]any{204, `"v4"`}, [2]any{again.Status, again.Header.Get("ETag")}, "what is deleted stays so")
		assert.Equal(t, before, c.State())
	}
}

func TestDeleteProduct_RefusalChangesNothing(t *testing.T) {
	for given, want := range map[string]struct {
		event  string
		rows   []string
		status int
		slug   string
	}{
		"it was changed meanwhile": {"delete-product.changed-meanwhile.json", []string{bowl, variant}, 412,
			"product-changed"},
		"no condition": {"delete-product.unconditional.json", []string{bowl, variant}, 428,
			"precondition-required"},
		"it does not exist": {"delete-product.json", []string{other}, 404, "unknown-product"},
		"it is a variant of another": {"delete-product.json",
			[]string{`{"pk":"main#BOWL-1","sku":"BOWL-1","product":"CUP-1","prices":{"EUR":1}}`}, 404,
			"unknown-product"},
		"it is another shop's": {"delete-product.json",
			[]string{`{"pk":"other#BOWL-1","sku":"BOWL-1","listed":"other","title":"Bowl","prices":{"EUR":1},"version":3,"since":1,"changed_at":1}`}, 404, "unknown-product"},
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			c := cloudtest.New(t)
			c.Token() // before the state is read, because it stores a public key
			for _, row := range want.rows {
				c.Put("Catalog", row)
			}
			before := c.State()
			for range 2 {
				answer := c.Request(build, name, want.event)
				assert.Equal(t, want.status, answer.Status, answer.Body)
				assert.Equal(t, want.slug, answer.Slug())
				assert.Equal(t, before, c.State())
			}
		})
	}
}
