package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/functions/adjust-stock/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const name = "adjust-stock"

var build = function.Serving(wire.New)

func TestAdjustStock_ChangesALevel(t *testing.T) {
	for event, want := range map[string]struct {
		given, level string
		seen         string // the level in the answer
		id           string // derived from the caller, the SKU and the sample's Idempotency-Key
		delta        string
		also         string // of the adjustment's row
		reason       string
		fingerprint  string
	}{
		"adjust-stock.json": {
			given: `{"pk":"main#sku#MUG-1","sellable":20,"promised":5}`,
			level: `{"pk":"main#sku#MUG-1","sellable":120,"promised":5}`,
			seen:  `{"sku":"MUG-1","sellable":120,"promised":5}`,
			id:    "adj_nz7ffzjle7rhphsy3vmieuj44cp2nva7", delta: "100", reason: "delivery",
			fingerprint: "bdbe46ccb5a17bc99dc10f1bf91c5e261891a346716862bef5741f5f29763fdb",
		},
		"adjust-stock.count.json": {
			given: `{"pk":"main#sku#MUG-1","sellable":100}`, level: `{"pk":"main#sku#MUG-1","sellable":97}`,
			seen: `{"sku":"MUG-1","sellable":97,"promised":0}`, id: "adj_ftzv7p25ak62oxq4d4w7v6iol43enfar", delta: "-3",
			also: `"if_equals": 100,`, reason: "stocktaking",
			fingerprint: "312559358f060b95efc58b1b1595f9d16c85bfd095986f9bdaddce7e05b50f0b",
		},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			c := cloudtest.New(t)
			c.Put("Levels", want.given)

			first := c.Request(build, name, event)

			assert.Equal(t, 201, first.Status, first.Body)
			assert.JSONEq(t, `{"id": "`+want.id+`", "sku": "MUG-1", "delta": `+want.delta+`, "reason": "`+want.reason+
				`", "adjusted_at": "2026-03-01T12:00:00Z", "level": `+want.seen+`}`, first.Body)
			assert.Len(t, c.Rows("Levels"), 2)
			assert.JSONEq(t, want.level, c.Row("Levels", "main#sku#MUG-1"))
			assert.JSONEq(t, `{
				"pk": "main#adjustment#`+want.id+`", "id": "`+want.id+`", "sku": "MUG-1", "delta": `+want.delta+`, `+
				want.also+`
				"reason": "`+want.reason+`", "at": 1772366400000, "actor": "client:bootstrap", "fingerprint": "`+
				want.fingerprint+`"
			}`, c.Row("Levels", "main#adjustment#"+want.id))

			before := c.State()
			again := c.Request(build, name, event)
			assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"), "the same request again")
			assert.Equal(t, [2]any{first.Status, first.Body}, [2]any{again.Status, again.Body})
			assert.Equal(t, before, c.State(), "the same request again")
		})
	}
}

func TestAdjustStock_RefusesMoreThanSellable(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Put("Levels", `{"pk":"main#sku#MUG-1","sellable":999999}`)

	for range 2 {
		answer := c.Request(build, name, "adjust-stock.insufficient-stock.json")
		assert.Equal(t, 409, answer.Status, answer.Body)
		assert.Equal(t, "insufficient-stock", answer.Slug())
		assert.Len(t, c.Rows("Levels"), 1)
		assert.JSONEq(t, `{"pk":"main#sku#MUG-1","sellable":999999}`, c.Row("Levels", "main#sku#MUG-1"))
	}
}
