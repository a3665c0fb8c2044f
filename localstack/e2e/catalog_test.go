package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

// putProduct writes a product with a condition, such as "If-Match" with an ETag.
func putProduct(t conformance.T, sku, condition, tag string, p client.ProductContent) shop.Answer {
	t.Helper()
	call := shop.Call{Method: http.MethodPut, Path: "/products/" + sku, Token: system.Token(t, ""), Body: p}
	if condition != "" {
		call.Header = map[string]string{condition: tag}
	}
	return system.Send(t, call)
}

func readProduct(t conformance.T, sku string) shop.Answer {
	t.Helper()
	return system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products/" + sku})
}

func deleteProduct(t conformance.T, sku, tag string) shop.Answer {
	t.Helper()
	call := shop.Call{Method: http.MethodDelete, Path: "/products/" + sku, Token: system.Token(t, "")}
	if tag != "" {
		call.Header = map[string]string{"If-Match": tag}
	}
	return system.Send(t, call)
}

func TestProduct_IsCreatedOnceAndChangedByItsETag(t *testing.T) {
	parallel(t, func(t conformance.T) {
		sku := system.New("SKU")
		put := func(title, condition, tag string) shop.Answer {
			return putProduct(t, sku, condition, tag, client.ProductContent{Title: title, Prices: shop.Euro(100)})
		}
		Refused(t, put("Mug", "", ""), http.StatusPreconditionRequired, "precondition-required")
		Refused(t, put("Mug", "If-Match", `"v1"`), http.StatusPreconditionFailed, "product-changed")

		created := put("Mug", "If-None-Match", "*")
		require.Equal(t, http.StatusCreated, created.Status, "%s", created.Body)
		first := created.Header.Get("ETag")
		require.NotEmpty(t, first)
		repeated := put("Mug", "If-None-Match", "*")
		require.Equal(t, http.StatusOK, repeated.Status, "a repetition changes nothing: %s", repeated.Body)
		require.Equal(t, first, repeated.Header.Get("ETag"))
		Refused(t, put("Cup", "If-None-Match", "*"), http.StatusPreconditionFailed, "product-changed")

		changed := put("Cup", "If-Match", first)
		require.Equal(t, http.StatusOK, changed.Status, "%s", changed.Body)
		require.NotEqual(t, first, changed.Header.Get("ETag"))
		Refused(t, put("Bowl", "If-Match", first), http.StatusPreconditionFailed, "product-changed")
	})
}

func TestProduct_IsPublicAndHasAnETag(t *testing.T) {
	parallel(t, func(t conformance.T) {
		sku := system.Product(t, 1250, 0)
		answer, err := system.API.GetProductWithResponse(t.Context(), sku, nil)
		require.NoError(t, err)
		require.Equal(t, sku, answer.JSON200.SKU)
		require.Equal(t, "A thing", answer.JSON200.Title)
		require.Equal(t, []client.Money{{Amount: 1250, Currency: "EUR"}}, answer.JSON200.Prices)
		header := answer.HTTPResponse.Header
		require.Contains(t, header.Get("Cache-Control"), "public")

		same,
			err := system.API.GetProductWithResponse(t.Context(), sku,
			&client.GetProductParams{IfNoneMatch: new(header.Get("ETag"))})
		require.NoError(t, err)
		require.Equal(t, http.StatusNotModified, same.StatusCode())
		require.Empty(t, same.Body)

		Refused(t, readProduct(t, "NOT-SOLD"), http.StatusNotFound, "unknown-product")
	})
}

func TestProduct_WithVariantsIsSoldByTheirSKUs(t *testing.T) {
	parallel(t, func(t conformance.T) {
		sku, buyer := system.New("SHIRT"), system.New("ada")
		shirt := client.ProductContent{Title: "Shirt", Prices: shop.Euro(4900),
			Variants: []client.ProductVariantRequest{
				{SKU: sku + "-M", Title: "Medium"}, {SKU: sku + "-XXL", Title: "Very large", Prices: shop.Euro(5900)},
			}}
		created := putProduct(t, sku, "If-None-Match", "*", shirt)
		require.Equal(t, http.StatusCreated, created.Status, "%s", created.Body)
		for _, v := range shirt.Variants {
			require.NoError(t, system.API.Deliver(t.Context(), system.Token(t, ""), system.New("delivery"), v.SKU, 1))
		}
		receipt := system.Place(t, buyer, Basket(sku+"-M", sku+"-XXL"))
		require.Equal(t, client.Money{Amount: 4900 + 5900, Currency: "EUR"}, receipt.Total)
		require.Equal(t, client.OrderOutcomeConfirmed, system.Outcome(t, buyer, receipt.ID).Outcome)

		problem := Refused(t, system.Send(t, orderCall(t, buyer, "whole-shirt", Basket(sku))),
			http.StatusUnprocessableEntity, "product-not-sold")
		require.Equal(t, []string{"#/lines/0/sku"}, Places(problem))
		Refused(t, readProduct(t, sku+"-M"), http.StatusNotFound, "unknown-product")
	})
}

