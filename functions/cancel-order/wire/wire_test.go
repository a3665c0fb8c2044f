package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/cancel-order/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/identity"
)

const (
	name = "cancel-order"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

var build = function.Serving(wire.New)

func TestCancelOrder_Cancels(t *testing.T) {
	for event, c := range map[string]struct{ request, said, stored string }{
		"cancel-order.json": {"7c9e6679-7425-40de-944b-000000000101", `, "reason": "ordered twice"`,
			`"reason": "ordered twice",`},
		"cancel-order.no-reason.json": {"7c9e6679-7425-40de-944b-000000000102", "", ""},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			cloud := cloudtest.New(t)
			cloud.Put("Orders", cloud.Image("relay-facts.json"))

			first := cloud.Request(build, name, event)

			assert.Equal(t, 202, first.Status, first.Body)
			assert.Equal(t, "/v1/orders/"+id, first.Header.Get("Location"))
			assert.JSONEq(t, `{"order_id": "`+id+`", "status": "canceling"`+c.said+`}`, first.Body)
			assert.JSONEq(t, `{
				"pk": "main#`+id+`", "order": "`+id+
				`", "shop": "main", "version": 2, "nonce": "nonce001", "publishes": 1, "status": "canceling", "outcome": "canceled", `+c.stored+` "awaits": ["money", "stock"],
				"history": [
					{"v": 1, "fact": "OrderPlaced", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000009", "actor": "client:bootstrap"},
					{"v": 2, "fact": "OrderCanceling", "at": 1772366400000, "cause": "`+c.request+
				`", "actor": "client:bootstrap"}
				],
				"owner": "client:bootstrap", "email": "ada@example.com", "customer": "main#client:bootstrap", "day": "main#2026-03-01#2",
				"lines": [{"sku": "MUG-1", "quantity": 2, "price": 1250}, {"sku": "TEAPOT-1", "quantity": 1, "price": 5400}],
				"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa", "fingerprint": "7930e04756a4e91d6781502c4a49a82f6c3a75961b5597d5515b1860a39c41e6",
				"placed_at": 1772366400000, "expires_at": 1772367300000, "due": 1772366520000, "watch": "due#6"
			}`, cloud.Row("Orders", "main#"+id))

			before := cloud.State()
			again := cloud.Request(build, name, event)
			assert.Equal(t, [2]any{first.Status, first.Body}, [2]any{again.Status, again.Body}, "asked twice")
			assert.Equal(t, before, cloud.State(), "asked twice")
		})
	}
}

func TestCancelOrder_RefusalChangesNothing(t *testing.T) {
	paid := `{"pk":"main#` + id + `","version":3,"nonce":"nonce001","history":[],"order":"` + id +
		`","shop":"main","owner":"client:bootstrap","status":"paid","outcome":"confirmed","paid":true}`
	for sentence, c := range map[string]struct {
		given, caller, event string
		status               int
		slug                 string
	}{
		"an unknown order":      {paid, "client:bootstrap", "cancel-order.unknown.json", 404, "unknown-order"},
		"an order that is paid": {paid, "client:bootstrap", "cancel-order.json", 409, "too-late-to-cancel"},
		"another customer's":    {"", "eve", "cancel-order.json", 404, "unknown-order"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			cloud := cloudtest.New(t)
			if c.given == "" {
				c.given = cloud.Image("relay-facts.json")
				cloud.Caller.Scopes = []string{identity.OrdersWrite}
			}
			cloud.Caller.Subject = c.caller
			cloud.Put("Orders", c.given)
			cloud.Token()
			before := cloud.State()
			for range 2 {
				answer := cloud.Request(build, name, c.event)
				assert.Equal(t, [2]any{c.status, c.slug}, [2]any{answer.Status, answer.Slug()}, answer.Body)
				assert.Equal(t, before, cloud.State())
			}
		})
	}
}
