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

func refunding(caller as, b *book) api.Operation {
	return orderapi.RefundHandler{Callers: caller, Orders: b, Now: at(ordertest.Later),
		RetryDelay: ordertest.RetryDelay}.Operation()
}

func TestRefundHandler_RefundsOrRefuses(t *testing.T) {
	for sentence, c := range map[string]struct {
		given  order.Status
		caller as
		body   string
		status int
		slug   string
		amount int64

		external saga.External
	}{
		"of a part": {given: order.StatusPaid,
			body: `{"amount":{"amount":300,"currency":"EUR"},"reason":"broken"}`, status: 202, amount: 300},
		"of all that is left": {given: order.StatusPaid, body: `{"reason":"broken"}`, status: 202,
			amount: 1000},
		"of more than is left": {given: order.StatusPaid,
			body: `{"amount":{"amount":1001,"currency":"EUR"},"reason":"broken"}`, status: 409,
			slug: "refund-too-large"},
		"of nothing": {given: order.StatusPaid,
			body: `{"amount":{"amount":0,"currency":"EUR"},"reason":"broken"}`, status: 422, slug: "invalid-request"},
		"of more than the provider left": {given: order.StatusPaid,
			external: saga.External{Refunded: 400, Disputed: 100},
			body:     `{"amount":{"amount":501,"currency":"EUR"},"reason":"broken"}`, status: 409,
			slug: "refund-too-large"},
		"of all that the provider left": {given: order.StatusPaid,
			external: saga.External{Refunded: 400, Disputed: 100},
			body:     `{"reason":"broken"}`, status: 202, amount: 500},
		"in another currency": {given: order.StatusPaid,
			body: `{"amount":{"amount":300,"currency":"JPY"},"reason":"broken"}`, status: 422,
			slug: "mixed-currencies"},
		"without a reason": {given: order.StatusPaid, body: `{}`, status: 422,
			slug: "invalid-request"},
		"of null": {given: order.StatusPaid, body: `{"amount":null,"reason":"broken"}`,
			status: 422, slug: "invalid-request"},
		"without a body": {given: order.StatusPaid, status: 400, slug: "malformed-request"},
		"of an order that is open": {given: order.StatusConfirmed, body: `{"reason":"broken"}`, status: 409,
			slug: "not-refundable"},
		"of an order that was canceled": {given: order.StatusCanceled, body: `{"reason":"broken"}`, status: 409,
			slug: "not-refundable"},
		"by a customer": {given: order.StatusPaid, caller: customer("anna"),
			body: `{"reason":"broken"}`, status: 403, slug: "insufficient-scope"},
		"by staff that may not give it back": {given: order.StatusPaid, caller: staff().without(identity.OrdersRefund),
			body: `{"reason":"broken"}`, status: 403, slug: "insufficient-scope"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			if c.caller.Subject == "" {
				c.caller = staff()
			}
			b := &book{order: ordertest.Given(c.given)}
			b.order.External = c.external
			op := refunding(c.caller, b)
			a := send(t, op, http.MethodPost, "/orders/ord_1/refunds", "key", c.body)
			assert.Equal(t, [2]any{c.status, c.slug}, [2]any{a.status, a.slug}, a.body)
			if c.status != 202 {
				assert.Empty(t, b.saved)
				return
			}
			id := b.order.Refunds[0].ID
			assert.Regexp(t, `^rfn_[a-z2-7]{32}$`, id)
			assert.JSONEq(t,
				fmt.Sprintf(
					`{"id":%q,"order_id":"ord_1","amount":{"amount":%d,"currency":"EUR"},"status":"requested","refundable":{"amount":%d,"currency":"EUR"},"reason":"broken","requested_at":"2026-03-01T12:01:00Z"}`,
					id, c.amount, b.order.Refundable().Amount), a.body)
			assert.Equal(t, "1", a.header.Get("Retry-After"))
			assert.Equal(t, "/orders/ord_1", a.location)
			assert.False(t, a.replayed)
			assert.Equal(t, [][]saga.Fact{{saga.OrderRefunding}}, b.saved)
			assert.Equal(t, "client:office", b.order.RefundNotes[0].By)
			assert.Equal(t, ordertest.Later.Add(ordertest.RetryDelay), b.order.Due)
		})
	}
}

