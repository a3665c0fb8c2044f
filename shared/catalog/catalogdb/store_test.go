package catalogdb_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/catalog/catalogdb"
	"backroom/shared/catalog/catalogtest"
	"backroom/shared/cloudtest"
	"backroom/shared/money"
)

func open(t *testing.T) catalogdb.Store {
	c := cloudtest.New(t)
	return catalogdb.Store{DB: c.Runtime().DynamoDB(), Name: c.Table("Catalog")}
}

func TestStore(t *testing.T) {
	t.Parallel()
	catalogtest.Exercise(t, func(t *testing.T) catalogtest.Store { return open(t) })
}

func TestAWriteWhoseAnswerWasLostIsKnownAgain(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	p := catalogtest.New("main", "MUG-1")
	for version := range int64(2) {
		db, lost := c.Forgetful("PutItem")
		saved, err := catalogdb.Store{DB: db, Name: c.Table("Catalog")}.Save(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, 1, lost())
		assert.Equal(t, version+1, saved.Version)
		p = saved
	}
}

func TestPricesAreRememberedForAWhile(t *testing.T) {
	t.Parallel()
	store := open(t)
	save := func(shop, sku string, version, cents int64) {
		p := catalogtest.New(shop, sku)
		p.Version, p.Price.Amount = version, cents
		_, err := store.Save(t.Context(), p)
		require.NoError(t, err)
	}
	euro := func(cents int64) money.Money { return money.Money{Amount: cents, Currency: "EUR"} }
	save("main", "MUG", 0, 1250)
	save("other", "MUG", 0, 990)
	prices := catalogdb.NewPrices(store)
	of := func(shop string, skus ...string) map[string]money.Money {
		found, err := prices.Of(t.Context(), shop, skus)
		require.NoError(t, err)
		return found
	}

	assert.Equal(t, map[string]money.Money{"MUG": euro(1250)}, of("main", "MUG", "RUG"), "what is not sold has no price")
	assert.Equal(t, map[string]money.Money{"MUG": euro(990)}, of("other", "MUG"), "every shop has its own")
	save("main", "MUG", 1, 1350)
	assert.Equal(t, map[string]money.Money{"MUG": euro(1250)}, of("main", "MUG"))
	save("main", "RUG", 0, 12900)
	assert.Equal(t, map[string]money.Money{"MUG": euro(1250), "RUG": euro(12900)}, of("main", "MUG", "RUG"), "what was not sold is looked for again")
	assert.Equal(t, map[string]money.Money{"MUG": euro(1350)}, func() map[string]money.Money {
		found, err := catalogdb.NewPrices(store).Of(t.Context(), "main", []string{"MUG"})
		require.NoError(t, err)
		return found
	}(), "a new function remembers nothing")
}

func TestPricesOfMoreProductsThanOneCallTakes(t *testing.T) {
	t.Parallel()
	store := open(t)
	var skus []string
	for i := range 120 {
		sku := fmt.Sprintf("SKU-%d", i)
		_, err := store.Save(t.Context(), catalogtest.New("main", sku))
		require.NoError(t, err)
		skus = append(skus, sku)
	}
	found, err := catalogdb.NewPrices(store).Of(t.Context(), "main", skus)
	require.NoError(t, err)
	assert.Len(t, found, 120)
}
