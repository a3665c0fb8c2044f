package wire_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/list-orders/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/identity"
)

const name = "list-orders"

var build = function.Serving(wire.New)

// placed is a cloud with three orders of the caller, one of another customer that needs attention,
// and one of another shop.
func placed(t *testing.T) *cloudtest.Cloud {
	t.Helper()
	c := cloudtest.New(t)
	put := func(shop, id, owner string, minute, shard int, more string) {
		c.Put("Orders", fmt.Sprintf(`{
			"pk": "%[1]s#%[2]s", "version": 1, "nonce": "n", "history": [], "order": "%[2]s", "shop": "%[1]s", "owner": "%[3]s", "customer": "%[1]s#%[3]s", "day": "%[1]s#2026-03-01#%[5]d",
			"email": "ada@example.com", "lines": [], "total": 7900, "currency": "EUR", "placed_at": %[4]d, "expires_at": 1772369999000%[6]s
		}`, shop, id, owner, 1772366400000+int64(minute)*60_000, shard, more))
	}
	waits := `, "awaits": ["outcome"], "due": 1772366520000, "watch": "due#1"`
	put("main", "ord_1", "client:bootstrap", 1, 0, waits)
	put("main", "ord_2", "client:bootstrap", 2, 1, waits)
	put("main", "ord_3", "client:bootstrap", 3, 1, `, "outcome": "rejected", "reason": "out-of-stock"`)
	put("main", "ord_4", "customer-17", 4, 3,
		`, "outcome": "confirmed", "awaits": ["capture"], "attention": "capture-failed", "due": 1772366700000, "watch": "attention#main"`)
	put("other", "ord_5", "client:bootstrap", 5, 0,
		`, "outcome": "confirmed", "awaits": ["capture"], "attention": "capture-failed", "due": 1772366700000, "watch": "attention#other"`)
	c.Token()
	return c
}

// page returns a page's orders, and its cursor with the text replaced.
func page(t *testing.T, a cloudtest.Answer) (orders, next string) {
	t.Helper()
	require.Equal(t, 200, a.Status, a.Body)
	var page struct {
		Orders json.RawMessage
		Next   string
	}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &page))
	return string(page.Orders), page.Next
}

const (
	first  = `{"id": "ord_1", "status": "placed", "settled": false, "total": {"amount": 7900, "currency": "EUR"}, "placed_at": "2026-03-01T12:01:00Z"}`
	second = `{"id": "ord_2", "status": "placed", "settled": false, "total": {"amount": 7900, "currency": "EUR"}, "placed_at": "2026-03-01T12:02:00Z"}`
	third  = `{"id": "ord_3", "status": "rejected", "outcome": "rejected", "settled": true, "reason": "out-of-stock", "total": {"amount": 7900, "currency": "EUR"}, "placed_at": "2026-03-01T12:03:00Z"}`
	fourth = `{"id": "ord_4", "status": "needs_attention", "outcome": "confirmed", "settled": false, "attention": "capture-failed", "total": {"amount": 7900, "currency": "EUR"}, "placed_at": "2026-03-01T12:04:00Z"}`
)

func TestListOrders_PagesThroughACustomersOrders(t *testing.T) {
	t.Parallel()
	c := placed(t)
	c.Caller.Scopes = []string{identity.OrdersRead}
	before := c.State()
	for range 2 {
		answer := c.Request(build, name, "list-orders.json")
		orders, next := page(t, answer)
		assert.JSONEq(t, `[`+third+`, `+second+`]`, orders)
		assert.Equal(t, "private, no-cache", answer.Header.Get("Cache-Control"))
		assert.Equal(t, `</v1/orders?cursor=`+next+`&limit=2>; rel="next"`, answer.Header.Get("Link"))
		assert.Contains(t, string(c.Event("list-orders.next.json")), `"cursor": "`+next+`"`,
			"the sample of the second page is where the first one leads")

		orders, next = page(t, c.Request(build, name, "list-orders.next.json"))
		assert.JSONEq(t, `[`+first+`]`, orders)
		assert.Empty(t, next)
		assert.Equal(t, before, c.State())
	}
}

func TestListOrders_FiltersForStaff(t *testing.T) {
	t.Parallel()
	c := placed(t)
	before := c.State()
	for event, want := range map[string]string{
		"list-orders.day.json":       `[` + fourth + `, ` + third + `, ` + second + `, ` + first + `]`,
		"list-orders.attention.json": `[` + fourth + `]`,
	} {
		orders, next := page(t, c.Request(build, name, event))
		assert.JSONEq(t, want, orders, event)
		assert.Empty(t, next)
	}
	assert.Equal(t, before, c.State())
}

func TestListOrders_Refusals(t *testing.T) {
	for sentence, c := range map[string]struct {
		subject string
		scopes  []string
		event   string
		status  int
		slug    string
	}{
		"staff that asks for two filters": {"client:bootstrap",
			[]string{identity.OrdersRead, identity.OrdersReadAll}, "list-orders.two-filters.json", 422,
			"invalid-request"},
		"a customer who asks for the shop's": {"customer-17", []string{identity.OrdersRead}, "list-orders.day.json",
			403, "insufficient-scope"},
		"a customer who found another's cursor": {"customer-17", []string{identity.OrdersRead}, "list-orders.next.json",
			422, "cursor-invalid"},
		"a customer who may place orders only": {"customer-17", []string{identity.OrdersWrite}, "list-orders.json",
			403, "insufficient-scope"},
		"a customer who asks for attention": {"customer-17", []string{identity.OrdersRead},
			"list-orders.attention.json", 403, "insufficient-scope"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			cloud := placed(t)
			cloud.Caller.Subject, cloud.Caller.Scopes = c.subject, c.scopes
			answer := cloud.Request(build, name, c.event)
			assert.Equal(t, [2]any{c.status, c.slug}, [2]any{answer.Status, answer.Slug()}, answer.Body)
		})
	}
}
