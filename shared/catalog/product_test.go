package catalog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/saga"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 123_456_789, time.UTC)

func euro(cents int64) []money.Money { return []money.Money{{Amount: cents, Currency: "EUR"}} }

func TestContent_Check(t *testing.T) {
	t.Parallel()
	several := []money.Money{{Amount: 1, Currency: "EUR"}, {Amount: 1, Currency: "JPY"}}
	for what, c := range map[string]struct {
		content Content
		err     error
		at      string
	}{
		"one price":            {content: Content{Prices: euro(100)}},
		"a price per currency": {content: Content{Prices: several}},
		"variants with and without one": {content: Content{Prices: euro(1),
			Variants: []Variant{{SKU: "A"}, {SKU: "B", Prices: several}}}},
		"two prices in one currency": {content: Content{Prices: append(several, euro(2)...)}, err: ErrPriceRepeated,
			at: "/prices/2/currency"},
		"an unknown currency": {content: Content{Prices: []money.Money{{Amount: 1, Currency: "XXY"}}},
			err: money.ErrCurrency, at: "/prices/0"},
		"a price in thousandths that cards do not move": {content: Content{Prices: []money.Money{{Amount: 1,
			Currency: "EUR"}, {Amount: 1125, Currency: "KWD"}}}, err: payable.ErrUnpayable, at: "/prices/1/amount"},
		"a price in hundredths that the provider does not count": {content: Content{Variants: []Variant{{SKU: "A",
			Prices: []money.Money{{Amount: 550, Currency: "MGA"}}}}}, err: payable.ErrUnpayable,
			at: "/variants/0/prices/0/amount"},
		"a currency of today that the provider does not take": {content: Content{Prices: []money.Money{{Amount: 1,
			Currency: "VED"}}}},
		"a withdrawn currency": {content: Content{Prices: []money.Money{{Amount: 100, Currency: "BGN"}}},
			err: money.ErrCurrency, at: "/prices/0"},
		"a variant's unknown currency": {content: Content{Variants: []Variant{{SKU: "A"},
			{SKU: "B", Prices: []money.Money{{Currency: "XXY"}}}}}, err: money.ErrCurrency, at: "/variants/1/prices/0"},
		"a variant with two prices": {content: Content{Variants: []Variant{{SKU: "A",
			Prices: append(euro(1), euro(1)...)}}}, err: ErrPriceRepeated, at: "/variants/0/prices/1/currency"},
		"a variant of its own SKU": {content: Content{Variants: []Variant{{SKU: "A"}, {SKU: "MUG"}}},
			err: ErrSKURepeated, at: "/variants/1/sku"},
		"two variants of one SKU": {content: Content{Variants: []Variant{{SKU: "A"}, {SKU: "B"}, {SKU: "A"}}},
			err: ErrSKURepeated, at: "/variants/2/sku"},
	} {
		err := c.content.Check("MUG")
		if c.err == nil {
			require.NoError(t, err, what)
			continue
		}
		require.ErrorIs(t, err, c.err, what)
		assert.Equal(t, c.at, err.(*fault.Fault).Problems[0].Pointer, what)
	}
}

func TestProduct_VersionsNeverRepeat(t *testing.T) {
	t.Parallel()
	none := Product{Shop: "main", SKU: "MUG"}
	created := none.Rewritten(Content{Title: "Mug"}, noon)
	changed := created.Rewritten(Content{Title: "Cup"}, noon.Add(time.Hour))
	deleted := changed.Deleted(noon.Add(2 * time.Hour))
	back := deleted.Rewritten(Content{Title: "Mug"}, noon.Add(3*time.Hour))
	again := back.Rewritten(Content{Title: "Bowl"}, noon.Add(4*time.Hour))
	for i, p := range []Product{none, created, changed, deleted, back, again} {
		assert.EqualValues(t, i, p.Version)
		assert.Equal(t, []int64{0, 1, 1, 1, 4, 4}[i], p.Since)
		assert.Equal(t, i != 0 && i != 3, p.Sold())
		assert.Equal(t, [2]any{saga.Shop("main"), "MUG"}, [2]any{p.Shop, p.SKU})
	}
	assert.Equal(t, time.Date(2026, time.March, 1, 14, 0, 0, 123_000_000, time.UTC), deleted.DeletedAt)
	assert.Equal(t, deleted.DeletedAt, deleted.ChangedAt)
	assert.Equal(t, "Cup", deleted.Title, "the row keeps its content")
	assert.True(t, created.Says(Content{Title: "Mug"}))
	assert.False(t, created.Says(Content{Title: "Cup"}))
	assert.False(t, deleted.Says(deleted.Content), "a deleted product equals no content")
}

func TestSoldByVariant_FallsBackToThePricesOfTheProduct(t *testing.T) {
	t.Parallel()
	p := Product{}.Rewritten(Content{Prices: euro(100), Variants: []Variant{{SKU: "A"}, {SKU: "B", Prices: euro(200)}}},
		noon)
	assert.Equal(t, map[string][]money.Money{"A": euro(100), "B": euro(200)}, p.SoldByVariant())
	assert.Empty(t, p.Deleted(noon).SoldByVariant())
	assert.Empty(t, p.Rewritten(Content{Prices: euro(100)}, noon).SoldByVariant())
}
