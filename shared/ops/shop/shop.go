// Package shop seeds a shop, buys in it and follows an order, with the Go client (shared/client).
// Its Wire sends requests that the client cannot send, such as malformed ones.
package shop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"backroom/shared/client"
)

// An API is one deployed Backroom. A call carries the token that Bearer gives it. It is made once,
// without retries, so the caller sees every refusal.
type API struct {
	*client.ClientWithResponses
	Wire
}

// New returns the API at a URL, over a connection; nil means http.DefaultClient.
func New(url string, connection *http.Client) (API, error) {
	wire := Wire{URL: strings.TrimRight(url, "/"), HTTP: cmp.Or(connection, http.DefaultClient)}
	calls, err := client.New(wire.URL, client.Settings{HTTP: wire.HTTP})
	return API{calls, wire}, err
}

// Bearer adds a token to a call.
func Bearer(token string) client.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
}

// RefusedWith reports whether an error is a refusal with one of the statuses.
func RefusedWith(err error, statuses ...int64) bool {
	refused, ok := errors.AsType[*client.Refusal](err)
	return ok && slices.Contains(statuses, refused.Status)
}

// Token returns an access token.
func (s API) Token(ctx context.Context, c client.Credentials) (string, error) {
	answer, err := c.Token(ctx, s.ClientWithResponses)
	if err != nil {
		return "", err
	}
	return answer.AccessToken, nil
}

// Euro is a price list with one price.
func Euro(cents int64) []client.MoneyRequest {
	return []client.MoneyRequest{{Amount: cents, Currency: "EUR"}}
}

// AddProduct adds a product to the catalogue. If the SKU exists, it changes nothing and returns
// false.
func (s API) AddProduct(ctx context.Context, token, sku string, p client.ProductContent) (added bool, err error) {
	answer, err := s.PutProductWithResponse(ctx, sku, &client.PutProductParams{IfNoneMatch: new("*")}, p, Bearer(token))
	if RefusedWith(err, http.StatusPreconditionFailed) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("PUT /products/%s: %w", sku, err)
	}
	return answer.StatusCode() == http.StatusCreated, nil
}

// Deliver adds units of a product to the stock, once per key.
func (s API) Deliver(ctx context.Context, token, key, sku string, units int) error {
	delivery := client.AdjustmentRequest{Delta: new(int64(units)), Reason: "delivery"}
	if _,
		err := s.AdjustStockWithResponse(ctx, sku, &client.AdjustStockParams{IdempotencyKey: key}, delivery,
		Bearer(token)); err != nil {
		return fmt.Errorf("POST /stock/%s/adjustments: %w", sku, err)
	}
	return nil
}

// The cards of the sandbox.
const (
	CardGood     = "pm_card_visa"
	CardDeclined = "pm_card_chargeDeclined"
)

// Place places an order, once per key.
func (s API) Place(ctx context.Context, token, key string, basket client.OrderRequest) (client.OrderReceipt, error) {
	answer, err := s.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: key}, basket, Bearer(token))
	if err != nil {
		return client.OrderReceipt{}, fmt.Errorf("POST /orders: %w", err)
	}
	return *answer.JSON202, nil
}

// Cancel cancels an order. It returns false if the order can no longer be canceled.
func (s API) Cancel(ctx context.Context, token, id, reason string) (canceled bool, err error) {
	_, err = s.CancelOrderWithResponse(ctx, id, client.CancellationRequest{Reason: reason}, Bearer(token))
	if RefusedWith(err, http.StatusConflict) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("POST /orders/%s/cancellation: %w", id, err)
	}
	return true, nil
}

// Decided reports whether an order has its outcome, or needs a person to get one.
func Decided(o client.Order) bool { return o.Outcome != "" || o.Attention != "" }

// Outcome returns an order's outcome, with its reason if there is one.
func Outcome(o client.Order) string {
	return strings.TrimSpace(string(o.Outcome) + " " + o.Reason)
}

// Order returns an order as it is now.
func (s API) Order(ctx context.Context, token, id string) (client.Order, error) {
	answer, err := s.GetOrderWithResponse(ctx, id, nil, Bearer(token))
	if err != nil {
		return client.Order{}, fmt.Errorf("GET /orders/%s: %w", id, err)
	}
	return *answer.JSON200, nil
}

// Await reads an order until it has its outcome. If ctx ends first, it returns the order as last
// read, and ctx's error.
func (s API) Await(ctx context.Context, token, id string) (client.Order, error) {
	return s.AwaitThat(ctx, token, id, Decided)
}

// AwaitThat reads an order until wanted returns true. If ctx ends first, it returns the order as
// last read, and ctx's error.
func (s API) AwaitThat(ctx context.Context, token, id string, wanted func(client.Order) bool) (client.Order, error) {
	var seen client.Order
	for pause := 40 * time.Millisecond; ; pause = min(pause*5/4, 500*time.Millisecond) {
		order, err := s.Order(ctx, token, id)
		if ctx.Err() != nil {
			return seen, fmt.Errorf("order %s is still %q: %w", id, seen.Status, ctx.Err())
		}
		if err != nil {
			return seen, err
		}
		if seen = order; wanted(order) {
			return order, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
