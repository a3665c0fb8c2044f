package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/release-stock/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/saga"
)

const (
	name = "release-stock"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"

	reserved = `{"v": 1, "fact": "StockReserved", "at": 1772366300000, "cause": "orders:main#` + id +
		`@1.0~nonce001", "actor": "reserve-stock"}`
)

var build = function.Consuming(saga.ReleaseStock, wire.New)

// stocked is a cloud in which two mugs and a teapot are reserved for the order, and three mugs for
// another.
func stocked(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	c.Put("Reservations", `{
		"pk": "main#`+id+`", "version": 1, "nonce": "nonce002", "publishes": 1, "history": [`+reserved+`],
		"order": "`+id+`", "shop": "main", "desired": "reserve", "observed": "reserved",
		"lines": [{"sku": "MUG-1", "quantity": 2}, {"sku": "TEAPOT-1", "quantity": 1}],
		"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa"
	}`)
	c.Put("Levels", `{"pk":"main#sku#MUG-1","sellable":5,"promised":5}`)
	c.Put("Levels", `{"pk":"main#sku#TEAPOT-1","sellable":9,"promised":1}`)
	return c
}

func level(t *testing.T, c *cloudtest.Cloud, sku, want string) {
	t.Helper()
	assert.JSONEq(t, want, c.Row("Levels", "main#sku#"+sku), sku)
}

func TestReleaseStock_ReleasesAReservation(t *testing.T) {
	t.Parallel()
	c := stocked(t)

	assert.Empty(t, c.Deliver(build, name, "release-stock.json"))

	assert.JSONEq(t, `{
		"pk": "main#`+id+`", "version": 2, "nonce": "nonce002", "publishes": 1,
		"history": [`+reserved+`, {"v": 2, "fact": "StockReleased", "at": 1772366400000, "cause": "orders:main#`+id+
		`@2.0~nonce001", "actor": "release-stock"}],
		"order": "`+id+`", "shop": "main", "desired": "release", "observed": "nothing",
		"lines": [{"sku": "MUG-1", "quantity": 2}, {"sku": "TEAPOT-1", "quantity": 1}],
		"total": 7900, "currency": "EUR"
	}`, c.Row("Reservations", "main#"+id), "the payment method is forgotten")
	level(t, c, "MUG-1", `{"pk": "main#sku#MUG-1", "sellable": 7, "promised": 3}`)
	level(t, c, "TEAPOT-1", `{"pk": "main#sku#TEAPOT-1", "sellable": 10, "promised": 0}`)

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "release-stock.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestReleaseStock_BeforeReserveLeavesATombstone(t *testing.T) {
	t.Parallel()
	c := stocked(t)

	assert.Empty(t, c.Deliver(build, name, "release-stock.early.json"))

	const id = "ord_p4s7wnx2kq5z3c6v7b2m4n5j6h7g3f2d"
	assert.JSONEq(t, `{
		"pk": "main#`+id+`", "version": 1, "nonce": "nonce001", "publishes": 1,
		"history": [{"v": 1, "fact": "StockReleased", "at": 1772366400000, "cause": "orders:main#`+id+
		`@2.0~nonce004", "actor": "release-stock"}],
		"order": "`+id+`", "shop": "main", "desired": "release", "observed": "nothing", "total": 0
	}`, c.Row("Reservations", "main#"+id))
	level(t, c, "MUG-1", `{"pk": "main#sku#MUG-1", "sellable": 5, "promised": 5}`)

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "release-stock.early.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestReleaseStock_InconsistentLevelIsAnError(t *testing.T) {
	t.Parallel()
	c := stocked(t)
	c.Put("Levels", `{"pk":"main#sku#TEAPOT-1","sellable":10,"promised":0}`)
	before := c.State()
	for range 2 {
		assert.Equal(t, []string{"059f36b4-87a3-44ab-83d2-000000000001"}, c.Deliver(build, name, "release-stock.json"))
		assert.Equal(t, before, c.State())
	}
	assert.Contains(t, c.Log.String(), "stock-levels-inconsistent")
}

func TestReleaseStock_PoisonMessageFailsAlone(t *testing.T) {
	t.Parallel()
	c := stocked(t)

	poison := []string{"059f36b4-87a3-44ab-83d2-000000000001"}
	assert.Equal(t, poison, c.Deliver(build, name, "release-stock.poison.json"))
	level(t, c, "MUG-1", `{"pk": "main#sku#MUG-1", "sellable": 7, "promised": 3}`)

	t.Run("and on every further delivery", func(t *testing.T) {
		before := c.State()
		assert.Equal(t, poison, c.Deliver(build, name, "release-stock.poison.json"))
		assert.Equal(t, before, c.State())
	})
}