func TestRefundHandler_RefundsOncePerKey(t *testing.T) {
	const part, all = `{"amount":{"amount":600,"currency":"EUR"},"reason":"broken"}`, `{"reason":"broken"}`
	post := func(t *testing.T, caller as, b *book, key, body string) answer {
		return send(t, refunding(caller, b), http.MethodPost, "/orders/ord_1/refunds", key, body)
	}
	b := &book{order: ordertest.Given(order.StatusPaid)}
	first := post(t, staff(), b, "key", part)
	require.Equal(t, 202, first.status, first.body)

	again := post(t, staff(), b, "key", `{ "reason": "broken", "amount": {"currency": "EUR", "amount": 600} }`)
	assert.True(t, again.replayed)
	assert.Equal(t, [3]any{first.status, first.body, first.location}, [3]any{again.status, again.body, again.location})
	other := post(t, staff(), b, "key", all)
	assert.Equal(t, [2]any{422, "idempotency-key-reused"}, [2]any{other.status, other.slug})
	assert.Len(t, b.saved, 1)

	b.order,
		_ = order.ApplyRefunds(b.order,
		[]saga.Refund{{ID: b.order.Refunds[0].ID, Amount: 600, Try: 1, Status: saga.RefundStatusSucceeded}},
		ordertest.Later, ordertest.RetryDelay)
	again = post(t, staff(), b, "key", part)
	assert.Equal(t, first.body, again.body, "a receipt does not have the current status")
	tooMuch := post(t, staff(), b, "another-key", part)
	assert.Equal(t, "refund-too-large", tooMuch.slug, "another key is another refund")
	again = post(t, staff(), b, "key", part)
	assert.Equal(t, [2]any{first.body, true}, [2]any{again.body, again.replayed},
		"the first is still known, though a new request would be refused")

	colleague := staff()
	colleague.Subject = "client:shop-floor"
	theirs := post(t, colleague, b, "key", all)
	assert.Equal(t, [2]any{202, false}, [2]any{theirs.status, theirs.replayed}, "keys are each caller's own")
	assert.Equal(t, []int64{600, 400}, []int64{b.order.Refunds[0].Amount, b.order.Refunds[1].Amount})
}

func TestRefundHandler_ConcurrentRefundsStayWithinTheRefundableAmount(t *testing.T) {
	meanwhile := func(key, body string) func(order.Order) order.Order {
		return func(o order.Order) order.Order {
			b := &book{order: o}
			a := send(t, refunding(staff(), b), http.MethodPost, "/orders/ord_1/refunds", key, body)
			require.Equal(t, 202, a.status)
			return b.order
		}
	}
	const part = `{"amount":{"amount":600,"currency":"EUR"},"reason":"broken"}`
	for sentence, c := range map[string]struct {
		key, body string
		status    int
		slug      string
		replayed  bool
	}{
		"are both asked for if there is enough": {"another-key",
			`{"amount":{"amount":400,"currency":"EUR"},"reason":"broken"}`, 202, "", false},
		"are not both asked for if there is not": {"another-key", part, 409, "refund-too-large", false},
		"are one if they have one key":           {"key", part, 202, "", true},
		"are refused if one key has two bodies": {"key", `{"reason":"late"}`, 422, "idempotency-key-reused",
			false},
		"all that is left is what the other left of it": {"another-key", `{"reason":"late"}`, 202, "", false},
	} {
		t.Run(sentence, func(t *testing.T) {
			b := &book{order: ordertest.Given(order.StatusPaid),
				meanwhile: []func(order.Order) order.Order{meanwhile("key", part)}}
			a := send(t, refunding(staff(), b), http.MethodPost, "/orders/ord_1/refunds", c.key, c.body)
			assert.Equal(t, [3]any{c.status, c.slug, c.replayed}, [3]any{a.status, a.slug, a.replayed}, a.body)
			assert.GreaterOrEqual(t, b.order.Refundable().Amount, int64(0))
			if c.body == `{"reason":"late"}` && c.status == 202 {
				assert.Equal(t, int64(400), b.order.Refunds[1].Amount)
			}
		})
	}
}

func TestRefundHandler_ErasedOrderHasNoReasons(t *testing.T) {
	b := &book{order: ordertest.Given(order.StatusPaid)}
	first := send(t, refunding(staff(), b), http.MethodPost, "/orders/ord_1/refunds", "key", `{"reason":"Anna called"}`)
	require.Equal(t, 202, first.status)
	b.order,
		_ = order.ApplyRefunds(b.order,
		[]saga.Refund{{ID: b.order.Refunds[0].ID, Amount: 1000, Try: 1, Status: saga.RefundStatusSucceeded}},
		ordertest.Later, ordertest.RetryDelay)
	var err error
	b.order, _, err = order.Erase(b.order)
	require.NoError(t, err)
	again := send(t, refunding(staff(), b), http.MethodPost, "/orders/ord_1/refunds", "key", `{"reason":"Anna called"}`)
	assert.Equal(t, [2]any{202, true}, [2]any{again.status, again.replayed})
	assert.NotContains(t, again.body, "Anna")
}
