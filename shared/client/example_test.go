package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"backroom/shared/client"
)

// One order is accepted, another one is refused.
func Example() {
	deployed := httptest.NewServer(http.HandlerFunc(backroom)) // use your API's URL: https://….amazonaws.com/v1
	defer deployed.Close()

	api, err := client.New(deployed.URL, client.Settings{
		Credentials: client.Credentials{ClientID: "bootstrap", Secret: "secret", Customer: "ada"},
		Patience:    10 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, sku := range []string{"MUG-1", "CUP-1"} {
		placed,
			err := api.PlaceOrderWithResponse(context.Background(),
			&client.PlaceOrderParams{IdempotencyKey: client.NewKey()}, client.OrderRequest{
				Lines:         []client.LineRequest{{SKU: sku, Quantity: 2}},
				PaymentMethod: "pm_card_visa",
			})
		if refused, ok := errors.AsType[*client.Refusal](err); ok && refused.Slug() == "product-not-sold" {
			fmt.Println("not sold:", refused.Errors[0].Pointer)
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("accepted:", placed.JSON202.ID, placed.JSON202.Total.Amount, placed.JSON202.Total.Currency)
	}
	// Output:
	// accepted: ord_1 2500 EUR
	// not sold: #/lines/0/sku
}

// backroom answers like a deployment with mugs on sale.
func backroom(w http.ResponseWriter, r *http.Request) {
	body := new(strings.Builder)
	_ = r.Write(body)
	switch {
	case r.URL.Path == "/oauth/token":
		say(w, http.StatusOK, `{"access_token":"eyJ…","token_type":"Bearer","expires_in":900}`)
	case strings.Contains(body.String(), "MUG-1"):
		say(w, http.StatusAccepted, receipt)
	default:
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = fmt.Fprint(w, `{"code":"product-not-sold","errors":[{"detail":"It is not sold.","pointer":"#/lines/0/sku"}]}`)
	}
}
