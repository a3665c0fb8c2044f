// Package shop is a small client of Backroom's API: enough to seed a shop, to buy in it and to watch what becomes of an order.
package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An API is one deployed Backroom, by the URL its paths follow. Every call without a token is a public one.
type API struct {
	URL  string       // without a slash at its end
	HTTP *http.Client // nil: http.DefaultClient
}

// A Call is a request before it is sent.
type Call struct {
	Method string
	Path   string // as in the OpenAPI document, with its values in place
	Token  string
	Header map[string]string
	Body   any // encoded as JSON; a []byte or string is sent as it is
}

// An Answer is what came back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Into decodes the body. It returns an error that shows the answer if the status is none of want.
func (a Answer) Into(out any, want ...int) error {
	for _, status := range want {
		if a.Status == status {
			if out == nil {
				return nil
			}
			return json.Unmarshal(a.Body, out)
		}
	}
	return fmt.Errorf("status %d, wanted %v: %s", a.Status, want, bytes.TrimSpace(a.Body))
}

// Send sends a call and reads the whole answer. An error means there was none.
func (s API) Send(ctx context.Context, call Call) (Answer, error) {
	var body []byte
	switch given := call.Body.(type) {
	case nil:
	case []byte:
		body = given
	case string:
		body = []byte(given)
	default:
		encoded, err := json.Marshal(given)
		if err != nil {
			return Answer{}, err
		}
		body = encoded
	}
	request, err := http.NewRequestWithContext(ctx, call.Method, s.URL+call.Path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if call.Token != "" {
		request.Header.Set("Authorization", "Bearer "+call.Token)
	}
	for name, value := range call.Header {
		request.Header.Set(name, value)
	}
	client := s.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return Answer{Status: response.StatusCode, Header: response.Header, Body: read}, err
}

// A Grant is what a token is asked for.
type Grant struct {
	ClientID, Secret string
	Scope            string // space separated; "" is all the client may have
	Customer         string // the customer the token acts for; "" is none
}

// Token returns an access token.
func (s API) Token(ctx context.Context, g Grant) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if g.Scope != "" {
		form.Set("scope", g.Scope)
	}
	if g.Customer != "" {
		form.Set("customer", g.Customer)
	}
	request, err := http.NewRequest(http.MethodPost, s.URL, nil)
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(url.QueryEscape(g.ClientID), url.QueryEscape(g.Secret))
	answer, err := s.Send(ctx, Call{
		Method: http.MethodPost, Path: "/oauth/token", Body: form.Encode(),
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": request.Header.Get("Authorization")},
	})
	if err != nil {
		return "", err
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := answer.Into(&token, http.StatusOK); err != nil {
		return "", fmt.Errorf("POST /oauth/token: %w", err)
	}
	return token.AccessToken, nil
}

// Money is an amount in the currency's smallest unit.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Euro is a price list with one price.
func Euro(cents int64) []Money { return []Money{{Amount: cents, Currency: "EUR"}} }

// A Product is something to sell: by its own SKU, or by those of its variants.
type Product struct {
	SKU      string    `json:"-"`
	Title    string    `json:"title"`
	Prices   []Money   `json:"prices"` // one per currency
	Variants []Variant `json:"variants,omitempty"`
}

// A Variant is one of the forms in which a product is sold.
type Variant struct {
	SKU    string  `json:"sku"`
	Title  string  `json:"title"`
	Prices []Money `json:"prices,omitempty"` // none: the product's
}

// AddProduct puts a product into the catalogue. It returns false if the SKU is there already, which it then leaves alone.
func (s API) AddProduct(ctx context.Context, token string, p Product) (added bool, err error) {
	answer, err := s.Send(ctx, Call{
		Method: http.MethodPut, Path: "/products/" + url.PathEscape(p.SKU), Token: token, Body: p,
		Header: map[string]string{"If-None-Match": "*"},
	})
	if err != nil {
		return false, err
	}
	err = answer.Into(nil, http.StatusCreated, http.StatusOK, http.StatusPreconditionFailed)
	if err != nil {
		return false, fmt.Errorf("PUT /products/%s: %w", p.SKU, err)
	}
	return answer.Status == http.StatusCreated, nil
}

// Deliver adds units of a product to the stock, once per key.
func (s API) Deliver(ctx context.Context, token, key, sku string, units int) error {
	answer, err := s.Send(ctx, Call{
		Method: http.MethodPost, Path: "/stock/" + url.PathEscape(sku) + "/adjustments", Token: token,
		Header: map[string]string{"Idempotency-Key": key},
		Body:   map[string]any{"delta": units, "reason": "delivery"},
	})
	if err != nil {
		return err
	}
	if err := answer.Into(nil, http.StatusCreated); err != nil {
		return fmt.Errorf("POST /stock/%s/adjustments: %w", sku, err)
	}
	return nil
}

// A Line is a product and how many of it.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// A Basket is an order before it is placed.
type Basket struct {
	Lines         []Line `json:"lines"`
	PaymentMethod string `json:"payment_method"`
	Email         string `json:"email,omitempty"`
	Currency      string `json:"currency,omitempty"`
}

// The cards of the sandbox.
const (
	CardGood     = "pm_card_visa"
	CardDeclined = "pm_card_chargeDeclined"
)

// A Receipt is the answer to an order that was accepted.
type Receipt struct {
	ID       string `json:"id"`
	Total    Money  `json:"total"`
	Location string `json:"-"`
}

// Place places an order, once per key.
func (s API) Place(ctx context.Context, token, key string, b Basket) (Receipt, error) {
	answer, err := s.Send(ctx, Call{
		Method: http.MethodPost, Path: "/orders", Token: token, Body: b,
		Header: map[string]string{"Idempotency-Key": key},
	})
	if err != nil {
		return Receipt{}, err
	}
	var receipt Receipt
	if err := answer.Into(&receipt, http.StatusAccepted); err != nil {
		return Receipt{}, fmt.Errorf("POST /orders: %w", err)
	}
	receipt.Location = answer.Header.Get("Location")
	return receipt, nil
}

// Cancel cancels an order. It returns false if its story has ended otherwise.
func (s API) Cancel(ctx context.Context, token, id, reason string) (cancelled bool, err error) {
	answer, err := s.Send(ctx, Call{
		Method: http.MethodPost, Path: "/orders/" + url.PathEscape(id) + "/cancellation", Token: token, Body: map[string]string{"reason": reason},
	})
	if err != nil {
		return false, err
	}
	if err := answer.Into(nil, http.StatusAccepted, http.StatusConflict); err != nil {
		return false, fmt.Errorf("POST /orders/%s/cancellation: %w", id, err)
	}
	return answer.Status == http.StatusAccepted, nil
}

// An Order is what GET /orders/{id} tells of it.
type Order struct {
	ID         string    `json:"id"`
	Status     string    `json:"status"`
	Verdict    string    `json:"verdict"`   // empty before it has one
	Reason     string    `json:"reason"`    // of a rejection or cancellation
	Attention  string    `json:"attention"` // why a person must look; empty: nobody must
	PlacedAt   time.Time `json:"placed_at"`
	Total      Money     `json:"total"`
	Payment    Payment   `json:"payment"`
	Refunds    []Refund  `json:"refunds"`
	Refundable Money     `json:"refundable"`
	Timeline   []Entry   `json:"timeline"`
}

// A Payment is how an order's payment stands.
type Payment struct {
	State        string `json:"state"`
	ClientSecret string `json:"client_secret"` // while its customer has to do something
}

// A Refund is a part of an order's money that goes back, or went.
type Refund struct {
	ID     string `json:"id"`
	Amount Money  `json:"amount"`
	State  string `json:"state"`
}

// An Entry is one thing that happened to an order.
type Entry struct {
	Type  string    `json:"type"`
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
}

// Decided says whether the order has its verdict, or can get none without a person.
func (o Order) Decided() bool { return o.Verdict != "" || o.Attention != "" }

// Outcome returns the verdict, with its reason if there is one.
func (o Order) Outcome() string { return strings.TrimSpace(o.Verdict + " " + o.Reason) }

// Order returns an order as it is now.
func (s API) Order(ctx context.Context, token, id string) (Order, error) {
	answer, err := s.Send(ctx, Call{Method: http.MethodGet, Path: "/orders/" + url.PathEscape(id), Token: token})
	if err != nil {
		return Order{}, err
	}
	var order Order
	if err := answer.Into(&order, http.StatusOK); err != nil {
		return Order{}, fmt.Errorf("GET /orders/%s: %w", id, err)
	}
	return order, nil
}

// Await asks for an order until it has its verdict or ctx ends; then it returns the order as it was last seen, and ctx's error.
func (s API) Await(ctx context.Context, token, id string) (Order, error) {
	return s.AwaitThat(ctx, token, id, Order.Decided)
}

// AwaitThat is Await for an order that is as somebody wants it.
func (s API) AwaitThat(ctx context.Context, token, id string, wanted func(Order) bool) (Order, error) {
	var seen Order
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
