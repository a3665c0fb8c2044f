package ordertest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/order"
	"backroom/shared/saga"
)

// Lister is a store of orders that lists them.
type Lister interface {
	Create(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) (order.Order, error)
	Load(ctx context.Context, shop saga.Shop, id string) (order.Order, error)
	Save(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) error
	List(
		ctx context.Context, shop saga.Shop, f order.Filter, limit int, from map[string]string,
	) ([]order.Order, map[string]string, error)
}

// ExerciseLists tests what a store promises about lists. Each call of open returns an empty store.
func ExerciseLists(t *testing.T, open func(t *testing.T) Lister) {
	place := func(t *testing.T, store Lister, shop saga.Shop, owner string, at time.Time) string {
		t.Helper()
		o := New(shop)
		o.Owner, o.PlacedAt = owner, at
		_, err := store.Create(t.Context(), o, first, saga.OrderPlaced)
		require.NoError(t, err)
		return o.ID
	}

	// Several orders share each time. They come in any order among themselves, but each must come
	// once.
	t.Run("a list has every matching order once and sorted, with pages of any size", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		midnight := Noon.Add(12 * time.Hour)
		var annas, days []string
		for i := range 25 {
			at := Noon.Add(time.Duration(i/4) * time.Millisecond)
			annas = append(annas, place(t, store, "main", "anna", at))
			days = append(days, annas[i], place(t, store, "main", "ben", at))
			place(t, store, "other", "anna", at)
		}
		place(t, store, "main", "ben", Noon.Add(-12*time.Hour-time.Millisecond))
		days = append(
			days, place(t, store, "main", "carl", Noon.Add(-12*time.Hour)),
			place(t, store, "main", "carl", midnight.Add(-time.Millisecond)),
		)
		annas = append(annas, place(t, store, "main", "anna", midnight))

		for _, limit := range []int{1, 3, 7, 50} {
			for _, c := range []struct {
				filter order.Filter
				want   []string
			}{
				{order.Filter{Customer: "anna"}, annas}, {order.Filter{Day: "2026-03-01"}, days},
				{order.Filter{Day: "2026-03-03"}, nil}, {order.Filter{Customer: "nobody"}, nil},
				{order.Filter{Attention: true}, nil},
			} {
				listed := readAll(t, store, c.filter, limit)
				assert.ElementsMatch(t, c.want, ids(listed), "%+v by %d", c.filter, limit)
				assert.True(
					t,
					slices.IsSortedFunc(listed, func(a, b order.Order) int { return b.PlacedAt.Compare(a.PlacedAt) }),
					"the newest first",
				)
			}
		}
	})

	for name, f := range map[string]order.Filter{"of a customer": {Customer: "anna"}, "of a day": {Day: "2026-03-01"}} {
		t.Run("an order that is placed while the list "+name+" is read does not appear on a later page",
			func(t *testing.T) {
				t.Parallel()
				store := open(t)
				var want []string
				for i := range 3 {
					want = append(
						[]string{place(t, store, "main", "anna", Noon.Add(time.Duration(i)*time.Second))}, want...,
					)
				}
				firstPage, next := page(t, store, f, 1, nil)
				for range 10 { // into every shard
					place(t, store, "main", "anna", Noon.Add(time.Minute))
				}
				others, next := page(t, store, f, 50, next)
				assert.Empty(t, next)
				assert.Equal(t, want, append(ids(firstPage), ids(others)...))
			})
	}

	t.Run("orders that need attention are listed, the longest waiting first, until they are resolved",
		func(t *testing.T) {
			t.Parallel()
			store := open(t)
			var want []string
			for i := range 5 {
				id := place(t, store, []saga.Shop{"main", "other"}[i/4], "anna", Noon)
				needAttention(t, store, []saga.Shop{"main", "other"}[i/4], id, Noon.Add(time.Duration(5-i)*time.Hour))
				want = append([]string{id}, want...)
			}
			want = want[1:] // the first is another shop's
			attention := order.Filter{Attention: true}
			listed, next := page(t, store, attention, 2, nil)
			assert.Equal(t, want[:2], ids(listed))
			assert.Equal(t, order.NoAnswer, listed[0].Attention)

			for _, o := range listed {
				o, facts, err := order.Resolve(o, order.Resolution{ID: "res_1", Action: order.Retry}, Noon, time.Minute)
				require.NoError(t, err)
				require.NoError(t, store.Save(t.Context(), o, second, facts...))
			}
			listed, next = page(t, store, attention, 2, next)
			assert.Equal(t, want[2:], ids(listed), "a list continues after an order that is no longer in it")
			assert.Empty(t, next)
			assert.Equal(t, want[2:], ids(readAll(t, store, attention, 50)))
		})

	t.Run("an erased order is not listed for its former customer", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		id := place(t, store, "main", "anna", Noon)
		o, err := store.Load(t.Context(), "main", id)
		require.NoError(t, err)
		o.Awaits, o.Due = nil, time.Time{}
		erased, facts, err := order.Erase(o)
		require.NoError(t, err)
		require.NoError(t, store.Save(t.Context(), erased, second, facts...))
		assert.Empty(t, readAll(t, store, order.Filter{Customer: "anna"}, 50))
		ofDay := readAll(t, store, order.Filter{Day: "2026-03-01"}, 50)
		assert.Equal(t, []string{id}, ids(ofDay), "but it is listed for its day")
	})
}

// needAttention saves an order that needs attention since a time.
func needAttention(t *testing.T, store Lister, shop saga.Shop, id string, since time.Time) {
	t.Helper()
	o, err := store.Load(t.Context(), shop, id)
	require.NoError(t, err)
	o.Outcome, o.Awaits, o.Attention, o.Due = order.Rejected, []order.Awaited{order.AwaitsMoney}, order.NoAnswer, since
	require.NoError(t, store.Save(t.Context(), o, second, saga.OrderNeedsAttention))
}

func page(
	t *testing.T, store Lister, f order.Filter, limit int, from map[string]string,
) ([]order.Order, map[string]string) {
	t.Helper()
	orders, next, err := store.List(t.Context(), "main", f, limit, from)
	require.NoError(t, err)
	require.LessOrEqual(t, len(orders), limit)
	require.LessOrEqual(t, len(fmt.Sprint(next)), 300, "a cursor is small")
	return orders, next
}

// readAll returns the whole list, read in pages of limit.
func readAll(t *testing.T, store Lister, f order.Filter, limit int) []order.Order {
	t.Helper()
	listed, next := page(t, store, f, limit, nil)
	for next != nil {
		var more []order.Order
		more, next = page(t, store, f, limit, next)
		listed = append(listed, more...)
	}
	return listed
}

func ids(orders []order.Order) []string {
	var list []string
	for _, o := range orders {
		list = append(list, o.ID)
	}
	return list
}
