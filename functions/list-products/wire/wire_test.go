package wire_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/list-products/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const name = "list-products"

var build = function.Serving(wire.New)

// shop is a cloud with three products on sale, and some that are not.
func shop(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	for _, sku := range []string{"BOWL-1", "MUG-1", "RUG-1"} {
		c.Put("Catalog",
			fmt.Sprintf(
				`{"pk":"main#%s","sku":%q,"listed":"main","title":"A thing","prices":{"EUR":1250},"version":3,"since":1,"changed_at":1772366400000}`, sku, sku))
	}
	c.Put("Catalog",
		`{"pk":"main#CUP-1","sku":"CUP-1","title":"Deleted","prices":{"EUR":1},"version":2,"since":1,"changed_at":1,"deleted_at":1}`)
	c.Put("Catalog", `{"pk":"main#BOWL-1-S","sku":"BOWL-1-S","product":"BOWL-1","prices":{"EUR":1}}`)
	c.Put("Catalog",
		`{"pk":"other#CUP-1","sku":"CUP-1","listed":"other","title":"Theirs","prices":{"EUR":1},"version":1,"since":1,"changed_at":1}`)
	return c
}

func TestListProducts_PagesWithoutAToken(t *testing.T) {
	t.Parallel()
	c := shop(t)
	before := c.State()
	for range 2 {
		first := c.Request(build, name, "list-products.json")
		require.Equal(t, 200, first.Status, first.Body)
		assert.Equal(t, "public, max-age=30", first.Header.Get("Cache-Control"))
		var page struct{ Next string }
		require.NoError(t, json.Unmarshal([]byte(first.Body), &page))
		product := `{"sku": "%s", "title": "A thing", "prices": [{"amount": 1250, "currency": "EUR"}], "changed_at": "2026-03-01T12:00:00Z"}`
		assert.JSONEq(t, `{"products": [`+fmt.Sprintf(product, "BOWL-1")+`, `+fmt.Sprintf(product, "MUG-1")+
			`], "next": "`+page.Next+`"}`, first.Body)
		assert.Equal(t, `</v1/products?cursor=`+page.Next+`&limit=2>; rel="next"`, first.Header.Get("Link"))
		assert.Contains(t, string(c.Event("list-products.next.json")), `"cursor": "`+page.Next+`"`,
			"the sample of the second page is where the first one leads")

		last := c.Request(build, name, "list-products.next.json")
		require.Equal(t, 200, last.Status, last.Body)
		assert.JSONEq(t, `{"products": [`+fmt.Sprintf(product, "RUG-1")+`]}`, last.Body)
		assert.Empty(t, last.Header.Get("Link"))
		assert.Equal(t, before, c.State())
	}
}

func TestListProducts_RefusesAnotherShopsCursor(t *testing.T) {
	t.Parallel()
	c := shop(t)
	for range 2 {
		answer := c.Request(build, name, "list-products.foreign-cursor.json")
		assert.Equal(t, 422, answer.Status, answer.Body)
		assert.Equal(t, "cursor-invalid", answer.Slug())
		assert.Contains(t, answer.Body, `"parameter":"cursor"`)
	}
}
