package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/shop"
)

func TestAProductIsCreatedOnceAndChangedByWhoKnowsIt(t *testing.T) {
	beside(t, func(t T) {
		sku, staff := system.New("SKU"), system.Token(t, "")
		put := func(title, condition, tag string) shop.Answer {
			call := shop.Call{
				Method: http.MethodPut, Path: "/products/" + sku, Token: staff,
				Body: shop.Product{Title: title, Price: shop.Money{Amount: 100, Currency: "EUR"}},
			}
			if condition != "" {
				call.Header = map[string]string{condition: tag}
			}
			return system.Send(t, call)
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
	beside(t, func(t T) {
		sku := system.Product(t, 1250, 0)
		read := shop.Call{Method: http.MethodGet, Path: "/products/" + sku}
		answer := system.Send(t, read)
		require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
		var product struct {
			SKU   string     `json:"sku"`
			Title string     `json:"title"`
			Price shop.Money `json:"price"`
		}
		require.NoError(t, json.Unmarshal(answer.Body, &product))
		require.Equal(t, sku, product.SKU)
		require.Equal(t, "A thing", product.Title)
		require.Equal(t, shop.Money{Amount: 1250, Currency: "EUR"}, product.Price)
		require.Contains(t, answer.Header.Get("Cache-Control"), "public")

		read.Header = map[string]string{"If-None-Match": answer.Header.Get("ETag")}
		same := system.Send(t, read)
		require.Equal(t, http.StatusNotModified, same.Status)
		require.Empty(t, same.Body)

		Refused(t, system.Send(t, shop.Call{Method: http.MethodGet, Path: "/products/NOT-SOLD"}), http.StatusNotFound, "unknown-product")
	})
}
