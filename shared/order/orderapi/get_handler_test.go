package orderapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
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

func getting(caller as, s order.Story, now time.Time) api.Operation {
	return orderapi.GetHandler{Callers: caller, Now: at(now),
		Story: func(_ context.Context, shop saga.Shop, id string) (order.Story, error) {
			if shop != s.Order.Shop || id != s.Order.ID {
				return order.Story{}, fault.NotFound
			}
			return s, nil
		}}.Operation()
}

// seen returns the document that a caller gets of an order, and its ETag.
func seen(t *testing.T, caller as, s order.Story, now time.Time) (orderapi.Order, string) {
	t.Helper()
	a := send(t, getting(caller, s, now), http.MethodGet, "/orders/ord_1", "", "")
	require.Equal(t, 200, a.status, a.body)
	assert.NotContains(t, a.body, "anna@example.com", "where its customer reads mail is nobody's business here")
	var d orderapi.Order
	require.NoError(t, json.Unmarshal([]byte(a.body), &d))
	return d, a.header.Get("ETag")
}

func TestGetHandler_ShowsEveryStatus(t *testing.T) {
	for _, s := range ordertest.Statuses {
		o := ordertest.Given(s)
		d, tag := seen(t, customer("anna"), order.Story{Order: o, Versions: []int64{3, 1, 2}}, ordertest.Later)
		assert.Equal(t, [5]any{s, o.Outcome, o.Reason, o.Attention, o.PlacedAt},
			[5]any{d.Status, d.Outcome, d.Reason, d.Attention, d.PlacedAt})
		assert.Equal(t, `"v3.1.2.0"`, tag)
		assert.Equal(t, o.Outcome == order.Undecided, d.ExpiresAt != nil, "only an order without an outcome can expire")
		assert.Equal(t, o.Refundable(), d.Refundable)
		assert.Nil(t, d.Payment)
		assert.Nil(t, d.Awaits, "what an order waits for is the shop's business")
		d, tag = seen(t, staff(), order.Story{Order: o, Versions: []int64{3, 1, 2}}, ordertest.Later)
		assert.Equal(t, o.Awaits, d.Awaits)
		assert.Equal(t, `"v3.1.2.1"`, tag, "another document")
	}
	d, _ := seen(t, customer("anna"), order.Story{Order: ordertest.Given(order.StatusPlaced)}, ordertest.Later)
	assert.Equal(t, ordertest.Noon.Add(ordertest.Window), *d.ExpiresAt)
}

func TestGetHandler_ShowsAnOrderToItsCustomerAndStaff(t *testing.T) {
	for who, c := range map[string]struct {
		caller as
		status int
		slug   string
	}{
		"who placed it":                    {customer("anna"), 200, ""},
		"another customer":                 {customer("eve"), 404, "unknown-order"},
		"staff":                            {staff(), 200, ""},
		"staff that may only resolve":      {staff().without(identity.OrdersReadAll), 404, "unknown-order"},
		"who placed it, without the right": {customer("anna").without(identity.OrdersRead), 403, "insufficient-scope"},
	} {
		a := send(t, getting(c.caller, order.Story{Order: ordertest.Given(order.StatusPlaced)}, ordertest.Later),
			http.MethodGet, "/orders/ord_1", "", "")
		assert.Equal(t, [2]any{c.status, c.slug}, [2]any{a.status, a.slug}, who)
	}
}

