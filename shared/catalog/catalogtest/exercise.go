// Package catalogtest has the suite that a store of products must pass, on every cloud.
package catalogtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/catalog"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// Store is the interface of a store of products.
type Store interface {
	catalog.Products
	List(ctx context.Context, shop saga.Shop, limit int, from map[string]string) ([]catalog.Product, map[string]string,
		error)
}

// Shelf is a store with an uncached reader of its prices.
type Shelf struct {
	Store
	Prices func(ctx context.Context, shop saga.Shop, skus []string) (map[string][]money.Money, error)
}

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 7_000_000, time.UTC)

// Euro is a price list with one price.
func Euro(cents int64) []money.Money { return []money.Money{{Amount: cents, Currency: "EUR"}} }

// New returns the two arguments of Save for a new product.
func New(shop saga.Shop, sku string, variants ...catalog.Variant) (was, is catalog.Product) {
	was = catalog.Product{Shop: shop, SKU: sku}
	return was,
		was.Rewritten(catalog.Content{Title: "Mug, blue – “große”", Prices: Euro(1250), Variants: variants}, noon)
}

// Exercise tests a store. Each call of open returns an empty one.
func Exercise(t *testing.T, open func(t *testing.T) Shelf) {
	small, large := catalog.Variant{SKU: "MUG-S", Title: "Small"},
		catalog.Variant{SKU: "MUG-L", Title: "Large", Prices: Euro(1550)}

	t.Run("a product is read as it was stored", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, is := New("main", "MUG-1")
		require.NoError(t, store.Save(t.Context(), was, is))
		assert.EqualValues(t, 1, is.Version)
		assert.Equal(t, is, load(t, store, "MUG-1"))

		next := is.Rewritten(catalog.Content{
			Title: "Mug, green", Description: "Reservations 0.3 l.\nOf stoneware.",
			Prices: []money.Money{{Amount: 0, Currency: "EUR"}, {Amount: money.Max, Currency: "JPY"}},
			Variants: []catalog.Variant{
				{SKU: "MUG-1-S", Title: "Small", Options: map[string]string{"size": "S", "colour": "green"}},
				{SKU: "MUG-1-L", Title: "Large", Prices: Euro(1450)},
			},
		}, noon.Add(time.Hour))
		require.NoError(t, store.Save(t.Context(), is, next))
		assert.EqualValues(t, 2, next.Version)
		assert.Equal(t, next, load(t, store, "MUG-1"))
	})

	t.Run("a product that is there is not created again", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, is := New("main", "MUG-1")
		require.NoError(t, store.Save(t.Context(), was, is))
		another := is
		another.Title = "Another"
		require.ErrorIs(t, store.Save(t.Context(), was, another), catalog.ErrVersionConflict)
		assert.Equal(t, is, load(t, store, "MUG-1"))
	})

	t.Run("a product that moved on, or is not there, cannot be changed", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, first := New("main", "MUG-1")
		second := first.Rewritten(catalog.Content{Title: "Cup", Prices: Euro(1)}, noon)
		require.ErrorIs(t, store.Save(t.Context(), first, second), catalog.ErrVersionConflict)
		require.NoError(t, store.Save(t.Context(), was, first))
		require.NoError(t, store.Save(t.Context(), first, second))
		require.ErrorIs(t,
			store.Save(t.Context(), first, first.Rewritten(catalog.Content{Title: "Bowl", Prices: Euro(1)}, noon)),
			catalog.ErrVersionConflict)
		require.ErrorIs(t, store.Save(t.Context(), first, first.Deleted(noon)), catalog.ErrVersionConflict)
		assert.Equal(t, second, load(t, store, "MUG-1"))
	})

	t.Run("of many who change one version at once, one does, with all of its variants", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, is := New("main", "MUG", small)
		require.NoError(t, store.Save(t.Context(), was, is))
		var group sync.WaitGroup
		results := make([]error, 10)
		for i := range results {
			group.Go(func() {
				content := is.Content
				content.Variants = []catalog.Variant{{SKU: "MUG-S", Title: "Small", Prices: Euro(int64(i))},
					{SKU: fmt.Sprint("MUG-", i), Title: "Mine"}}
				results[i] = store.Save(context.Background(), is, is.Rewritten(content, noon))
			})
		}
		group.Wait()
		winner := -1
		for i, err := range results {
			if err == nil {
				assert.Equal(t, -1, winner, "only one")
				winner = i
			} else {
				assert.ErrorIs(t, err, catalog.ErrVersionConflict)
			}
		}
		require.NotEqual(t, -1, winner)
		assert.EqualValues(t, 2, load(t, store, "MUG").Version)
		all := []string{"MUG-S"}
		for i := range results {
			all = append(all, fmt.Sprint("MUG-", i))
		}
		assert.Equal(t, map[string][]money.Money{"MUG-S": Euro(int64(winner)), fmt.Sprint("MUG-", winner): Euro(1250)},
			prices(t, store, all...))
	})

	t.Run("a product that is not there, or another shop's, is not found", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, is := New("other", "MUG-1")
		require.NoError(t, store.Save(t.Context(), was, is))
		p, err := store.Load(t.Context(), "main", "MUG-1")
		require.ErrorIs(t, err, catalog.ErrUnknownProduct)
		assert.Equal(t, catalog.Product{}, p)
		assert.Empty(t, prices(t, store, "MUG-1"))
	})

	t.Run("a product is sold by its own SKU, or by those of its variants", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, plain := New("main", "MUG")
		require.NoError(t, store.Save(t.Context(), was, plain))
		assert.Equal(t, map[string][]money.Money{"MUG": Euro(1250)}, prices(t, store, "MUG", "MUG-S", "MUG-L"))

		_, both := New("main", "MUG", small, large)
		both = plain.Rewritten(both.Content, noon)
		require.NoError(t, store.Save(t.Context(), plain, both))
		assert.Equal(t, map[string][]money.Money{"MUG-S": Euro(1250), "MUG-L": Euro(1550)},
			prices(t, store, "MUG", "MUG-S", "MUG-L"))
		_, err := store.Load(t.Context(), "main", "MUG-S")
		require.ErrorIs(t, err, catalog.ErrUnknownProduct, "a variant is not a product")

		dearer := both.Rewritten(catalog.Content{Title: "Mug", Prices: Euro(1350), Variants: both.Variants}, noon)
		require.NoError(t, store.Save(t.Context(), both, dearer))
		assert.Equal(t, map[string][]money.Money{"MUG-S": Euro(1350), "MUG-L": Euro(1550)},
			prices(t, store, "MUG", "MUG-S", "MUG-L"))

		one := dearer.Rewritten(catalog.Content{Title: "Mug", Prices: Euro(1350), Variants: []catalog.Variant{large}},
			noon)
		require.NoError(t, store.Save(t.Context(), dearer, one))
		assert.Equal(t, map[string][]money.Money{"MUG-L": Euro(1550)}, prices(t, store, "MUG", "MUG-S", "MUG-L"),
			"a variant that is not named any more is not sold")

		again := one.Rewritten(plain.Content, noon)
		require.NoError(t, store.Save(t.Context(), one, again))
		assert.Equal(t, map[string][]money.Money{"MUG": Euro(1250)}, prices(t, store, "MUG", "MUG-S", "MUG-L"))
	})

	t.Run("all variants can be replaced at once", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		many := func(kind string) (all []catalog.Variant) {
			for i := range 49 {
				all = append(all, catalog.Variant{SKU: fmt.Sprintf("%s-%d", kind, i), Title: "One of many"})
			}
			return all
		}
		was, is := New("main", "MUG", many("OLD")...)
		require.NoError(t, store.Save(t.Context(), was, is))
		next := is.Rewritten(catalog.Content{Title: "Mug", Prices: Euro(1), Variants: many("NEW")}, noon)
		require.NoError(t, store.Save(t.Context(), is, next))
		assert.Equal(t, next, load(t, store, "MUG"))
		assert.Equal(t, map[string][]money.Money{"NEW-0": Euro(1), "NEW-48": Euro(1)},
			prices(t, store, "OLD-0", "OLD-48", "NEW-0", "NEW-48"))
	})

	t.Run("a SKU belongs to one product", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, mug := New("main", "MUG", small, large)
		require.NoError(t, store.Save(t.Context(), was, mug))
		wasCup, cup := New("main", "CUP")
		require.NoError(t, store.Save(t.Context(), wasCup, cup))
		gone := cup.Deleted(noon)
		require.NoError(t, store.Save(t.Context(), cup, gone))

		for what, variants := range map[string][]catalog.Variant{
			"another's variant":        {{SKU: "BOWL-1", Title: "Its own"}, {SKU: "MUG-L", Title: "Another's"}},
			"another's own":            {{SKU: "MUG", Title: "Another's"}},
			"that of a deleted one":    {{SKU: "CUP", Title: "Another's"}},
			"two of another's at once": {{SKU: "MUG-S", Title: "Another's"}, {SKU: "MUG-L", Title: "Another's"}},
		} {
			wasBowl, bowl := New("main", "BOWL", variants...)
			require.ErrorIs(t, store.Save(t.Context(), wasBowl, bowl), catalog.ErrSKUTaken, what)
			_, err := store.Load(t.Context(), "main", "BOWL")
			require.ErrorIs(t, err, catalog.ErrUnknownProduct, "nothing is stored: %s", what)
		}
		wasVariant, variant := New("main", "MUG-S")
		require.ErrorIs(t, store.Save(t.Context(), wasVariant, variant), catalog.ErrSKUTaken,
			"a product of a variant's SKU")
		assert.Equal(t, map[string][]money.Money{"MUG-S": Euro(1250), "MUG-L": Euro(1550)},
			prices(t, store, "MUG", "MUG-S", "MUG-L", "BOWL-1", "CUP"))

		elsewhere, theirs := New("other", "BOWL", small, catalog.Variant{SKU: "MUG", Title: "Theirs"})
		require.NoError(t, store.Save(t.Context(), elsewhere, theirs), "every shop has its own")
		left := mug.Rewritten(catalog.Content{Title: "Mug", Prices: Euro(1250), Variants: []catalog.Variant{large}},
			noon)
		require.NoError(t, store.Save(t.Context(), mug, left))
		require.NoError(t, store.Save(t.Context(), wasVariant, variant), "a SKU that was let go is free")
	})

	t.Run("a deleted product is sold no more, and comes back under a higher version", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		was, is := New("main", "MUG", small, large)
		require.NoError(t, store.Save(t.Context(), was, is))
		gone := is.Deleted(noon.Add(time.Hour))
		require.NoError(t, store.Save(t.Context(), is, gone))
		assert.Equal(t, gone, load(t, store, "MUG"))
		assert.False(t, gone.Sold())
		assert.EqualValues(t, 2, gone.Version)
		assert.Empty(t, prices(t, store, "MUG", "MUG-S", "MUG-L"))
		wasCup, cup := New("main", "CUP", small)
		require.NoError(t, store.Save(t.Context(), wasCup, cup), "its variants' SKUs are free")

		require.ErrorIs(t, store.Save(t.Context(), gone, gone.Rewritten(is.Content, noon)), catalog.ErrSKUTaken)
		back := gone.Rewritten(catalog.Content{Title: "Mug", Prices: Euro(900), Variants: []catalog.Variant{large}},
			noon)
		require.NoError(t, store.Save(t.Context(), gone, back))
		assert.Equal(t, back, load(t, store, "MUG"))
		assert.Equal(t, [2]int64{3, 3}, [2]int64{back.Version, back.Since})
		assert.Equal(t, map[string][]money.Money{"MUG-S": Euro(1250), "MUG-L": Euro(1550)},
			prices(t, store, "MUG", "MUG-S", "MUG-L"))
	})

	t.Run("a list has every product that is sold once, in the order of SKUs", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		var want []string
		for i := range 7 {
			sku := fmt.Sprintf("MUG-%d", i)
			was, is := New("main", sku, catalog.Variant{SKU: sku + "-S", Title: "Small"})
			require.NoError(t, store.Save(t.Context(), was, is))
			if i == 3 {
				require.NoError(t, store.Save(t.Context(), is, is.Deleted(noon)))
				continue
			}
			want = append(want, sku)
		}
		was, is := New("other", "MUG-9")
		require.NoError(t, store.Save(t.Context(), was, is))

		for _, limit := range []int{1, 2, 3, 50} {
			require.EventuallyWithT(t, func(t *assert.CollectT) {
				assert.Equal(t, want, skus(t, store, limit), "%d at a time", limit)
			}, 20*time.Second, 50*time.Millisecond, "the index follows the table")
		}
		listed, rest, err := store.List(t.Context(), "main", 50, nil)
		require.NoError(t, err)
		assert.Nil(t, rest)
		assert.Equal(t, load(t, store, "MUG-0"), listed[0], "whole products")

		before, _, err := store.List(t.Context(), "main", 1, map[string]string{"sku": "MUG-3"})
		require.NoError(t, err)
		assert.Equal(t, "MUG-4", before[0].SKU, "a list goes on behind what was deleted meanwhile")
		nothing, rest, err := store.List(t.Context(), "empty", 50, nil)
		require.NoError(t, err)
		assert.Empty(t, nothing)
		assert.Nil(t, rest)
	})
}

// skus returns the SKUs of all products of the shop, read page by page.
func skus(t require.TestingT, store Store, limit int) []string {
	var all []string
	for from := map[string]string(nil); ; {
		page, rest, err := store.List(context.Background(), "main", limit, from)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		for _, p := range page {
			all = append(all, p.SKU)
		}
		if rest == nil {
			return all
		}
		from = rest
	}
}

func load(t *testing.T, store Store, sku string) catalog.Product {
	t.Helper()
	p, err := store.Load(t.Context(), "main", sku)
	require.NoError(t, err)
	return p
}

func prices(t *testing.T, store Shelf, skus ...string) map[string][]money.Money {
	t.Helper()
	found, err := store.Prices(t.Context(), "main", skus)
	require.NoError(t, err)
	return found
}
