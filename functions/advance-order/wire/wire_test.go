package wire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"backroom/functions/advance-order/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/saga"
)

const (
	name = "advance-order"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

var build = function.Consuming(saga.AdvanceOrder, wire.New)

// row has the attributes of the sample order that never change.
const row = `"pk": "main#` + id + `", "nonce": "nonce001", "order": "` + id +
	`", "shop": "main", "owner": "client:bootstrap", "email": "ada@example.com",
	"lines": [{"sku": "MUG-1", "quantity": 2, "price": 1250}, {"sku": "TEAPOT-1", "quantity": 1, "price": 5400}],
	"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa", "placed_at": 1772366400000, "expires_at": 1772367300000,
	"customer": "main#client:bootstrap", "day": "main#2026-03-01#2",
	"fingerprint": "7930e04756a4e91d6781502c4a49a82f6c3a75961b5597d5515b1860a39c41e6"`

const (
	charge      = "charges:main#" + id + "#1"
	reservation = "reservations:main#" + id
)

// Each case is a sequence of messages to an order, and the order's row at the end.
func TestAdvanceOrder_FollowsItsMessages(t *testing.T) {
	const placed = `{"v": 1, "fact": "OrderPlaced", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000009", "actor": "client:bootstrap"}`
	entry := func(version, fact, cause string) string {
		return `, {"v": ` + version + `, "fact": "` + fact + `", "at": 1772366580000, "cause": "` + cause +
			`", "actor": "advance-order"}`
	}
	confirmed := entry("2", "OrderConfirmed", charge+"@2.0~nonce003")
	declined := entry("2", "OrderRejected", charge+"@2.0~nonce003")
	for story, c := range map[string]struct {
		events     []string
		log, state string
	}{
		"an authorized payment confirms the order": {
			[]string{"advance-order.json"}, confirmed,
			`"version": 2, "publishes": 1, "status": "confirmed", "outcome": "confirmed", "awaits": ["capture"], "due": 1772366700000, "watch": "due#6"`,
		},
		"a captured payment settles the order": {
			[]string{"advance-order.json", "advance-order.captured.json"}, confirmed +
				entry("3", "OrderSettled", charge+"@3.0~nonce003"),
			`"version": 3, "status": "paid", "outcome": "confirmed", "paid": true`,
		},
		"a payment that cannot be captured needs attention": {
			[]string{"advance-order.json", "advance-order.capture-failed.json"}, confirmed +
				entry("3", "OrderNeedsAttention", charge+"@3.0~nonce003"),
			`"version": 3, "status": "needs_attention", "outcome": "confirmed", "attention": "capture-failed", "awaits": ["capture"], "due": 1772366580000, "watch": "attention#main"`,
		},
		"a declined payment rejects the order": {
			[]string{"advance-order.declined.json"}, declined,
			`"version": 2, "publishes": 1, "status": "rejected", "outcome": "rejected", "reason": "card-declined", "awaits": ["money", "stock"], "due": 1772366700000, "watch": "due#6"`,
		},
		"a rejected order is settled once stock and money are back": {
			[]string{"advance-order.declined.json", "advance-order.released.json", "advance-order.returned.json"},
			declined + entry("3", "OrderStockReleased", reservation+"@2.0~nonce002") +
				entry("4", "OrderSettled", charge+"@4.0~nonce003"),
			`"version": 4, "status": "rejected", "outcome": "rejected", "reason": "card-declined", "return_version": 4`,
		},
		"an order awaits money again that did not arrive": {
			[]string{"advance-order.declined.json", "advance-order.returned.json", "advance-order.released.json",
				"advance-order.return-failed.json"},
			declined + entry("3", "OrderMoneyReturned", charge+"@4.0~nonce003") +
				entry("4", "OrderSettled", reservation+"@2.0~nonce002") +
				entry("5", "OrderReopened", charge+"@5.0~nonce003"),
			`"version": 5, "status": "rejected", "outcome": "rejected", "reason": "card-declined", "awaits": ["money"], "due": 1772366700000, "watch": "due#6", "return_version": 5, "failed_returns": 1`,
		},
		"missing stock rejects the order": {
			[]string{"advance-order.short.json"}, entry("2", "OrderRejected", reservation+"@1.0~nonce002"),
			`"version": 2, "publishes": 1, "status": "rejected", "outcome": "rejected", "reason": "out-of-stock", "awaits": ["money", "stock"], "due": 1772366700000, "watch": "due#6"`,
		},
		"a late order asks again for what it awaits": {
			[]string{"advance-order.overdue.json"},
			entry("2", "ReserveDue", "clock:main#"+id+"@1772366520000") +
				entry("2", "PaymentCheckDue", "clock:main#"+id+"@1772366520000"),
			`"version": 2, "publishes": 2, "status": "placed", "awaits": ["outcome"], "retries": 1, "due": 1772366820000, "watch": "due#6"`,
		},
		"an order ignores refunds that it did not request": {
			[]string{"advance-order.json", "advance-order.captured.json", "advance-order.refunded.json",
				"advance-order.refund-failed.json"},
			confirmed + entry("3", "OrderSettled", charge+"@3.0~nonce003"),
			`"version": 3, "status": "paid", "outcome": "confirmed", "paid": true`,
		},
		"an order adopts what was refunded and disputed at the provider itself": {
			[]string{"advance-order.json", "advance-order.captured.json", "advance-order.external-money.json",
				"advance-order.refund-refused.json"},
			confirmed + entry("3", "OrderSettled", charge+"@3.0~nonce003") +
				entry("4", "OrderExternalMoney", charge+"@2.0~nonce") +
				entry("5", "OrderExternalMoney", charge+"@3.0~nonce"),
			`"version": 5, "status": "paid", "outcome": "confirmed", "paid": true,
			"external": {"refunded": 400, "disputed": 100, "uncaptured": 0, "version": 3}`,
		},
	} {
		t.Run(story, func(t *testing.T) {
			t.Parallel()
			cloud := cloudtest.New(t)
			cloud.Put("Orders", cloud.Image("relay-facts.json"))
			cloud.Clock.Pass(3 * time.Minute)
			for _, event := range c.events {
				assert.Empty(t, cloud.Deliver(build, name, event))
			}
			assert.JSONEq(t, `{`+row+`, "history": [`+placed+c.log+`], `+c.state+`}`, cloud.Row("Orders", "main#"+id))

			before := cloud.State()
			cloud.Clock.Pass(time.Minute)
			for _, event := range c.events {
				assert.Empty(t, cloud.Deliver(build, name, event))
				assert.Equal(t, before, cloud.State(), "%s once more changes nothing", event)
			}
			if story == "a late order asks again for what it awaits" {
				return // the order has no outcome
			}
			for _, late := range []string{
				"advance-order.json", "advance-order.declined.json", "advance-order.short.json",
				"advance-order.overdue.json",
			} {
				assert.Empty(t, cloud.Deliver(build, name, late), late)
				assert.Equal(t, before, cloud.State(), "%s changes no outcome", late)
			}
		})
	}
}

func TestAdvanceOrder_UnknownOrderIsAnError(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Orders", c.Image("relay-facts.json"))
	before := c.State()

	for range 2 {
		assert.Equal(t, []string{"059f36b4-87a3-44ab-83d2-000000000001"},
			c.Deliver(build, name, "advance-order.unknown-order.json"))
		assert.Equal(t, before, c.State())
	}
}
