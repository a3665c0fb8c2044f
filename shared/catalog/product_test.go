package catalog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/money"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 123_456_789, time.UTC)

func euro(cents int64) []money.Money { return []money.Money{{Amount: cents, Currency: "EUR"}} }

func TestWhatMayBeSaidAboutAProduct(t *testing.T) {
	t.Parallel()
	several := []money.Money{{Amount: 1, Currency: "EUR"}, {Amount: 1, Currency: "JPY"}}
	for what, c := range map[string]struct {
		content Content
		err     error
		at      string
	}{
		"one price":                     {content: Content{Prices: euro(100)}},
		"a price per currency":          {content: Content{Prices: several}},
		"variants with and without one": {content: Content{Prices: euro(1), Variants: []Variant{{SKU: "A"}, {SKU: "B", Prices: several}}}},
		"two prices in one currency":    {content: Content{Prices: append(several, euro(2)...)}, err: ErrPriceRepeated, at: "/prices/2/currency"},
		"a currency that is none":       {content: Content{Prices: []money.Money{{Amount: 1, Currency: "XXY"}}}, err: money.ErrCurrency, at: "/prices/0"},
		"a variant's currency is none":  {content: Content{Variants: []Variant{{SKU: "A"}, {SKU: "B", Prices: []money.Money{{Currency: "XXY"}}}}}, err: money.ErrCurrency, at: "/variants/1/prices/0"},
		"a variant with two prices":     {content: Content{Variants: []Variant{{SKU: "A", Prices: append(euro(1), euro(1)...)}}}, err: ErrPriceRepeated, at: "/variants/0/prices/1/currency"},
		"a variant of its own SKU":      {content: Content{Variants: []Variant{{SKU: "A"}, {SKU: "MUG"}}}, err: ErrSKURepeated, at: "/variants/1/sku"},
		"two variants of one SKU":       {content: Content{Variants: []Variant{{SKU: "A"}, {SKU: "B"}, {SKU: "A"}}}, err: ErrSKURepeated, at: "/variants/2/sku"},
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

func TestAProductsVersionsNeverRepeat(t *testing.T) {
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
		assert.Equal(t, [2]string{"main", "MUG"}, [2]string{p.Shop, p.SKU})
	}
	assert.Equal(t, time.Date(2026, time.March, 1, 14, 0, 0, 123_000_000, time.UTC), deleted.DeletedAt)
	assert.Equal(t, deleted.DeletedAt, deleted.ChangedAt)
	assert.Equal(t, "Cup", deleted.Title, "the row tells what it was")
	assert.True(t, created.Says(Content{Title: "Mug"}))
	assert.False(t, created.Says(Content{Title: "Cup"}))
	assert.False(t, deleted.Says(deleted.Content), "what is deleted says nothing")
}

func TestVariantsCostWhatTheySayOrWhatTheProductCosts(t *testing.T) {
	t.Parallel()
	p := Product{}.Rewritten(Content{Prices: euro(100), Variants: []Variant{{SKU: "A"}, {SKU: "B", Prices: euro(200)}}}, noon)
	assert.Equal(t, map[string][]money.Money{"A": euro(100), "B": euro(200)}, p.SoldByVariant())
	assert.Empty(t, p.Deleted(noon).SoldByVariant())
	assert.Empty(t, p.Rewritten(Content{Prices: euro(100)}, noon).SoldByVariant())
}

func TestTheSameContentCanBeSentInManyWays(t *testing.T) {
	t.Parallel()
	one := productContent{Title: "Mug", Prices: []money.Money{{Amount: 2, Currency: "JPY"}, {Amount: 1, Currency: "EUR"}}}
	other := productContent{
		Title: "Mug", Prices: []money.Money{{Amount: 1, Currency: "EUR"}, {Amount: 2, Currency: "JPY"}}, Variants: []VariantDocument{},
	}
	assert.Equal(t, one.content(), other.content())
	assert.Equal(t,
		productContent{Variants: []VariantDocument{{SKU: "A"}}}.content(),
		productContent{Variants: []VariantDocument{{SKU: "A", Prices: []money.Money{}, Options: map[string]string{}}}}.content())
	assert.Equal(t, "JPY", one.Prices[0].Currency, "what was sent stays as it was sent")
}

func TestPreconditions(t *testing.T) {
	t.Parallel()
	none := Product{}
	first := none.Rewritten(Content{Title: "Mug"}, noon)
	third := first.Rewritten(Content{Title: "Cup"}, noon).Rewritten(Content{Title: "Mug"}, noon)
	deleted := third.Deleted(noon)
	back := deleted.Rewritten(Content{Title: "Mug"}, noon)
	for what, c := range map[string]struct {
		stored           Product
		match, noneMatch string
		applies, repeats bool // repeats: of a request with the content that is stored
	}{
		"creating what is not there":                      {stored: none, noneMatch: "*", applies: true},
		"creating what is there":                          {stored: first, noneMatch: "*", repeats: true},
		"creating what was changed since":                 {stored: third, noneMatch: "*"},
		"creating what was deleted":                       {stored: deleted, noneMatch: "*", applies: true},
		"creating again what came back":                   {stored: back, noneMatch: "*", repeats: true},
		"changing what is not there":                      {stored: none, match: `"v1"`},
		"changing whatever is there, but nothing is":      {stored: none, match: `*`},
		"changing whatever is there":                      {stored: third, match: `*`, applies: true, repeats: true},
		"changing whatever is there, but it is deleted":   {stored: deleted, match: `*`},
		"changing what was read":                          {stored: third, match: `"v3"`, applies: true, repeats: true},
		"changing what was read, and the answer was lost": {stored: third, match: `"v2"`, repeats: true},
		"changing what was changed since":                 {stored: third, match: `"v1"`},
		"changing one of several versions":                {stored: third, match: `"v1", "v3"`, applies: true, repeats: true},
		"a weak tag":                                      {stored: third, match: `W/"v3"`},
		"changing what was deleted since":                 {stored: deleted, match: `"v3"`},
		"bringing back what one deleted":                  {stored: deleted, match: `"v4"`, applies: true},
		"bringing back, and the answer was lost":          {stored: back, match: `"v4"`, repeats: true},
		"writing unless one knows it, and one does":       {stored: third, noneMatch: `"v3"`},
		"writing unless one knows it, and one does not":   {stored: third, noneMatch: `"v2"`, applies: true},
		"both, and both hold":                             {stored: third, match: `"v3"`, noneMatch: `"v2"`, applies: true, repeats: true},
		"both, and one does not":                          {stored: third, match: `"v3"`, noneMatch: `*`},
	} {
		in := &putInput{}
		require.NoError(t, in.IfMatch.UnmarshalText([]byte(c.match)))
		require.NoError(t, in.IfNoneMatch.UnmarshalText([]byte(c.noneMatch)))
		assert.Equal(t, c.applies, applies(in, c.stored), what)
		assert.Equal(t, c.repeats, c.stored.Says(c.stored.Content) && repeats(in, c.stored), what)
	}
}
