package wire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"backroom/functions/advance-order/wire"
	"backroom/shared/cloudtest"
	"backroom/shared/function"
	"backroom/shared/saga"
)

const (
	name = "advance-order"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

var build = function.Consuming(saga.AdvanceOrder, wire.New)

func TestAPlacedOrderMoves(t *testing.T) {
	const charge, hold = "charges:main#" + id + "#1@2.0~nonce003", "holds:main#" + id + "@1.0~nonce002"
	for event, want := range map[string]struct {
		log   string // what is added to it
		state string // what becomes of the rest
	}{
		"advance-order.json": {
			`{"v": 2, "fact": "OrderConfirmed", "at": 1772366580000, "cause": "` + charge + `", "actor": "advance-order"}`,
			`"status": "confirmed"`,
		},
		"advance-order.declined.json": {
			`{"v": 2, "fact": "OrderRejected", "at": 1772366580000, "cause": "` + charge + `", "actor": "advance-order"}`,
			`"status": "rejected", "reason": "card-declined"`,
		},
		"advance-order.short.json": {
			`{"v": 2, "fact": "OrderRejected", "at": 1772366580000, "cause": "` + hold + `", "actor": "advance-order"}`,
			`"status": "rejected", "reason": "out-of-stock"`,
		},
		"advance-order.overdue.json": {
			`{"v": 2, "fact": "ReserveDue", "at": 1772366580000, "cause": "clock:main#` + id + `@1772366520000", "actor": "advance-order"},
			 {"v": 2, "fact": "PaymentCheckDue", "at": 1772366580000, "cause": "clock:main#` + id + `@1772366520000", "actor": "advance-order"}`,
			`"status": "placed", "tells": 2, "asks": 1, "due": 1772366820000, "watch": "due#6"`,
		},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			c := cloudtest.New(t)
			c.Put("Orders", c.Image("relay-facts.json"))
			c.Clock.Pass(3 * time.Minute)

			assert.Empty(t, c.Deliver(build, name, event))

			assert.Len(t, c.Rows("Orders"), 1)
			assert.JSONEq(t, `{
				"pk": "main#`+id+`", "version": 2, "nonce": "nonce001",
				"log": [
					{"v": 1, "fact": "OrderPlaced", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000009", "actor": "client:bootstrap"},
					`+want.log+`
				],
				"order": "`+id+`", "shop": "main", "owner": "client:bootstrap",
				"lines": [{"sku": "MUG-1", "quantity": 2, "price": 1250}, {"sku": "TEAPOT-1", "quantity": 1, "price": 5400}],
				"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa", "placed_at": 1772366400000,
				"fingerprint": "dbccb8e602546a46fad8341082bb3e95069d522d300aa4ae40c084dc0eb374c2",
				`+want.state+`
			}`, c.Row("Orders", "main#"+id))

			t.Run("and the same message once more changes nothing", func(t *testing.T) {
				c.Clock.Pass(time.Minute)
				before := c.State()
				assert.Empty(t, c.Deliver(build, name, event))
				assert.Equal(t, before, c.State())
			})
			if event == "advance-order.overdue.json" {
				return // it is no verdict
			}
			t.Run("and no other answer changes the verdict", func(t *testing.T) {
				before := c.State()
				for _, late := range []string{"advance-order.json", "advance-order.declined.json", "advance-order.short.json", "advance-order.overdue.json"} {
					assert.Empty(t, c.Deliver(build, name, late), late)
					assert.Equal(t, before, c.State(), late)
				}
			})
		})
	}
}

func TestAnOrderThatIsNotThereIsABugSomewhere(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Orders", c.Image("relay-facts.json"))
	before := c.State()

	for range 2 {
		assert.Equal(t, []string{"059f36b4-87a3-44ab-83d2-000000000001"}, c.Deliver(build, name, "advance-order.unknown-order.json"))
		assert.Equal(t, before, c.State())
	}
}
