package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/shop"
	"backroom/shared/cloudtest/deviation"
)

// putProduct writes a product on a condition, as in "If-Match", which holds for a tag.
func putProduct(t deviation.T, condition, tag string, p shop.Product) shop.Answer {
	t.Helper()
	call := shop.Call{Method: http.MethodPut, Path: "/products/" + p.SKU, Token: system.Token(t, ""), Body: p}
	if condition != "" {
		call.Header = map[string]string{condition: tag}
	}
	return system.Send(t, call)
}

func readProduct(t deviation.T, sku string) shop.Answer {
	t.Helper()
	return system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products/" + sku})
}

func deleteProduct(t deviation.T, sku, tag string) shop.Answer {
	t.Helper()
	call := shop.Call{Method: http.MethodDelete, Path: "/products/" + sku, Token: system.Token(t, "")}
	if tag != "" {
		call.Header = map[string]string{"If-Match": tag}
	}
	return system.Send(t, call)
}

func TestAProductIsCreatedOnceAndChangedByWhoKnowsIt(t *testing.T) {
	beside(t, func(t deviation.T) {
		sku := system.New("SKU")
		put := func(title, condition, tag string) shop.Answer {
			return putProduct(t, condition, tag, shop.Product{SKU: sku, Title: title, Prices: shop.Euro(100)})
		}
		Refused(t, put("Mug", "", ""), http.StatusPreconditionRequired, "precondition-needed")
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

func TestEverybodySeesAProductAndLearnsIfItChanged(t *testing.T) {
	beside(t, func(t deviation.T) {
		sku := system.Product(t, 1250, 0)
		answer := readProduct(t, sku)
		require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
		var product struct {
			SKU string `json:"sku"`
			shop.Product
		}
		require.NoError(t, json.Unmarshal(answer.Body, &product))
		require.Equal(t, sku, product.SKU)
		require.Equal(t, "A thing", product.Title)
		require.Equal(t, shop.Euro(1250), product.Prices)
		require.Contains(t, answer.Header.Get("Cache-Control"), "public")

		same := system.Send(t, shop.Call{
			Method: http.MethodGet, Path: "/products/" + sku, Header: map[string]string{"If-None-Match": answer.Header.Get("ETag")},
		})
		require.Equal(t, http.StatusNotModified, same.Status)
		require.Empty(t, same.Body)

		Refused(t, readProduct(t, "NOT-SOLD"), http.StatusNotFound, "unknown-product")
	})
}

func TestAProductWithVariantsIsSoldByTheirSKUs(t *testing.T) {
	beside(t, func(t deviation.T) {
		sku, buyer := system.New("SHIRT"), system.New("ada")
		shirt := shop.Product{SKU: sku, Title: "Shirt", Prices: shop.Euro(4900), Variants: []shop.Variant{
			{SKU: sku + "-M", Title: "Medium"}, {SKU: sku + "-XXL", Title: "Very large", Prices: shop.Euro(5900)},
		}}
		created := putProduct(t, "If-None-Match", "*", shirt)
		require.Equal(t, http.StatusCreated, created.Status, "%s", created.Body)
		for _, v := range shirt.Variants {
			require.NoError(t, system.API.Deliver(t.Context(), system.Token(t, ""), system.New("delivery"), v.SKU, 1))
		}
		receipt := system.Place(t, buyer, Basket(sku+"-M", sku+"-XXL"))
		require.Equal(t, shop.Money{Amount: 4900 + 5900, Currency: "EUR"}, receipt.Total)
		require.Equal(t, "confirmed", system.Verdict(t, buyer, receipt.ID).Status)

		problem := Refused(t, system.Send(t, orderCall(t, buyer, "whole-shirt", Basket(sku))), http.StatusUnprocessableEntity, "product-not-sold")
		require.Equal(t, []string{"#/lines/0/sku"}, problem.Places())
		Refused(t, readProduct(t, sku+"-M"), http.StatusNotFound, "unknown-product")
	})
}

func TestASKUBelongsToOneProduct(t *testing.T) {
	beside(t, func(t deviation.T) {
		sku := system.New("SHIRT")
		variant := func(sku string) []shop.Variant { return []shop.Variant{{SKU: sku, Title: "A form"}} }
		created := putProduct(t, "If-None-Match", "*", shop.Product{SKU: sku, Title: "Shirt", Prices: shop.Euro(100), Variants: variant(sku + "-M")})
		require.Equal(t, http.StatusCreated, created.Status, "%s", created.Body)

		for _, taken := range []string{sku, sku + "-M"} {
			other := shop.Product{SKU: system.New("OTHER"), Title: "Other", Prices: shop.Euro(100), Variants: variant(taken)}
			problem := Refused(t, putProduct(t, "If-None-Match", "*", other), http.StatusConflict, "sku-taken")
			require.Equal(t, []string{"#/variants/0/sku"}, problem.Places())
			Refused(t, readProduct(t, other.SKU), http.StatusNotFound, "unknown-product")
		}
		Refused(t, putProduct(t, "If-None-Match", "*", shop.Product{SKU: sku + "-M", Title: "Other", Prices: shop.Euro(100)}), http.StatusConflict, "sku-taken")
		Refused(t, putProduct(t, "If-None-Match", "*", shop.Product{SKU: system.New("OTHER"), Title: "Other", Prices: append(shop.Euro(1), shop.Euro(2)...)}),
			http.StatusUnprocessableEntity, "price-repeated")

		moved := putProduct(t, "If-Match", created.Header.Get("ETag"), shop.Product{SKU: sku, Title: "Shirt", Prices: shop.Euro(100)})
		require.Equal(t, http.StatusOK, moved.Status, "%s", moved.Body)
		free := putProduct(t, "If-None-Match", "*", shop.Product{SKU: system.New("OTHER"), Title: "Other", Prices: shop.Euro(100), Variants: variant(sku + "-M")})
		require.Equal(t, http.StatusCreated, free.Status, "%s", free.Body)
	})
}

func TestADeletedProductIsGoneUntilItIsBroughtBack(t *testing.T) {
	beside(t, func(t deviation.T) {
		sku := system.Product(t, 100, 0)
		tag := readProduct(t, sku).Header.Get("ETag")
		Refused(t, deleteProduct(t, sku, ""), http.StatusPreconditionRequired, "precondition-needed")
		Refused(t, deleteProduct(t, sku, `"v9"`), http.StatusPreconditionFailed, "product-changed")
		Refused(t, deleteProduct(t, "NOT-SOLD", "*"), http.StatusNotFound, "unknown-product")

		deleted := deleteProduct(t, sku, tag)
		require.Equal(t, http.StatusNoContent, deleted.Status, "%s", deleted.Body)
		require.Equal(t, http.StatusNoContent, deleteProduct(t, sku, tag).Status, "a repetition changes nothing")
		Refused(t, readProduct(t, sku), http.StatusNotFound, "unknown-product")
		Refused(t, system.Send(t, orderCall(t, system.New("ada"), "gone", Basket(sku))), http.StatusUnprocessableEntity, "product-not-sold")
		thing := shop.Product{SKU: sku, Title: "A thing", Prices: shop.Euro(100)}
		Refused(t, putProduct(t, "If-Match", tag, thing), http.StatusPreconditionFailed, "product-changed")

		back := putProduct(t, "If-None-Match", "*", thing)
		require.Equal(t, http.StatusCreated, back.Status, "%s", back.Body)
		require.NotContains(t, []string{tag, deleted.Header.Get("ETag")}, back.Header.Get("ETag"), "an ETag never comes again")
		require.Equal(t, http.StatusOK, readProduct(t, sku).Status)
	})
}

func TestTheListHasEveryProductOnce(t *testing.T) {
	beside(t, func(t deviation.T) {
		mine := []string{system.Product(t, 100, 0), system.Product(t, 100, 0), system.Product(t, 100, 0)}
		gone := system.Product(t, 100, 0)
		require.Equal(t, http.StatusNoContent, deleteProduct(t, gone, "*").Status)
		system.Until(t, "the list has what is sold, and not what was deleted", func() (any, bool) {
			listed := walk(t, "/products?limit=50")
			require.True(t, slices.IsSorted(listed), "in the order of SKUs")
			require.Equal(t, len(listed), len(slices.Compact(slices.Clone(listed))), "no product twice")
			missing := slices.DeleteFunc(slices.Clone(mine), func(sku string) bool { return slices.Contains(listed, sku) })
			return missing, len(missing) == 0 && !slices.Contains(listed, gone)
		})

		first := system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products?limit=1"})
		var page productPage
		require.NoError(t, first.Into(&page, http.StatusOK))
		require.Contains(t, first.Header.Get("Link"), "cursor="+page.Next)
		require.Contains(t, first.Header.Get("Cache-Control"), "public")
		for _, query := range []url.Values{
			{"cursor": {page.Next}, "shop": {"another"}}, {"cursor": {page.Next[1:]}}, {"cursor": {strings.Repeat("A", 60)}},
		} {
			problem := Refused(t, system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products?" + query.Encode()}), http.StatusUnprocessableEntity, "cursor-invalid")
			require.Equal(t, []string{"cursor"}, problem.Places())
		}
		Refused(t, system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products?limit=51"}), http.StatusUnprocessableEntity, "invalid-request")
	})
}

// productPage is a page of GET /products.
type productPage struct {
	Products []struct {
		SKU string `json:"sku"`
	} `json:"products"`
	Next string `json:"next"`
}

// walk returns the SKUs of all pages of a list of products.
func walk(t deviation.T, path string) []string {
	t.Helper()
	var skus []string
	for next := path; next != ""; {
		var page productPage
		require.NoError(t, system.Send(t, shop.Call{Method: http.MethodGet, Path: next}).Into(&page, http.StatusOK))
		for _, p := range page.Products {
			skus = append(skus, p.SKU)
		}
		if next = ""; page.Next != "" {
			next = path + "&cursor=" + page.Next
		}
	}
	return skus
}