func TestGetHandler_ShowsTheStatusOfRefunds(t *testing.T) {
	o, _,
		err := order.Refund(ordertest.Given(order.StatusPaid),
		order.RefundNote{ID: "rfn_1", Reason: "broken", By: "carl", At: ordertest.Later}, 300, ordertest.Later,
		ordertest.RetryDelay)
	require.NoError(t, err)
	o, _,
		err = order.Refund(o,
		order.RefundNote{ID: "rfn_2", Reason: "late", By: "carl", At: ordertest.Later.Add(time.Minute)}, 200,
		ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	o, _ = order.ApplyRefunds(o, []saga.Refund{{ID: "rfn_1", Amount: 300, Try: 1, Status: saga.RefundStatusSucceeded}}, ordertest.Later, ordertest.RetryDelay)
	d, _ := seen(t, customer("anna"), order.Story{Order: o}, ordertest.Later)
	assert.Equal(t, order.StatusPaid, d.Status)
	assert.Equal(t, ordertest.Euro(500), d.Refundable)
	assert.Equal(t, []orderapi.Refund{
		{ID: "rfn_1", Amount: ordertest.Euro(300), Status: saga.RefundStatusSucceeded, Reason: "broken",
			RequestedAt: ordertest.Later},
		{ID: "rfn_2", Amount: ordertest.Euro(200), Status: saga.RefundStatusRequested, Reason: "late",
			RequestedAt: ordertest.Later.Add(time.Minute)},
	}, d.Refunds)
}

func TestGetHandler_ShowsWhatMovedAtTheProvider(t *testing.T) {
	o, _ := order.AdoptExternal(ordertest.Given(order.StatusPaid), 4, saga.External{Refunded: 400, Disputed: 100})
	d, _ := seen(t, customer("anna"), order.Story{Order: o, Payment: order.Payment{
		Status:   "captured",
		Refunds:  []order.ExternalRefund{{ID: "re_1", Amount: 400, Status: saga.RefundStatusSucceeded}},
		Disputes: []order.Dispute{{ID: "dp_1", Amount: 100, Status: "open"}},
	}}, ordertest.Later)
	assert.Equal(t, ordertest.Euro(500), d.Refundable)
	assert.Empty(t, d.Refunds, "the order requested none")
	assert.Equal(t, &orderapi.Payment{
		Status: "captured",
		Refunds: []orderapi.ExternalRefund{{ID: "re_1", Amount: ordertest.Euro(400),
			Status: saga.RefundStatusSucceeded}},
		Disputes: []orderapi.Dispute{{ID: "dp_1", Amount: ordertest.Euro(100), Status: "open"}},
	}, d.Payment)
}

func TestGetHandler_ShowsTheClientSecretToItsCustomer(t *testing.T) {
	both := staff()
	both.Subject = "anna"
	for sentence, c := range map[string]struct {
		caller as
		given  order.Status
		state  string
		at     time.Duration // after noon
		shown  bool
		tag    string
	}{
		"who placed the order, while its payment waits for them": {customer("anna"), order.StatusPlaced,
			order.ActionNeeded, 0, true, `"v1.2"`},
		"who placed it, to the last moment": {customer("anna"), order.StatusPlaced,
			order.ActionNeeded, ordertest.Window - 1, true, `"v1.2"`},
		"nobody once the payment window is over": {customer("anna"), order.StatusPlaced,
			order.ActionNeeded, ordertest.Window, false, `"v1.0"`},
		"nobody once the order has its outcome": {customer("anna"), order.StatusCanceling,
			order.ActionNeeded, 0, false, `"v1.0"`},
		"nobody while the payment waits for nobody": {customer("anna"), order.StatusPlaced, "uncertain", 0,
			false, `"v1.0"`},
		"not staff":                       {staff(), order.StatusPlaced, order.ActionNeeded, 0, false, `"v1.1"`},
		"staff that placed it themselves": {both, order.StatusPlaced, order.ActionNeeded, 0, true, `"v1.3"`},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			story := order.Story{Order: ordertest.Given(c.given),
				Payment: order.Payment{Status: c.state, ClientSecret: "pi_1_secret_2"}, Versions: []int64{1}}
			d, tag := seen(t, c.caller, story, ordertest.Noon.Add(c.at))
			want := &orderapi.Payment{Status: c.state}
			if c.shown {
				want.ClientSecret = "pi_1_secret_2"
			}
			assert.Equal(t, want, d.Payment)
			assert.Equal(t, c.tag, tag)
		})
	}
}

func TestGetHandler_ETagNamesOneDocument(t *testing.T) {
	story := order.Story{Order: ordertest.Given(order.StatusPlaced),
		Payment: order.Payment{Status: order.ActionNeeded, ClientSecret: "pi_1_secret_2"}, Versions: []int64{1}}
	_, tag := seen(t, customer("anna"), story, ordertest.Noon)
	revalidate := func(caller as, now time.Time) int {
		r := httptest.NewRequest(http.MethodGet, "/orders/ord_1", nil)
		r.Header.Set("Authorization", "Bearer token")
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		getting(caller, story, now).ServeHTTP(w, r)
		return w.Code
	}
	assert.Equal(t, 304, revalidate(customer("anna"), ordertest.Noon), "the same again")
	assert.Equal(t, 200, revalidate(customer("anna"), ordertest.Noon.Add(ordertest.Window)),
		"no row changed, but the window is over")
	assert.Equal(t, 200, revalidate(staff(), ordertest.Noon), "staff sees another")
}

func TestGetHandler_TimelineHasActorAndTime(t *testing.T) {
	placed := order.StoryEntry{ID: "o1", Entry: saga.Entry{
		Fact: saga.OrderPlaced, At: ordertest.Noon, Cause: saga.Cause{ID: "request", Actor: "anna"},
	}}
	d, _ := seen(t, customer("anna"), order.Story{Order: ordertest.Given(order.StatusPlaced), Entries: []order.StoryEntry{placed}}, ordertest.Later)
	assert.Equal(t, []orderapi.TimelineEntry{{Type: saga.OrderPlaced, OccurredAt: ordertest.Noon, Actor: "anna"}},
		d.Timeline)
}

func TestGetHandler_SaysWhenToReadAnOpenOrderAgain(t *testing.T) {
	t.Parallel()
	open, settled := ordertest.Given(order.StatusPlaced), ordertest.Given(order.StatusRejected)
	settled.Awaits = nil
	for sentence, c := range map[string]struct {
		order order.Order
		age   time.Duration
		want  string
	}{
		"a new order, after a second":                {open, 0, "1"},
		"an order of 5 minutes, after half a minute": {open, 5 * time.Minute, "30"},
		"an order of a day, after a minute":          {open, 24 * time.Hour, "60"},
		"a settled order, never":                     {settled, 0, ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			get := getting(customer("anna"), order.Story{Order: c.order}, c.order.PlacedAt.Add(c.age))
			a := send(t, get, http.MethodGet, "/orders/ord_1", "", "")
			assert.Equal(t, c.want, a.header.Get("Retry-After"))
		})
	}
}
