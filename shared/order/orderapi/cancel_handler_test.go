package orderapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/identity"
	"backroom/shared/order"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

func TestCancelHandler_CancelsOrRefuses(t *testing.T) {
	canceling := []saga.Fact{saga.OrderCanceling}
	stranger, office := customer("eve"), staff()
	for sentence, c := range map[string]struct {
		given     order.Status
		meanwhile ordertest.Decision
		caller    as
		body      string
		status    int
		slug      string
		answer    string
		facts     []saga.Fact
	}{
		"an order that waits for its outcome": {given: order.StatusPlaced, status: 202,
			answer: `{"order_id":"ord_1","status":"canceling"}`, facts: canceling},
		"a reason is kept": {given: order.StatusPlaced,
			body: `{"reason":"ordered twice"}`, status: 202,
			answer: `{"order_id":"ord_1","status":"canceling","reason":"ordered twice"}`, facts: canceling},
		"a body without a reason": {given: order.StatusPlaced, body: `{}`,
			status: 202, answer: `{"order_id":"ord_1","status":"canceling"}`, facts: canceling},
		"a confirmed order whose money was not taken yet": {given: order.StatusConfirmed, status: 202,
			answer: `{"order_id":"ord_1","status":"canceling"}`, facts: canceling},
		"an order whose money cannot be captured": {given: order.StatusNeedsAttention,
			status: 202, answer: `{"order_id":"ord_1","status":"canceling"}`, facts: canceling},
		"one that is being canceled": {given: order.StatusCanceling,
			body: `{"reason":"again"}`, status: 202, answer: `{"order_id":"ord_1","status":"canceling"}`},
		"one that is canceled": {given: order.StatusCanceled, status: 202,
			answer: `{"order_id":"ord_1","status":"canceled"}`},
		"one that is closed": {given: order.StatusPaid, status: 409,
			slug: "too-late-to-cancel"},
		"one that was rejected": {given: order.StatusRejected, status: 409,
			slug: "too-late-to-cancel"},
		"one that expired": {given: order.StatusExpired, status: 409,
			slug: "too-late-to-cancel"},
		"one that is confirmed at the same moment": {given: order.StatusPlaced,
			meanwhile: ordertest.Confirm, status: 202, answer: `{"order_id":"ord_1","status":"canceling"}`,
			facts: canceling},
		"one that is rejected at the same moment": {given: order.StatusPlaced,
			meanwhile: ordertest.Short, status: 409, slug: "too-late-to-cancel"},
		"one whose money is taken at the same moment": {given: order.StatusConfirmed,
			meanwhile: ordertest.Captured, status: 409, slug: "too-late-to-cancel"},
		"one that is canceled at the same moment keeps the first reason": {given: order.StatusPlaced,
			meanwhile: ordertest.Cancel, body: `{"reason":"ordered twice"}`, status: 202,
			answer: `{"order_id":"ord_1","status":"canceling","reason":"changed my mind"}`},
		"another customer's": {given: order.StatusPlaced, caller: stranger,
			status: 404, slug: "unknown-order"},
		"another customer's paid order looks unknown": {given: order.StatusPaid, caller: stranger,
			status: 404, slug: "unknown-order"},
		"a customer's, by staff": {given: order.StatusPlaced, caller: office,
			status: 202, answer: `{"order_id":"ord_1","status":"canceling"}`, facts: canceling},
		"a customer's, by staff that may only look": {given: order.StatusPlaced,
			caller: office.without(identity.OrdersResolve), status: 404, slug: "unknown-order"},
		"by a caller who may only look": {given: order.StatusPlaced,
			caller: customer("anna").without(identity.OrdersWrite), status: 403, slug: "insufficient-scope"},
		"with a reason that is a story": {given: order.StatusPlaced,
			body: `{"reason":"` + strings.Repeat("x", 201) + `"}`, status: 422, slug: "invalid-request"},
		"with what is not known": {given: order.StatusPlaced,
			body: `{"why":"x"}`, status: 422, slug: "invalid-request"},
		"with a body that is not JSON": {given: order.StatusPlaced, body: `{`,
			status: 400, slug: "malformed-request"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			b := &book{order: ordertest.Given(c.given)}
			if c.meanwhile != nil {
				b.meanwhile = append(b.meanwhile, by(c.meanwhile))
			}
			if c.caller.Subject == "" {
				c.caller = customer("anna")
			}
			op := orderapi.CancelHandler{Callers: c.caller, Orders: b, Now: at(ordertest.Later),
				RetryDelay: ordertest.RetryDelay}.Operation()
			a := send(t, op, http.MethodPost, "/orders/ord_1/cancellation", "", c.body)

			assert.Equal(t, [2]any{c.status, c.slug}, [2]any{a.status, a.slug}, a.body)
			if c.answer != "" {
				assert.JSONEq(t, c.answer, a.body)
				assert.Equal(t, "/orders/ord_1", a.location)
			}
			if c.facts == nil {
				assert.Empty(t, b.saved)
				return
			}
			assert.Equal(t, [][]saga.Fact{c.facts}, b.saved)
			assert.Equal(t, ordertest.Later.Add(ordertest.RetryDelay), b.order.Due)
			again := send(t, op, http.MethodPost, "/orders/ord_1/cancellation", "", `{"reason":"another"}`)
			assert.Equal(t, [3]any{a.status, a.body, a.location}, [3]any{again.status, again.body, again.location},
				"asked twice")
			assert.Len(t, b.saved, 1, "asked twice")
		})
	}
}
