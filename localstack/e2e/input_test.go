package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

func TestPlaceOrder_RefusesInvalidRequests(t *testing.T) {
	type refusal struct {
		body   func(sku string) string
		media  string
		status int
		slug   string
		places []string // nil: not looked at
	}
	order := func(lines string) func(string) string {
		return func(sku string) string {
			return `{"lines":[` + strings.ReplaceAll(lines, "SKU", sku) + `],"payment_method":"pm_card_visa"}`
		}
	}
	whole := func(body string) func(string) string {
		return func(sku string) string { return strings.ReplaceAll(body, "SKU", sku) }
	}
	lines := func(n int) func(string) string {
		return func(sku string) string {
			return order(strings.TrimSuffix(strings.Repeat(`{"sku":"SKU","quantity":1},`, n), ","))(sku)
		}
	}
	const good = `{"sku":"SKU","quantity":1}`
	for name, c := range map[string]refusal{
		"an unknown key": {body: order(`{"sku":"SKU","quantity":1,"colour":"red"}`), status: 422,
			slug: "invalid-request", places: []string{"#/lines/0/colour"}},
		"a key in the wrong case": {body: order(`{"SKU":"SKU","sku":"SKU","Quantity":1,"quantity":1}`), status: 422,
			slug: "invalid-request"},
		"the same key twice": {body: order(`{"sku":"SKU","quantity":1,"quantity":2}`), status: 422,
			slug: "invalid-request", places: []string{"#/lines/0/quantity"}},
		"null for what is needed": {body: whole(`{"lines":null,"payment_method":"pm_card_visa"}`), status: 422,
			slug: "invalid-request", places: []string{"#/lines"}},
		"no lines": {body: order(``), status: 422, slug: "invalid-request",
			places: []string{"#/lines"}},
		"no payment method": {body: whole(`{"lines":[` + good + `]}`), status: 422, slug: "invalid-request"},
		"a quantity that is text": {body: order(`{"sku":"SKU","quantity":"1"}`), status: 422,
			slug: "invalid-request", places: []string{"#/lines/0/quantity"}},
		"a quantity with a fraction": {body: order(`{"sku":"SKU","quantity":1.5}`), status: 422,
			slug: "invalid-request"},
		"quantity 0": {body: order(`{"sku":"SKU","quantity":0}`), status: 422, slug: "invalid-request",
			places: []string{"#/lines/0/quantity"}},
		"quantity -1": {body: order(`{"sku":"SKU","quantity":-1}`), status: 422,
			slug: "invalid-request", places: []string{"#/lines/0/quantity"}},
		"quantity 1e9": {body: order(`{"sku":"SKU","quantity":1000000000}`), status: 422,
			slug: "invalid-request", places: []string{"#/lines/0/quantity"}},
		"too many in several lines": {body: order(`{"sku":"SKU","quantity":6000},{"sku":"SKU","quantity":6000}`),
			status: 422, slug: "quantity-too-large", places: []string{"#/lines/1/quantity"}},
		"101 lines": {body: lines(101), status: 422, slug: "invalid-request",
			places: []string{"#/lines"}},
		"a product that is not sold": {body: order(good + `,{"sku":"NOT-SOLD","quantity":1}`), status: 422,
			slug: "product-not-sold", places: []string{"#/lines/1/sku"}},
		"a card number": {body: whole(`{"lines":[` + good + `],"payment_method":"4242424242424242"}`),
			status: 422, slug: "invalid-request", places: []string{"#/payment_method"}},
		"another total than it costs": {body: whole(`{"lines":[` + good +
			`],"payment_method":"pm_card_visa","expected_total":{"amount":1,"currency":"EUR"}}`), status: 409,
			slug: "price-changed"},
		"a total in foreign currency": {body: whole(`{"lines":[` + good +
			`],"payment_method":"pm_card_visa","expected_total":{"amount":100,"currency":"USD"}}`), status: 409,
			slug: "price-changed"},
		"bytes behind its end": {body: whole(`{"lines":[` + good + `],"payment_method":"pm_card_visa"} {}`),
			status: 400, slug: "malformed-request"},
		"half an object": {body: whole(`{"lines":[` + good), status: 400, slug: "malformed-request"},
		"nothing":        {body: whole(``), status: 400, slug: "malformed-request"},
		"64 KiB and a byte": {body: func(sku string) string {
			b := order(good)(sku)
			return b +
				strings.Repeat(" ", 64<<10+1-len(b))
		}, status: 413, slug: "body-too-large"},
		"a form": {body: whole(`lines=1`), media: "application/x-www-form-urlencoded", status: 415,
			slug: "unsupported-media-type"},
		"plain text": {body: order(good), media: "text/plain", status: 415,
			slug: "unsupported-media-type"},
	} {
		t.Run(name, func(t *testing.T) {
			parallel(t, func(t conformance.T) {
				buyer, sku := system.New("ada"), system.Product(t, 100, 2)
				call := orderCall(t, buyer, "my-order", c.body(sku))
				if c.media != "" {
					call.Header["Content-Type"] = c.media
				}
				p := Refused(t, system.Send(t, call), c.status, c.slug)
				if c.places != nil {
					require.Equal(t, c.places, Places(p))
				}
				// The refusal had no effect: the key is still free, and the stock is unchanged.
				accepted := system.Send(t, orderCall(t, buyer, "my-order", Basket(sku)))
				require.Equal(t, http.StatusAccepted, accepted.Status, "%s", accepted.Body)
				require.Empty(t, accepted.Header.Get("Idempotent-Replayed"))
				var receipt client.OrderReceipt
				require.NoError(t, json.Unmarshal(accepted.Body, &receipt))
				require.Equal(t, "confirmed", shop.Outcome(system.Outcome(t, buyer, receipt.ID)))
				system.Level(t, sku, 1)
			})
		})
	}
}

