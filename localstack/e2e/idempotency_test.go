package e2e

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

// orderCall returns POST /orders with a body and an Idempotency-Key, or without a key if that is "".
func orderCall(t conformance.T, buyer, key string, body any) shop.Call {
	call := shop.Call{Method: http.MethodPost, Path: "/orders", Token: system.Token(t, buyer), Body: body}
	if key != "" {
		call.Header = map[string]string{"Idempotency-Key": key}
	}
	return call
}

func TestIdempotencyKey_SentTenTimesAtOnceIsOneOrder(t *testing.T) {
	parallel(t, func(t conformance.T) {
		account, buyer := system.Account(), system.New("ada")
		basket := Mailed(buyer, Basket(account.Product(t, 100, 20)))
		call := orderCall(t, buyer, "my-order", basket)
		answers, errs := make([]shop.Answer, 10), make([]error, 10)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i], errs[i] = system.API.Send(t.Context(), call) })
		}
		all.Wait()

		firsts := 0
		for i, a := range answers {
			require.NoError(t, errs[i])
			require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
			require.Equal(t, string(answers[0].Body), string(a.Body), "all get the same answer")
			require.Equal(t, answers[0].Header.Get("Location"), a.Header.Get("Location"))
			if a.Header.Get("Idempotent-Replayed") == "" {
				firsts++
			}
		}
		// the first answer may have been lost and asked for again
		require.LessOrEqual(t, firsts, 1, "all but the first know that they are repetitions")

		var receipt client.OrderReceipt
		require.NoError(t, json.Unmarshal(answers[0].Body, &receipt))
		account.Note(buyer, basket, receipt)
		account.Close(t, Confirmed(100, 0))
	})
}

func TestIdempotencyKey_MeansOneRequest(t *testing.T) {
	parallel(t, func(t conformance.T) {
		buyer, sku := system.New("ada"), system.Product(t, 100, 5)
		first := system.Send(t,
			orderCall(t, buyer, "my-order", `{"lines":[{"sku":"`+sku+
				`","quantity":1}],"payment_method":"pm_card_visa"}`))
		require.Equal(t, http.StatusAccepted, first.Status, "%s", first.Body)
		require.Empty(t, first.Header.Get("Idempotent-Replayed"))

		sameInOtherWords := system.Send(t,
			orderCall(t, buyer, "my-order",
				` { "payment_method" : "pm_card_visa", "lines" : [ {"quantity": 1, "sku": "`+sku+`"} ] } `))
		require.Equal(t, http.StatusAccepted, sameInOtherWords.Status)
		require.Equal(t, "true", sameInOtherWords.Header.Get("Idempotent-Replayed"))
		require.Equal(t, string(first.Body), string(sameInOtherWords.Body))

		other := system.Send(t,
			orderCall(t, buyer, "my-order", `{"lines":[{"sku":"`+sku+
				`","quantity":2}],"payment_method":"pm_card_visa"}`))
		require.Equal(t, []string{"Idempotency-Key"},
			Places(Refused(t, other, http.StatusUnprocessableEntity, "idempotency-key-reused")))

		without := system.Send(t, orderCall(t, buyer, "", Basket(sku)))
		require.Equal(t, []string{"Idempotency-Key"},
			Places(Refused(t, without, http.StatusBadRequest, "idempotency-key-missing")))

		unreadable := system.Send(t, orderCall(t, buyer, "two words", Basket(sku)))
		require.Equal(t, []string{"Idempotency-Key"},
			Places(Refused(t, unreadable, http.StatusUnprocessableEntity, "invalid-request")))

		elses := system.Send(t, orderCall(t, system.New("grace"), "my-order", Basket(sku)))
		require.Equal(t, http.StatusAccepted, elses.Status, "each customer has keys of its own: %s", elses.Body)
		require.Empty(t, elses.Header.Get("Idempotent-Replayed"))
		require.NotEqual(t, first.Header.Get("Location"), elses.Header.Get("Location"))
	})
}

func TestIdempotencyKey_ReplaysAfterAPriceChange(t *testing.T) {
	parallel(t, func(t conformance.T) {
		account, buyer := system.Account(), system.New("ada")
		sku := account.Product(t, 100, 5)
		basket := Mailed(buyer, Basket(sku))
		basket.ExpectedTotal = client.MoneyRequest{Amount: 100, Currency: "EUR"}
		call := orderCall(t, buyer, "my-order", basket)
		first := system.Send(t, call)
		require.Equal(t, http.StatusAccepted, first.Status, "%s", first.Body)

		tag := readProduct(t, sku).Header.Get("ETag")
		dearer := putProduct(t, sku, "If-Match", tag, client.ProductContent{Title: "A thing", Prices: shop.Euro(200)})
		require.Equal(t, http.StatusOK, dearer.Status, "%s", dearer.Body)

		again := system.Send(t, call)
		require.Equal(t, http.StatusAccepted, again.Status, "%s", again.Body)
		require.Equal(t, string(first.Body), string(again.Body))

		var receipt client.OrderReceipt
		require.NoError(t, json.Unmarshal(again.Body, &receipt))
		account.Note(buyer, basket, receipt)
		account.Close(t, Confirmed(100, 0)) // it costs what was agreed, once
	})
}

func TestAdjustment_IsMadeOncePerKey(t *testing.T) {
	parallel(t, func(t conformance.T) {
		sku, key := system.Product(t, 100, 10), system.New("key")
		first := system.Adjust(t, sku, key, `{"delta":-4,"reason":"broken"}`)
		require.Equal(t, http.StatusCreated, first.Status, "%s", first.Body)
		again := system.Adjust(t, sku, key, `{"delta":-4,"reason":"broken"}`)
		require.Equal(t, http.StatusCreated, again.Status, "%s", again.Body)
		require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
		require.Equal(t, string(first.Body), string(again.Body))
		system.Level(t, sku, 6)

		Refused(t, system.Adjust(t, sku, key, `{"delta":-5,"reason":"broken"}`), http.StatusUnprocessableEntity,
			"idempotency-key-reused")
		Refused(t, system.Adjust(t, sku, system.New("key"), `{"delta":-7,"reason":"broken"}`), http.StatusConflict,
			"insufficient-stock")
		Refused(t, system.Adjust(t, sku, system.New("key"), `{"set":20,"if_equals":5,"reason":"counted"}`),
			http.StatusConflict, "stock-level-changed")
		Refused(t, system.Adjust(t, sku, system.New("key"), `{"set":20,"reason":"counted"}`),
			http.StatusUnprocessableEntity, "ambiguous-adjustment")
		system.Level(t, sku, 6)

		var counted client.StockAdjustment
		require.NoError(t,
			system.Adjust(t, sku, system.New("key"), `{"set":20,"if_equals":6,"reason":"counted"}`).Into(&counted,
				http.StatusCreated))
		require.Equal(t, int64(14), counted.Delta)
		system.Level(t, sku, 20)
	})
}
