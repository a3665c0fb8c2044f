package orderapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/order"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

// as is a verifier that accepts every token as this caller's.
type as identity.Caller

func (a as) Verify(context.Context, string) (identity.Caller, error) { return identity.Caller(a), nil }

// customer returns a caller with the scopes of a customer.
func customer(subject string) as {
	return as{Shop: "main", Subject: subject, Client: "web",
		Scopes: []string{identity.OrdersWrite, identity.OrdersRead}}
}

// staff returns a caller with all scopes for orders.
func staff() as {
	return as{Shop: "main", Subject: "client:office", Client: "office", Scopes: []string{
		identity.OrdersWrite, identity.OrdersRead, identity.OrdersReadAll, identity.OrdersRefund,
		identity.OrdersResolve,
	}}
}

// without returns the caller without a scope.
func (a as) without(scope string) as {
	var rest []string
	for _, s := range a.Scopes {
		if s != scope {
			rest = append(rest, s)
		}
	}
	a.Scopes = rest
	return a
}

// book is a store with one order. Meanwhile has the changes of others, each applied just before a save.
type book struct {
	order     order.Order
	meanwhile []func(order.Order) order.Order
	away      error // on every save
	saved     [][]saga.Fact
	actor     string // of the last save
	loads     int
}

func (b *book) Load(_ context.Context, shop saga.Shop, id string) (order.Order, error) {
	b.loads++
	if shop != b.order.Shop || id != b.order.ID {
		return order.Order{}, fault.NotFound
	}
	return b.order, nil
}

func (b *book) Save(_ context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) error {
	if b.away != nil {
		return b.away
	}
	if len(b.meanwhile) > 0 {
		b.order, b.meanwhile = b.meanwhile[0](b.order), b.meanwhile[1:]
		return fault.Conflict
	}
	b.order, b.saved, b.actor = o, append(b.saved, facts), cause.Actor
	return nil
}

// by returns a decision as a change of others.
func by(d ordertest.Decision) func(order.Order) order.Order {
	return func(o order.Order) order.Order {
		o, _ = d(o)
		return o
	}
}

// same is a change of others that does not affect the decision.
func same(o order.Order) order.Order { return o }

// answer is the answer to a client.
type answer struct {
	status   int
	slug     string
	location string
	replayed bool
	header   http.Header
	body     string
}

// send sends a request to an operation. A key or body that is empty is not sent.
func send(t *testing.T, op api.Operation, method, path, key, body string) answer {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	op.ServeHTTP(w, r)
	a := answer{status: w.Code, location: w.Header().Get("Location"),
		replayed: w.Header().Get("Idempotent-Replayed") == "true", header: w.Header(), body: w.Body.String()}
	if w.Code >= 400 {
		var problem api.Problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem), a.body)
		a.slug = problem.Code
	}
	return a
}

func at(moment time.Time) func() time.Time { return func() time.Time { return moment } }

// Every operation that changes an order handles the same cases: changes of others, and a table that does not answer.
func TestChange_DecidesAgainAfterALostRace(t *testing.T) {
	for _, c := range []struct {
		name, path, key, body string
		given                 order.Order
		operation             func(*book) api.Operation
	}{
		{"cancel-order", "/orders/ord_1/cancellation", "", "", ordertest.Given(order.StatusPlaced),
			func(b *book) api.Operation {
				return orderapi.CancelHandler{Callers: staff(), Orders: b, Now: at(ordertest.Later),
					RetryDelay: ordertest.RetryDelay}.Operation()
			}},
		{"refund-order", "/orders/ord_1/refunds", "key", `{"reason":"broken"}`, ordertest.Given(order.StatusPaid),
			func(b *book) api.Operation {
				return orderapi.RefundHandler{Callers: staff(), Orders: b, Now: at(ordertest.Later),
					RetryDelay: ordertest.RetryDelay}.Operation()
			}},
		{"resolve-order", "/orders/ord_1/resolution", "key", `{"action":"retry","reason":"it is back"}`,
			ordertest.Given(order.StatusNeedsAttention), func(b *book) api.Operation {
				return orderapi.ResolveHandler{Callers: staff(), Orders: b, Now: at(ordertest.Later),
					RetryDelay: ordertest.RetryDelay}.Operation()
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := &book{order: c.given, meanwhile: []func(order.Order) order.Order{same, same}}
			a := send(t, c.operation(b), http.MethodPost, c.path, c.key, c.body)
			assert.Equal(t, 202, a.status, "a lost race is decided again: %s", a.body)
			assert.Equal(t, "/orders/ord_1", a.location)
			assert.Len(t, b.saved, 1)
			assert.Equal(t, 3, b.loads)
			assert.Equal(t, "client:office", b.actor)

			b = &book{order: c.given, meanwhile: []func(order.Order) order.Order{same, same, same}}
			a = send(t, c.operation(b), http.MethodPost, c.path, c.key, c.body)
			assert.Equal(t, [2]any{409, "order-contention"}, [2]any{a.status, a.slug},
				"a race that is lost again and again is given up")
			assert.Empty(t, b.saved)

			b = &book{order: c.given, away: fault.Unavailable}
			a = send(t, c.operation(b), http.MethodPost, c.path, c.key, c.body)
			assert.Equal(t, 503, a.status, "a table that is away")
			assert.Equal(t, 1, b.loads)

			b = &book{order: c.given}
			a = send(t, c.operation(b), http.MethodPost, strings.Replace(c.path, "ord_1", "ord_2", 1), c.key, c.body)
			assert.Equal(t, [2]any{404, "unknown-order"}, [2]any{a.status, a.slug}, "an order that is not there")

			elsewhere := c.given
			elsewhere.Shop = "other"
			a = send(t, c.operation(&book{order: elsewhere}), http.MethodPost, c.path, c.key, c.body)
			assert.Equal(t, [2]any{404, "unknown-order"}, [2]any{a.status, a.slug}, "an order of another shop")

			if c.key != "" {
				a = send(t, c.operation(&book{order: c.given}), http.MethodPost, c.path, "", c.body)
				assert.Equal(t, [2]any{400, "idempotency-key-missing"}, [2]any{a.status, a.slug})
			}
		})
	}
}
