package orderapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
	"backroom/shared/identity"
	"backroom/shared/order"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

func resolving(caller as, b *book) api.Operation {
	return orderapi.ResolveHandler{Callers: caller, Orders: b, Now: at(ordertest.Later),
		RetryDelay: ordertest.RetryDelay}.Operation()
}

func TestResolveHandler_ResolvesOrRefuses(t *testing.T) {
	const retry, writeOff = `{"action":"retry","reason":"the provider is back"}`,
		`{"action":"write_off","reason":"it is too little"}`
	for sentence, c := range map[string]struct {
		given     order.Status
		meanwhile ordertest.Decision
		caller    as
		body      string
		status    int
		slug      string
		facts     []saga.Fact
		becomes   order.Status
	}{
		"to try again": {given: order.StatusNeedsAttention, body: retry, status: 202,
			facts: []saga.Fact{saga.OrderRetried, saga.CaptureDue}, becomes: order.StatusConfirmed},
		"to give it up": {given: order.StatusNeedsAttention, body: writeOff, status: 202,
			facts: []saga.Fact{saga.OrderWrittenOff, saga.PaymentWrittenOff}, becomes: order.StatusConfirmed},
		"an order that goes its way": {given: order.StatusConfirmed, body: retry, status: 409,
			slug: "no-attention-needed", becomes: order.StatusConfirmed},
		"an order that is over": {given: order.StatusPaid, body: writeOff, status: 409,
			slug: "no-attention-needed", becomes: order.StatusPaid},
		"one whose answer comes at the same moment": {given: order.StatusNeedsAttention, meanwhile: ordertest.Captured,
			body: writeOff, status: 409, slug: "no-attention-needed", becomes: order.StatusPaid},
		"one that is canceled at the same moment": {given: order.StatusNeedsAttention, meanwhile: ordertest.Cancel,
			body: retry, status: 409, slug: "no-attention-needed", becomes: order.StatusCanceling},
		"to do what nobody knows": {given: order.StatusNeedsAttention,
			body: `{"action":"pray","reason":"x"}`, status: 422, slug: "invalid-request",
			becomes: order.StatusNeedsAttention},
		"without a reason": {given: order.StatusNeedsAttention, body: `{"action":"retry"}`,
			status: 422, slug: "invalid-request", becomes: order.StatusNeedsAttention},
		"with an empty reason": {given: order.StatusNeedsAttention,
			body: `{"action":"retry","reason":""}`, status: 422, slug: "invalid-request",
			becomes: order.StatusNeedsAttention},
		"by the customer whose order it is": {given: order.StatusNeedsAttention, caller: customer("anna"),
			body: retry, status: 403, slug: "insufficient-scope", becomes: order.StatusNeedsAttention},
		"by staff that may do everything else": {given: order.StatusNeedsAttention,
			caller: staff().without(identity.OrdersResolve), body: retry, status: 403, slug: "insufficient-scope",
			becomes: order.StatusNeedsAttention},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			if c.caller.Subject == "" {
				c.caller = staff()
			}
			b := &book{order: ordertest.Given(c.given)}
			if c.meanwhile != nil {
				b.meanwhile = append(b.meanwhile, by(c.meanwhile))
			}
			op := resolving(c.caller, b)
			a := send(t, op, http.MethodPost, "/orders/ord_1/resolution", "key", c.body)
			assert.Equal(t, [2]any{c.status, c.slug}, [2]any{a.status, a.slug}, a.body)
			assert.Equal(t, c.becomes, b.order.Status())
			if c.status != 202 {
				assert.Empty(t, b.saved)
				return
			}
			assert.Equal(t, [][]saga.Fact{c.facts}, b.saved)
			r := b.order.Resolution
			assert.Regexp(t, `^res_[a-z2-7]{32}$`, r.ID)
			assert.JSONEq(t,
				fmt.Sprintf(`{"id":%q,"order_id":"ord_1","action":%q,"reason":%q,"resolved_at":"2026-03-01T12:01:00Z"}`,
					r.ID, r.Action, r.Reason), a.body)
			assert.Equal(t, [2]any{"/orders/ord_1", false}, [2]any{a.location, a.replayed})
			assert.Equal(t, "client:office", r.By)

			again := send(t, op, http.MethodPost, "/orders/ord_1/resolution", "key", c.body)
			assert.Equal(t, [3]any{a.status, a.body, true}, [3]any{again.status, again.body, again.replayed},
				"the same again")
			other := send(t, op, http.MethodPost, "/orders/ord_1/resolution", "key",
				`{"action":"retry","reason":"another"}`)
			assert.Equal(t, [2]any{422, "idempotency-key-reused"}, [2]any{other.status, other.slug})
			another := send(t, op, http.MethodPost, "/orders/ord_1/resolution", "another-key", c.body)
			assert.Equal(t, "no-attention-needed", another.slug, "another key is another resolution")
			assert.Len(t, b.saved, 1)
		})
	}
}

func TestResolveHandler_RecognizesTheKeyOfTheLastResolution(t *testing.T) {
	const retry = `{"action":"retry","reason":"the provider is back"}`
	b := &book{order: ordertest.Given(order.StatusNeedsAttention)}
	op := resolving(staff(), b)
	post := func(key string) answer { return send(t, op, http.MethodPost, "/orders/ord_1/resolution", key, retry) }
	require.Equal(t, 202, post("first").status)
	b.order, _ = ordertest.NotCaptured(b.order)
	require.True(t, post("first").replayed, "the order needs attention again, for another reason")
	require.Equal(t, order.StatusNeedsAttention, b.order.Status())
	second := post("second")
	require.Equal(t, [2]any{202, false}, [2]any{second.status, second.replayed})
	assert.Len(t, b.saved, 2)
	assert.Equal(t, "no-attention-needed", post("first").slug)
}
