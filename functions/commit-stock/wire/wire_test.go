package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/commit-stock/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/saga"
)

const (
	name = "commit-stock"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"

	reserved = `{"v": 1, "fact": "StockReserved", "at": 1772366300000, "cause": "orders:main#` + id +
		`@1.0~nonce001", "actor": "reserve-stock"}`
)

var build = function.Consuming(saga.CommitStock, wire.New)

// stocked is a cloud in which two mugs and a teapot are reserved for the order.
func stocked(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	c.Put("Reservations", `{
		"pk": "main#`+id+`", "version": 1, "nonce": "nonce002", "publishes": 1, "history": [`+reserved+`],
		"order": "`+id+`", "shop": "main", "desired": "reserve", "observed": "reserved",
		"lines": [{"sku": "MUG-1", "quantity": 2}, {"sku": "TEAPOT-1", "quantity": 1}],
		"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa"
	}`)
	return c
}

func TestCommitStock_SellsAReservation(t *testing.T) {
	t.Parallel()
	c := stocked(t)

	assert.Empty(t, c.Deliver(build, name, "commit-stock.json"))

	assert.JSONEq(t, `{
		"pk": "main#`+id+`", "version": 2, "nonce": "nonce002",
		"history": [`+reserved+`, {"v": 2, "fact": "StockSold", "at": 1772366400000, "cause": "orders:main#`+id+
		`@2.0~nonce001", "actor": "commit-stock"}],
		"order": "`+id+`", "shop": "main", "desired": "sell", "observed": "sold",
		"lines": [{"sku": "MUG-1", "quantity": 2}, {"sku": "TEAPOT-1", "quantity": 1}],
		"total": 7900, "currency": "EUR"
	}`, c.Row("Reservations", "main#"+id), "no fact is published, and the payment method is removed")

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "commit-stock.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestCommitStock_DoesNotSellReleasedStock(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Reservations", `{
		"pk": "main#`+id+`", "version": 2, "nonce": "nonce002", "publishes": 1, "history": [`+reserved+`],
		"order": "`+id+
		`", "shop": "main", "desired": "release", "observed": "nothing", "lines": [{"sku": "MUG-1", "quantity": 2}], "total": 7900, "currency": "EUR"
	}`)
	before := c.State()

	assert.Empty(t, c.Deliver(build, name, "commit-stock.json"))
	assert.Equal(t, before, c.State())
}

func TestCommitStock_MissingReservationIsAnError(t *testing.T) {
	t.Parallel()
	c := stocked(t)
	before := c.State()
	for range 2 {
		assert.Equal(t, []string{"059f36b4-87a3-44ab-83d2-000000000001"},
			c.Deliver(build, name, "commit-stock.no-reservation.json"))
		assert.Equal(t, before, c.State())
	}
}
