// Package catalogtest has the suite that a store of products passes, on whatever DynamoDB it runs.
package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/catalog"
	"backroom/shared/fault"
	"backroom/shared/money"
)

// Store is what the domain asks of a store of products.
type Store interface {
	Load(ctx context.Context, shop, sku string) (catalog.Product, error)
	Save(ctx context.Context, p catalog.Product) (catalog.Product, error)
}

// New returns a product that is not stored yet.
func New(shop, sku string) catalog.Product {
	return catalog.Product{
		Shop: shop, SKU: sku, Title: "Mug, blue – “große”", Price: money.Money{Amount: 1250, Currency: "EUR"},
		ChangedAt: time.Date(2026, time.March, 1, 12, 0, 0, 7_000_000, time.UTC),
	}
}

// Exercise holds a store to what it promises. Each call of open returns an empty one.
func Exercise(t *testing.T, open func(t *testing.T) Store) {
	t.Run("a product is read as it was stored", func(t *testing.T) {
		t.Parallel()
		store, p := open(t), New("main", "MUG-1")
		saved, err := store.Save(t.Context(), p)
		require.NoError(t, err)
		p.Version = 1
		assert.Equal(t, p, saved)
		assert.Equal(t, p, load(t, store, "MUG-1"))

		saved.Title, saved.Price = "Mug, green", money.Money{Amount: money.Max, Currency: "JPY"}
		again, err := store.Save(t.Context(), saved)
		require.NoError(t, err)
		saved.Version = 2
		assert.Equal(t, saved, again)
		assert.Equal(t, saved, load(t, store, "MUG-1"))
	})

	t.Run("a product that is there is not created again", func(t *testing.T) {
		t.Parallel()
		store, p := open(t), New("main", "MUG-1")
		_, err := store.Save(t.Context(), p)
		require.NoError(t, err)
		p.Title = "Another"
		_, err = store.Save(t.Context(), p)
		require.ErrorIs(t, err, fault.Conflict)
		assert.Equal(t, New("main", "MUG-1").Title, load(t, store, "MUG-1").Title)
	})

	t.Run("a product that moved on, or is not there, cannot be changed", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		gone := New("main", "MUG-1")
		gone.Version = 1
		_, err := store.Save(t.Context(), gone)
		require.ErrorIs(t, err, fault.Conflict)
		stale, err := store.Save(t.Context(), New("main", "MUG-1"))
		require.NoError(t, err)
		_, err = store.Save(t.Context(), stale)
		require.NoError(t, err)
		stale.Title = "Another"
		_, err = store.Save(t.Context(), stale)
		require.ErrorIs(t, err, fault.Conflict)
		assert.EqualValues(t, 2, load(t, store, "MUG-1").Version)
	})

	t.Run("of many who change one version at once, one does", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		saved, err := store.Save(t.Context(), New("main", "MUG-1"))
		require.NoError(t, err)
		var group sync.WaitGroup
		results := make([]error, 10)
		for i := range results {
			group.Go(func() {
				mine := saved
				mine.Title = fmt.Sprint(i)
				_, results[i] = store.Save(context.Background(), mine)
			})
		}
		group.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else {
				assert.ErrorIs(t, err, fault.Conflict)
			}
		}
		assert.Equal(t, 1, won)
		assert.EqualValues(t, 2, load(t, store, "MUG-1").Version)
	})

	t.Run("a product that is not there, or another shop's, is not found", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		_, err := store.Save(t.Context(), New("other", "MUG-1"))
		require.NoError(t, err)
		_, err = store.Load(t.Context(), "main", "MUG-1")
		require.True(t, errors.Is(err, fault.NotFound), "%v", err)
	})
}

func load(t *testing.T, store Store, sku string) catalog.Product {
	t.Helper()
	p, err := store.Load(t.Context(), "main", sku)
	require.NoError(t, err)
	return p
}
