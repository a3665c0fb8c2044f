package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

// Send sends a call to the API and returns the answer, whatever its status.
func (s *System) Send(t conformance.T, call shop.Call) shop.Answer {
	t.Helper()
	answer, err := s.API.Send(t.Context(), call)
	require.NoError(t, err)
	return answer
}

// Places returns the pointers and parameters of a problem's errors.
func Places(p client.Problem) []string {
	var places []string
	for _, e := range p.Errors {
		places = append(places, e.Pointer+e.Parameter)
	}
	return places
}

// Refused fails the case unless the answer is a problem document with the status and the slug, and returns it.
func Refused(t conformance.T, answer shop.Answer, status int, slug string) client.Problem {
	t.Helper()
	require.Equal(t, status, answer.Status, "%s", answer.Body)
	require.Equal(t, "application/problem+json", strings.ToLower(answer.Header.Get("Content-Type")), "%s", answer.Body)
	var p client.Problem
	require.NoError(t, json.Unmarshal(answer.Body, &p), "%s", answer.Body)
	require.Equal(t, slug, p.Code, "%s", answer.Body)
	require.EqualValues(t, status, p.Status, "the document repeats the status")
	require.NotEmpty(t, p.RequestID, "a report of the problem needs the request's id")
	return p
}

// Product adds a new product with units in stock, and returns its SKU.
func (s *System) Product(t conformance.T, cents int64, units int) string {
	t.Helper()
	sku := s.New("SKU")
	added,
		err := s.API.AddProduct(t.Context(), s.Token(t, ""), sku,
		client.ProductContent{Title: "A thing", Prices: shop.Euro(cents)})
	require.NoError(t, err)
	require.True(t, added, "%s is new", sku)
	if units > 0 {
		require.NoError(t, s.API.Deliver(t.Context(), s.Token(t, ""), s.New("delivery"), sku, units))
	}
	return sku
}

// Adjust sends an adjustment of a SKU's level.
func (s *System) Adjust(t conformance.T, sku, key, body string) shop.Answer {
	t.Helper()
	return s.Send(t, shop.Call{
		Method: http.MethodPost, Path: "/stock/" + sku + "/adjustments", Token: s.Token(t, ""), Body: body,
		Header: map[string]string{"Idempotency-Key": key},
	})
}

// A Holding is how many units of a SKU can be sold, and how many are promised to orders.
type Holding struct {
	Sellable, Promised int
}

// String returns a text such as 3/2.
func (h Holding) String() string { return fmt.Sprintf("%d/%d", h.Sellable, h.Promised) }

// StockOf returns the stock of a SKU, which is zero if it was never delivered.
func (s *System) StockOf(t conformance.T, sku string) Holding {
	t.Helper()
	answer, err := s.API.GetStockWithResponse(t.Context(), sku, shop.Bearer(s.Token(t, "")))
	if refused, ok := errors.AsType[*client.Refusal](err); ok && refused.Slug() == "unknown-stock" {
		return Holding{}
	}
	require.NoError(t, err, "GET /stock/%s", sku)
	return Holding{int(answer.JSON200.Sellable), int(answer.JSON200.Promised)}
}

// Level fails the case unless that many units of a SKU can be sold.
func (s *System) Level(t conformance.T, sku string, units int) {
	t.Helper()
	require.Equal(t, units, s.StockOf(t, sku).Sellable, "units of %s that can be sold", sku)
}

// Basket is an order of one unit of each SKU, paid with a good card.
func Basket(skus ...string) client.OrderRequest { return Paying(shop.CardGood, skus...) }

// Paying is an order of one unit of each SKU, paid with a card of the sandbox.
func Paying(card string, skus ...string) client.OrderRequest {
	b := client.OrderRequest{PaymentMethod: card}
	for _, sku := range skus {
		b.Lines = append(b.Lines, client.LineRequest{SKU: sku, Quantity: 1})
	}
	return b
}

// Mailed returns the order with the buyer's mail address.
func Mailed(buyer string, b client.OrderRequest) client.OrderRequest {
	b.Email = buyer + "@example.com"
	return b
}

// Place places an order for a buyer and returns the receipt.
func (s *System) Place(t conformance.T, buyer string, b client.OrderRequest) client.OrderReceipt {
	t.Helper()
	receipt, err := s.API.Place(t.Context(), s.Token(t, buyer), s.New("key"), b)
	require.NoError(t, err)
	return receipt
}

// Order returns a buyer's order as it is now.
func (s *System) Order(t conformance.T, buyer, id string) client.Order {
	t.Helper()
	o, err := s.API.Order(t.Context(), s.Token(t, buyer), id)
	require.NoError(t, err)
	return o
}

// Outcome waits until a buyer's order has its outcome and returns the order.
func (s *System) Outcome(t conformance.T, buyer, id string) (o client.Order) {
	t.Helper()
	s.Until(t, "order "+id+" has its outcome", func() (any, bool) {
		o = s.Order(t, buyer, id)
		return Story(o), shop.Decided(o)
	})
	return o
}

// Cancel requests an order's cancellation, as a customer, or as staff ("").
func (s *System) Cancel(t conformance.T, buyer, id string) shop.Answer {
	t.Helper()
	return s.Send(t,
		shop.Call{Method: http.MethodPost, Path: "/orders/" + id + "/cancellation", Token: s.Token(t, buyer)})
}

// Refund requests a refund of an order: of the whole refundable amount if amount is 0.
func (s *System) Refund(t conformance.T, id, key string, amount int64) shop.Answer {
	t.Helper()
	body := client.RefundRequest{Reason: "arrived broken"}
	if amount > 0 {
		body.Amount = client.RefundAmount{Amount: amount, Currency: "EUR"}
	}
	return s.asStaff(t, "/orders/"+id+"/refunds", key, body)
}

// Resolve sends a resolution for an order that needs attention.
func (s *System) Resolve(t conformance.T, id, key string, action client.ResolutionRequestAction) shop.Answer {
	t.Helper()
	return s.asStaff(t, "/orders/"+id+"/resolution", key,
		client.ResolutionRequest{Action: action, Reason: "somebody looked"})
}

func (s *System) asStaff(t conformance.T, path, key string, body any) shop.Answer {
	t.Helper()
	return s.Send(t,
		shop.Call{Method: http.MethodPost, Path: path, Token: s.Token(t, ""), Body: body,
			Header: map[string]string{"Idempotency-Key": key}})
}

// Accepted fails the case unless the status is 202.
func Accepted(t conformance.T, answer shop.Answer) {
	t.Helper()
	require.Equal(t, http.StatusAccepted, answer.Status, "%s", answer.Body)
}

// Facts returns the types of a timeline.
func Facts(o client.Order) []string {
	var facts []string
	for _, e := range o.Timeline {
		facts = append(facts, e.Type)
	}
	return facts
}

// Story describes an order: its standing, and the facts of its timeline.
func Story(o client.Order) string {
	return o.ID + ": " + Standing(o) + " after " + strings.Join(Facts(o), ", ")
}

// HasFact reports whether the order's timeline has the fact.
func HasFact(o client.Order, fact string) bool { return slices.Contains(Facts(o), fact) }
