package orderapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"

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

// asked has the arguments of a List call.
type asked struct {
	shop   saga.Shop
	filter order.Filter
	limit  int
	from   map[string]string
}

// listing returns the operation over a store with these orders, and the arguments of the last call of the store.
func listing(caller as, there int) (api.Operation, *asked) {
	last := &asked{}
	h := orderapi.ListHandler{Callers: caller, Cursors: api.NewCursors(func(_ context.Context, value any) error {
		return json.Unmarshal([]byte(`{"key":"secret"}`), value)
	}, at(ordertest.Noon))}
	h.List = func(_ context.Context, shop saga.Shop, f order.Filter, limit int, from map[string]string) ([]order.Order,
		map[string]string, error) {
		*last = asked{shop, f, limit, from}
		begin, _ := strconv.Atoi(from["n"])
		var orders []order.Order
		for i := begin; i < min(begin+limit, there); i++ {
			o := ordertest.Given(order.StatusNeedsAttention)
			o.ID = fmt.Sprint("ord_", i)
			orders = append(orders, o)
		}
		if begin+limit >= there {
			return orders, nil, nil
		}
		return orders, map[string]string{"n": fmt.Sprint(begin + limit)}, nil
	}
	return h.Operation(), last
}

func TestListHandler_SelectsOrdersByCallerAndFilter(t *testing.T) {
	anna, office := customer("anna"), staff()
	looks := staff().without(identity.OrdersReadAll)
	for sentence, c := range map[string]struct {
		caller as
		query  string
		status int
		slug   string
		filter order.Filter
	}{
		"a customer's own":                     {anna, "", 200, "", order.Filter{Customer: "anna"}},
		"staff's own, if they ask for nothing": {office, "", 200, "", order.Filter{Customer: "client:office"}},
		"a customer's, for staff":              {office, "?customer=anna", 200, "", order.Filter{Customer: "anna"}},
		"those of a day, for staff": {office, "?day=2026-03-01", 200, "",
			order.Filter{Day: "2026-03-01"}},
		"those that need attention, for staff": {office, "?attention=true", 200, "", order.Filter{Attention: true}},
		"not those that need none": {office, "?attention=false", 200, "",
			order.Filter{Customer: "client:office"}},
		"not another customer's": {anna, "?customer=ben", 403, "insufficient-scope", order.Filter{}},
		"not one's own by name":  {anna, "?customer=anna", 403, "insufficient-scope", order.Filter{}},
		"not a day's, for a customer": {anna, "?day=2026-03-01", 403, "insufficient-scope",
			order.Filter{}},
		"not the stranded, for a customer": {anna, "?attention=true", 403, "insufficient-scope",
			order.Filter{}},
		"not for a caller without read:all": {looks, "?day=2026-03-01", 403, "insufficient-scope",
			order.Filter{}},
		"nothing for a caller who may not read": {anna.without(identity.OrdersRead), "", 403, "insufficient-scope",
			order.Filter{}},
		"not by two filters": {office, "?customer=anna&day=2026-03-01", 422, "invalid-request",
			order.Filter{}},
		"not by all filters": {office, "?customer=anna&day=2026-03-01&attention=true", 422,
			"invalid-request", order.Filter{}},
		"not by two filters, and not for everyone": {anna, "?customer=anna&day=2026-03-01", 403, "insufficient-scope",
			order.Filter{}},
		"not of a day that never was": {office, "?day=2026-02-30", 422, "invalid-request", order.Filter{}},
		"not more than 50":            {office, "?limit=51", 422, "invalid-request", order.Filter{}},
		"not none":                    {office, "?limit=0", 422, "invalid-request", order.Filter{}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			op, last := listing(c.caller, 1)
			a := send(t, op, http.MethodGet, "/orders"+c.query, "", "")
			assert.Equal(t, [2]any{c.status, c.slug}, [2]any{a.status, a.slug}, a.body)
			assert.Equal(t, c.filter, last.filter)
			if c.status == 200 {
				assert.Equal(t, [2]any{saga.Shop("main"), 20}, [2]any{last.shop, last.limit})
				assert.JSONEq(t,
					`{"orders":[{"id":"ord_0","status":"needs_attention","outcome":"confirmed","settled":false,"attention":"capture-failed",
					"total":{"amount":1000,"currency":"EUR"},"placed_at":"2026-03-01T12:00:00Z"}]}`, a.body)
				assert.Equal(t, "private, no-cache", a.header.Get("Cache-Control"))
			}
		})
	}
}

func TestListHandler_PagesForItsCallerOnly(t *testing.T) {
	op, last := listing(staff(), 5)
	get := func(op api.Operation, query string) (answer, orderapi.OrderList) {
		a := send(t, op, http.MethodGet, "/orders"+query, "", "")
		var page orderapi.OrderList
		require.NoError(t, json.Unmarshal([]byte(a.body), &page))
		return a, page
	}
	_, empty := get(first(listing(staff(), 0)), "")
	assert.Equal(t, orderapi.OrderList{Orders: []orderapi.OrderSummary{}}, empty)

	a, page := get(op, "?day=2026-03-01&limit=2")
	require.Len(t, page.Orders, 2)
	require.NotEmpty(t, page.Next)
	assert.Contains(t, a.header.Get("Link"), `rel="next"`)
	_, page2 := get(op, "?day=2026-03-01&limit=2&cursor="+page.Next)
	assert.Equal(t, map[string]string{"n": "2"}, last.from)
	assert.Equal(t, "ord_2", page2.Orders[0].ID)
	a, page3 := get(op, "?day=2026-03-01&cursor="+page2.Next)
	assert.Len(t, page3.Orders, 1)
	assert.Empty(t, page3.Next)
	assert.Empty(t, a.header.Get("Link"))

	colleague := staff()
	colleague.Subject = "client:shop-floor"
	elsewhere := staff()
	elsewhere.Shop = "other"
	for sentence, c := range map[string]struct {
		caller as
		query  string
	}{
		"another day":             {staff(), "?day=2026-03-02&cursor="},
		"another list":            {staff(), "?attention=true&cursor="},
		"one's own":               {staff(), "?cursor="},
		"a colleague":             {colleague, "?day=2026-03-01&cursor="},
		"another shop":            {elsewhere, "?day=2026-03-01&cursor="},
		"a cursor with a mistake": {staff(), "?day=2026-03-01&cursor=x"},
	} {
		a, _ := get(first(listing(c.caller, 5)), c.query+page.Next)
		assert.Equal(t, [2]any{422, "cursor-invalid"}, [2]any{a.status, a.slug}, "a cursor does not open for "+sentence)
	}
}

func first(op api.Operation, _ *asked) api.Operation { return op }

func TestListHandler_UnreadableListIsUnavailable(t *testing.T) {
	h := orderapi.ListHandler{Callers: staff(), Cursors: api.NewCursors(nil, at(ordertest.Noon))}
	h.List = func(context.Context, saga.Shop, order.Filter, int, map[string]string) ([]order.Order, map[string]string,
		error) {
		return nil, nil, fault.Throttled
	}
	a := send(t, h.Operation(), http.MethodGet, "/orders", "", "")
	assert.Equal(t, 429, a.status)
}
