package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/reserve-stock/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/saga"
)

const name = "reserve-stock"

var build = function.Consuming(saga.ReserveStock, wire.New)

// stocked is a cloud with ten mugs, ten teapots and no clock.
func stocked(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	c.Put("Levels", `{"pk":"main#sku#MUG-1","sellable":10,"promised":0}`)
	c.Put("Levels", `{"pk":"main#sku#TEAPOT-1","sellable":10}`)
	return c
}

func level(t *testing.T, c *cloudtest.Cloud, sku, want string) {
	t.Helper()
	assert.JSONEq(t, want, c.Row("Levels", "main#sku#"+sku), sku)
}

func TestReserveStock_ReservesAllLines(t *testing.T) {
	t.Parallel()
	c := stocked(t)

	assert.Empty(t, c.Deliver(build, name, "reserve-stock.json"))

	const id = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
	assert.Len(t, c.Rows("Reservations"), 1)
	assert.JSONEq(t, `{
		"pk": "main#`+id+`", "version": 1, "nonce": "nonce001", "publishes": 1,
		"history": [{"v": 1, "fact": "StockReserved", "at": 1772366400000, "cause": "orders:main#`+id+
		`@1.0~nonce001", "actor": "reserve-stock"}],
		"order": "`+id+`", "shop": "main", "desired": "reserve", "observed": "reserved",
		"lines": [{"sku": "MUG-1", "quantity": 2}, {"sku": "TEAPOT-1", "quantity": 1}],
		"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa"
	}`, c.Row("Reservations", "main#"+id))
	level(t, c, "MUG-1", `{"pk": "main#sku#MUG-1", "sellable": 8, "promised": 2}`)
	level(t, c, "TEAPOT-1", `{"pk": "main#sku#TEAPOT-1", "sellable": 9, "promised": 1}`)

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "reserve-stock.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestReserveStock_OneShortLineReservesNothing(t *testing.T) {
	t.Parallel()
	c := stocked(t)

	assert.Empty(t, c.Deliver(build, name, "reserve-stock.short.json"))

	const id = "ord_k3yq5xw7m2bz4n6c7d5f3g2h4j6l7p2q"
	assert.JSONEq(t, `{
		"pk": "main#`+id+`", "version": 1, "nonce": "nonce002", "publishes": 1,
		"history": [{"v": 1, "fact": "StockShort", "at": 1772366400000, "cause": "orders:main#`+id+
		`@1.0~nonce002", "actor": "reserve-stock"}],
		"order": "`+id+`", "shop": "main", "desired": "reserve", "observed": "nothing", "short": ["CLOCK-1"],
		"lines": [{"sku": "MUG-1", "quantity": 1}, {"sku": "CLOCK-1", "quantity": 1}, {"sku": "TEAPOT-1", "quantity": 1}],
		"total": 14250, "currency": "EUR"
	}`, c.Row("Reservations", "main#"+id))
	level(t, c, "MUG-1", `{"pk": "main#sku#MUG-1", "sellable": 10, "promised": 0}`)
	level(t, c, "TEAPOT-1", `{"pk": "main#sku#TEAPOT-1", "sellable": 10}`)

	t.Run("the same message again changes nothing, even if stock has arrived", func(t *testing.T) {
		c.Put("Levels", `{"pk":"main#sku#CLOCK-1","sellable":10}`)
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "reserve-stock.short.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestReserveStock_PoisonMessageFailsAlone(t *testing.T) {
	t.Parallel()
	c := stocked(t)

	poison := []string{"059f36b4-87a3-44ab-83d2-000000000001"}
	assert.Equal(t, poison, c.Deliver(build, name, "reserve-stock.poison.json"))
	assert.Len(t, c.Rows("Reservations"), 1, "its batch mate's")
	level(t, c, "MUG-1", `{"pk": "main#sku#MUG-1", "sellable": 8, "promised": 2}`)

	t.Run("and on every further delivery", func(t *testing.T) {
		before := c.State()
		assert.Equal(t, poison, c.Deliver(build, name, "reserve-stock.poison.json"))
		assert.Equal(t, before, c.State())
	})
}