func TestPlaceOrder_RefusesInvalidUTF8(t *testing.T) {
	parallel(t, func(t conformance.T) {
		sku := system.Product(t, 100, 1)
		body := []byte(`{"lines":[{"sku":"` + sku + `","quantity":1}],"payment_method":"pm_card_visa` + "\xff" + `"}`)
		Refused(t, system.Send(t, orderCall(t, system.New("ada"), "my-order", body)), http.StatusBadRequest,
			"malformed-request")
	})
}

func TestPlaceOrder_AcceptsAtMostFiftyProducts(t *testing.T) {
	parallel(t, func(t conformance.T) {
		buyer := system.New("ada")
		skus := make([]string, 51)
		for i := range skus {
			skus[i] = system.Product(t, 100, 1)
		}
		Refused(t, system.Send(t, orderCall(t, buyer, "51", Basket(skus...))), http.StatusUnprocessableEntity,
			"too-many-products")

		o := system.Outcome(t, buyer, system.Place(t, buyer, Basket(skus[:50]...)).ID)
		require.Equal(t, "confirmed", shop.Outcome(o))
		system.Level(t, skus[0], 0)
		system.Level(t, skus[49], 0)
		system.Level(t, skus[50], 1)
	})
}

func TestPlaceOrder_RefusesATotalOutOfRange(t *testing.T) {
	parallel(t, func(t conformance.T) {
		dear := system.Product(t, 1<<53, 2)
		body := fmt.Sprintf(`{"lines":[{"sku":%q,"quantity":2}],"payment_method":"pm_card_visa"}`, dear)
		Refused(t, system.Send(t, orderCall(t, system.New("ada"), "my-order", body)), http.StatusUnprocessableEntity,
			"amount-out-of-range")
	})
}

func TestPlaceOrder_RefusesMixedCurrencies(t *testing.T) {
	parallel(t, func(t conformance.T) {
		euro, yen := system.Product(t, 100, 1), system.New("SKU")
		_, err := system.API.AddProduct(t.Context(), system.Token(t, ""), yen, client.ProductContent{
			Title: "A thing", Prices: []client.MoneyRequest{{Amount: 100, Currency: "JPY"}},
		})
		require.NoError(t, err)
		mixed := system.Send(t, orderCall(t, system.New("ada"), "my-order", Basket(euro, yen)))
		require.Equal(t, []string{"#/currency"},
			Places(Refused(t, mixed, http.StatusUnprocessableEntity, "currency-not-offered")))
	})
}

func TestGateway_AnswersUnknownPathWithAProblem(t *testing.T) {
	parallel(t, func(t conformance.T) {
		Refused(t, system.Send(t, shop.Call{Method: http.MethodGet, Path: "/nothing/here"}), http.StatusNotFound,
			"no-such-route")
	})
}

func TestGateway_AnswersUnknownMethodWithAProblem(t *testing.T) {
	parallel(t, func(t conformance.T) {
		Refused(t, system.Send(t, shop.Call{Method: http.MethodDelete, Path: "/orders"}), http.StatusNotFound,
			"no-such-route")
	})
}

func TestGateway_AnswersTooLargeBodyWithAProblem(t *testing.T) {
	parallel(t, func(t conformance.T) {
		body := bytes.Repeat([]byte(" "), 11<<20)
		Refused(t, system.Send(t, orderCall(t, system.New("ada"), "my-order", body)), http.StatusRequestEntityTooLarge,
			"body-too-large")
	})
}

func TestHealth_IsOK(t *testing.T) {
	parallel(t, func(t conformance.T) {
		answer, err := system.API.GetHealthWithResponse(t.Context())
		require.NoError(t, err)
		require.Equal(t, client.Ok, answer.JSON200.Status)
		require.Equal(t, "no-store", answer.HTTPResponse.Header.Get("Cache-Control"))
	})
}
