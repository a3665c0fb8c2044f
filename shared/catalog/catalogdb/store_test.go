package catalogdb_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/catalog"
	"backroom/shared/catalog/catalogdb"
	"backroom/shared/catalog/catalogtest"
	"backroom/shared/money"
	"backroom/shared/saga"
)

func open(t *testing.T) catalogdb.Store {
	c := cloudtest.New(t)
	return catalogdb.Store{DB: c.Runtime().DynamoDB(), Name: c.Table("Catalog")}
}

func TestStore(t *testing.T) {
	t.Parallel()
	catalogtest.Exercise(t, func(t *testing.T) catalogtest.Shelf {
		store := open(t)
		return catalogtest.Shelf{Store: store,
			Prices: func(ctx context.Context, shop saga.Shop, skus []string) (map[string][]money.Money, error) {
				return catalogdb.NewPrices(store, time.Now).Of(ctx, shop, skus)
			}}
	})
}

func TestStore_RecognizesAWriteWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	cloudtest.Patiently(t, func(t *testing.T) {
		c := cloudtest.New(t)
		was,
			is := catalogtest.New("main", "MUG-1",
			catalog.Variant{SKU: "MUG-1-S", Title: "Small", Options: map[string]string{"size": "S", "": "unnamed"}})
		for _, step := range []catalog.Product{
			is, is.Rewritten(is.Content, is.ChangedAt), is.Rewritten(is.Content, is.ChangedAt).Deleted(is.ChangedAt),
		} {
			db, lost := c.Forgetful("TransactWriteItems")
			require.NoError(t, catalogdb.Store{DB: db, Name: c.Table("Catalog")}.Save(t.Context(), was, step))
			assert.Equal(t, 1, lost())
			was = step
		}
	})
}

func TestStore_ErrSKUTakenNamesTheVariants(t *testing.T) {
	t.Parallel()
	store := open(t)
	was, is := catalogtest.New("main", "MUG")
	require.NoError(t, store.Save(t.Context(), was, is))
	was, is = catalogtest.New("main", "CUP", catalog.Variant{SKU: "CUP-S"}, catalog.Variant{SKU: "MUG"})
	require.ErrorContains(t, store.Save(t.Context(), was, is), "/variants/1/sku")
}

func TestPrices_AreCached(t *testing.T) {
	t.Parallel()
	store := open(t)
	stored := map[string]catalog.Product{}
	save := func(shop saga.Shop, sku string, cents int64) {
		was, is := catalogtest.New(shop, sku)
		if there, ok := stored[string(shop)+sku]; ok {
			was = there
		}
		is.Prices = catalogtest.Euro(cents)
		is = was.Rewritten(is.Content, is.ChangedAt)
		require.NoError(t, store.Save(t.Context(), was, is))
		stored[string(shop)+sku] = is
	}
	save("main", "MUG", 1250)
	save("other", "MUG", 990)
	clock := time.Now()
	warm := catalogdb.NewPrices(store, func() time.Time { return clock })
	of := func(prices catalogdb.Prices, shop saga.Shop, skus ...string) map[string][]money.Money {
		found, err := prices.Of(t.Context(), shop, skus)
		require.NoError(t, err)
		return found
	}
	cost := catalogtest.Euro

	assert.Equal(t, map[string][]money.Money{"MUG": cost(1250)}, of(warm, "main", "MUG", "RUG"),
		"what is not sold has no price")
	assert.Equal(t, map[string][]money.Money{"MUG": cost(990)}, of(warm, "other", "MUG"), "every shop has its own")
	save("main", "MUG", 1350)
	save("main", "RUG", 12900)
	save("main", "VASE", 3450)
	assert.Equal(t, map[string][]money.Money{"MUG": cost(1250), "VASE": cost(3450)},
		of(warm, "main", "MUG", "RUG", "VASE"), "what was not sold is remembered, too")
	assert.Equal(t, map[string][]money.Money{"MUG": cost(1350), "RUG": cost(12900)},
		of(catalogdb.NewPrices(store, time.Now), "main", "MUG", "RUG"), "a new function remembers nothing")
	now, err := warm.Read(t.Context(), "main", []string{"VASE", "CUP"})
	require.NoError(t, err)
	assert.Equal(t, map[string][]money.Money{"VASE": cost(3450)}, now)
	save("main", "VASE", 3550)
	now, err = warm.Read(t.Context(), "main", []string{"VASE"})
	require.NoError(t, err)
	assert.Equal(t, map[string][]money.Money{"VASE": cost(3550)}, now, "who asks for the price of now gets it")
	assert.Equal(t, now, of(warm, "main", "VASE"), "and it is remembered")
	clock = clock.Add(30*time.Second - 1)
	assert.Equal(t, map[string][]money.Money{"MUG": cost(1250)}, of(warm, "main", "MUG"), "for half a minute")
	clock = clock.Add(1)
	assert.Equal(t, map[string][]money.Money{"MUG": cost(1350), "RUG": cost(12900)}, of(warm, "main", "MUG", "RUG"),
		"and no longer")
}

func TestPrices_ReadsMoreProductsThanOneBatch(t *testing.T) {
	t.Parallel()
	store := open(t)
	var skus []string
	for i := range 120 {
		sku := fmt.Sprintf("SKU-%d", i)
		was, is := catalogtest.New("main", sku)
		require.NoError(t, store.Save(t.Context(), was, is))
		skus = append(skus, sku)
	}
	found, err := catalogdb.NewPrices(store, time.Now).Of(t.Context(), "main", skus)
	require.NoError(t, err)
	assert.Len(t, found, 120)
}