func TestProduct_SKUBelongsToOneProduct(t *testing.T) {
	parallel(t, func(t conformance.T) {
		sku := system.New("SHIRT")
		variant := func(sku string) []client.ProductVariantRequest {
			return []client.ProductVariantRequest{{SKU: sku, Title: "A form"}}
		}
		created := putProduct(t, sku, "If-None-Match", "*",
			client.ProductContent{Title: "Shirt", Prices: shop.Euro(100), Variants: variant(sku + "-M")})
		require.Equal(t, http.StatusCreated, created.Status, "%s", created.Body)

		for _, taken := range []string{sku, sku + "-M"} {
			other, content := system.New("OTHER"),
				client.ProductContent{Title: "Other", Prices: shop.Euro(100), Variants: variant(taken)}
			problem := Refused(t, putProduct(t, other, "If-None-Match", "*", content), http.StatusConflict, "sku-taken")
			require.Equal(t, []string{"#/variants/0/sku"}, Places(problem))
			Refused(t, readProduct(t, other), http.StatusNotFound, "unknown-product")
		}
		Refused(t,
			putProduct(t, sku+"-M", "If-None-Match", "*",
				client.ProductContent{Title: "Other", Prices: shop.Euro(100)}), http.StatusConflict, "sku-taken")
		Refused(t,
			putProduct(t, system.New("OTHER"), "If-None-Match", "*",
				client.ProductContent{Title: "Other", Prices: append(shop.Euro(1), shop.Euro(2)...)}),
			http.StatusUnprocessableEntity, "price-repeated")

		moved := putProduct(t, sku, "If-Match", created.Header.Get("ETag"),
			client.ProductContent{Title: "Shirt", Prices: shop.Euro(100)})
		require.Equal(t, http.StatusOK, moved.Status, "%s", moved.Body)
		free := putProduct(t, system.New("OTHER"), "If-None-Match", "*",
			client.ProductContent{Title: "Other", Prices: shop.Euro(100), Variants: variant(sku + "-M")})
		require.Equal(t, http.StatusCreated, free.Status, "%s", free.Body)
	})
}

func TestProduct_DeletedCanBeCreatedAgain(t *testing.T) {
	parallel(t, func(t conformance.T) {
		sku := system.Product(t, 100, 0)
		tag := readProduct(t, sku).Header.Get("ETag")
		Refused(t, deleteProduct(t, sku, ""), http.StatusPreconditionRequired, "precondition-required")
		Refused(t, deleteProduct(t, sku, `"v9"`), http.StatusPreconditionFailed, "product-changed")
		Refused(t, deleteProduct(t, "NOT-SOLD", "*"), http.StatusNotFound, "unknown-product")

		deleted := deleteProduct(t, sku, tag)
		require.Equal(t, http.StatusNoContent, deleted.Status, "%s", deleted.Body)
		require.Equal(t, http.StatusNoContent, deleteProduct(t, sku, tag).Status, "a repetition changes nothing")
		Refused(t, readProduct(t, sku), http.StatusNotFound, "unknown-product")
		Refused(t, system.Send(t, orderCall(t, system.New("ada"), "gone", Basket(sku))), http.StatusUnprocessableEntity,
			"product-not-sold")
		thing := client.ProductContent{Title: "A thing", Prices: shop.Euro(100)}
		Refused(t, putProduct(t, sku, "If-Match", tag, thing), http.StatusPreconditionFailed, "product-changed")

		back := putProduct(t, sku, "If-None-Match", "*", thing)
		require.Equal(t, http.StatusCreated, back.Status, "%s", back.Body)
		require.NotContains(t, []string{tag, deleted.Header.Get("ETag")}, back.Header.Get("ETag"),
			"an ETag is never reused")
		require.Equal(t, http.StatusOK, readProduct(t, sku).Status)
	})
}

func TestListProducts_HasEveryProductOnce(t *testing.T) {
	parallel(t, func(t conformance.T) {
		mine := []string{system.Product(t, 100, 0), system.Product(t, 100, 0), system.Product(t, 100, 0)}
		gone := system.Product(t, 100, 0)
		require.Equal(t, http.StatusNoContent, deleteProduct(t, gone, "*").Status)
		system.Until(t, "the list has what is sold, and not what was deleted", func() (any, bool) {
			listed := allProducts(t)
			require.True(t, slices.IsSorted(listed), "in the order of SKUs")
			require.Len(t, slices.Compact(slices.Clone(listed)), len(listed), "no product twice")
			missing := slices.DeleteFunc(slices.Clone(mine),
				func(sku string) bool { return slices.Contains(listed, sku) })
			return missing, len(missing) == 0 && !slices.Contains(listed, gone)
		})

		first, err := system.API.ListProductsWithResponse(t.Context(), &client.ListProductsParams{Limit: new(int64(1))})
		require.NoError(t, err)
		next, header := first.JSON200.Next, first.HTTPResponse.Header
		require.Contains(t, header.Get("Link"), "cursor="+next)
		require.Contains(t, header.Get("Cache-Control"), "public")
		for _, query := range []url.Values{
			{"cursor": {next}, "shop": {"another"}}, {"cursor": {next[1:]}}, {"cursor": {strings.Repeat("A", 60)}},
		} {
			problem := Refused(t,
				system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products?" + query.Encode()}),
				http.StatusUnprocessableEntity, "cursor-invalid")
			require.Equal(t, []string{"cursor"}, Places(problem))
		}
		Refused(t, system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products?limit=51"}),
			http.StatusUnprocessableEntity, "invalid-request")
	})
}

// allProducts returns the SKUs of all pages of the list of products.
func allProducts(t conformance.T) (skus []string) {
	t.Helper()
	for query := (client.ListProductsParams{Limit: new(int64(50))}); ; {
		page, err := system.API.ListProductsWithResponse(t.Context(), &query)
		require.NoError(t, err)
		for _, p := range page.JSON200.Products {
			skus = append(skus, p.SKU)
		}
		if page.JSON200.Next == "" {
			return skus
		}
		query.Cursor = &page.JSON200.Next
	}
}
