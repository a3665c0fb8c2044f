package stocktest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

// exerciseEnds tests how reservations end: sold or released.
func exerciseEnds(t *testing.T, open func(t *testing.T) Store) {
	t.Run("reserved units are sold, and sold units come back", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 1)
		reserved := s.reserve(t, Wanted("MUG", 3, "RUG", 1))

		sold, fact, err := stock.Sell(reserved)
		require.NoError(t, err)
		require.NoError(t, s.Store.Save(t.Context(), sold, reserved.Observed, second, fact))
		s.levels(t, "MUG", 7, 3, "RUG", 0, 1)
		loaded, err := s.Store.Load(t.Context(), reserved.Shop, reserved.Order)
		require.NoError(t, err)
		assert.Equal(t, bare(sold), bare(loaded), "a reservation is read as it was stored")

		released, fact := stock.Release(loaded)
		require.NoError(t, s.Store.Save(t.Context(), released, loaded.Observed, third, fact))
		s.levels(t, "MUG", 10, 0, "RUG", 1, 0)
		loaded, err = s.Store.Load(t.Context(), reserved.Shop, reserved.Order)
		require.NoError(t, err)
		assert.Equal(t, bare(released), bare(loaded))
		assert.Equal(t, 3, loaded.History.Version)
	})

	t.Run("a reservation that is released before it exists is kept, and no other can be created", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10)
		w := Wanted("MUG", 3)
		tombstone, fact := stock.Release(stock.Reservation{Order: w.Order, Shop: w.Shop, Observed: stock.Nothing})
		require.NoError(t, s.Store.Save(t.Context(), tombstone, stock.Nothing, first, fact))
		loaded, err := s.Store.Load(t.Context(), w.Shop, w.Order)
		require.NoError(t, err)
		assert.Equal(t, tombstone, bare(loaded))

		r, fact := stock.Reserve(w)
		require.ErrorIs(t, s.Store.Create(t.Context(), r, second, fact), fault.Duplicate)
		s.levels(t, "MUG", 10, 0)
	})

	t.Run("saving a reservation that was created since it was not found is a conflict", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10)
		reserved := s.reserve(t, Wanted("MUG", 3))
		tombstone, fact := stock.Release(
			stock.Reservation{Order: reserved.Order, Shop: reserved.Shop, Observed: stock.Nothing},
		)
		err := s.Store.Save(t.Context(), tombstone, stock.Nothing, second, fact)
		assert.Equal(t, fault.Conflict, fault.KindOf(err))
		s.levels(t, "MUG", 7, 3)
	})

	t.Run("a reservation that has changed since it was loaded moves no units", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10)
		reserved := s.reserve(t, Wanted("MUG", 3))
		released, fact := stock.Release(reserved)
		require.NoError(t, s.Store.Save(t.Context(), released, reserved.Observed, second, fact))

		require.ErrorIs(
			t, s.Store.Save(t.Context(), released, reserved.Observed, third, fact), fault.Conflict,
			"nothing is promised",
		)
		s.reserve(t, Wanted("MUG", 5))
		require.ErrorIs(
			t, s.Store.Save(t.Context(), released, reserved.Observed, third, fact), fault.Conflict,
			"enough is promised to another order",
		)
		sold, fact, err := stock.Sell(reserved)
		require.NoError(t, err)
		require.ErrorIs(
			t, s.Store.Save(t.Context(), sold, reserved.Observed, third, fact), fault.Conflict,
			"released units are not sold",
		)
		s.levels(t, "MUG", 5, 5)
	})

	t.Run("a level that does not count the units of a reservation is not changed", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 10)
		reserved := s.reserve(t, Wanted("RUG", 1))
		reserved.Lines = append(
			reserved.Lines, stock.Line{SKU: "MUG", Quantity: 3}, stock.Line{SKU: "UNICORN", Quantity: 1},
		)
		cannotBeReleased := func(r stock.Reservation, cause saga.Cause) {
			released, fact := stock.Release(r)
			err := s.Store.Save(t.Context(), released, r.Observed, cause, fact)
			require.ErrorIs(t, err, stock.ErrInconsistent)
			assert.Equal(t, fault.Internal, fault.KindOf(err))
			assert.ErrorContains(t, err, "MUG, UNICORN")
			loaded, err := s.Store.Load(t.Context(), r.Shop, r.Order)
			require.NoError(t, err)
			assert.Equal(t, r.Observed, loaded.Observed)
		}
		cannotBeReleased(reserved, second)
		sold, fact, err := stock.Sell(reserved)
		require.NoError(t, err)
		require.NoError(
			t, s.Store.Save(t.Context(), sold, reserved.Observed, second, fact), "a sale does not use the levels",
		)
		sold, err = s.Store.Load(t.Context(), reserved.Shop, reserved.Order)
		require.NoError(t, err)
		cannotBeReleased(sold, third)
		s.levels(t, "MUG", 10, 0, "RUG", 9, 1)
	})

	t.Run("reserving and releasing at the same time leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 100, "RUG", 100)
		s.storm(t, 10, saga.OrderPlaced, saga.OrderRejected)
		s.levels(t, "MUG", 100, 0, "RUG", 100, 0)
	})

	t.Run("selling and releasing at the same time leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 100, "RUG", 100)
		s.storm(t, 10, saga.OrderPlaced)
		s.levels(t, "MUG", 90, 10)
		s.storm(t, 10, saga.OrderPlaced, saga.OrderConfirmed, saga.OrderCanceling, saga.ReleaseDue)
		s.levels(t, "MUG", 90, 10, "RUG", 80, 20)
	})

	t.Run("selling many times at the same time sells once", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 100, "RUG", 100)
		facts := []saga.Fact{saga.OrderPlaced, saga.OrderConfirmed, saga.OrderConfirmed, saga.OrderConfirmed}
		for _, r := range s.storm(t, 5, facts...) {
			assert.Equal(
				t, []any{stock.DesiredSell, stock.Sold, 1},
				[]any{r.Desired, r.Observed, recorded(r, saga.StockSold)},
			)
		}
		s.levels(t, "MUG", 95, 5, "RUG", 90, 10)
	})

	t.Run("a level is read as it is, and only by its own shop", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		_, err := s.Load(t.Context(), "main", "MUG")
		require.ErrorIs(t, err, stock.ErrUnknownStock)
		s.stock(t, "MUG", 10)
		reserved := s.reserve(t, Wanted("MUG", 3))
		sold, fact, err := stock.Sell(reserved)
		require.NoError(t, err)
		require.NoError(t, s.Store.Save(t.Context(), sold, reserved.Observed, second, fact))
		s.reserve(t, Wanted("MUG", 5))
		level, err := s.Load(t.Context(), "main", "MUG")
		require.NoError(t, err)
		assert.Equal(t, stock.Level{Shop: "main", SKU: "MUG", Sellable: 2, Promised: 8}, level)
		_, err = s.Load(t.Context(), "other", "MUG")
		require.ErrorIs(t, err, stock.ErrUnknownStock)
	})
}

// reserve creates a reservation with all lines reserved, and returns it as stored.
func (s Store) reserve(t *testing.T, w saga.OrderContents) stock.Reservation {
	t.Helper()
	r, reserved := stock.Reserve(w)
	require.NoError(t, s.Store.Create(t.Context(), r, first, reserved))
	r, err := s.Store.Load(t.Context(), w.Shop, w.Order)
	require.NoError(t, err)
	return r
}

// storm delivers every fact twice to each of n orders of one mug and two rugs, all at the same
// time. A message that fails is delivered again, as from a queue. (A sale before its reservation is
// delivered again from the dead-letter queue.) It returns the reservations.
func (s Store) storm(t *testing.T, n int, facts ...saga.Fact) (reservations []stock.Reservation) {
	t.Helper()
	orders := make([]saga.OrderContents, n)
	for i := range orders {
		orders[i] = Wanted("MUG", 1, "RUG", 2)
	}
	atOnce(n*2*len(facts), func(i int) {
		w, number := orders[i%n], i/n%len(facts)
		for {
			err := Deliver(context.Background(), s.Store, fmt.Sprintf("%s-%d", w.Order, number), facts[number], w)
			switch {
			case errors.Is(err, fault.Conflict) || errors.Is(err, fault.NotFound):
				continue
			case err != nil:
				t.Errorf("%s: %v", facts[number], err)
			}
			return
		}
	})
	for _, w := range orders {
		r, err := s.Store.Load(context.Background(), w.Shop, w.Order)
		require.NoError(t, err)
		for number, fact := range facts {
			answers := 0
			for _, e := range r.History.Entries {
				if e.Cause.ID == fmt.Sprintf("%s-%d", w.Order, number) {
					answers++
				}
			}
			assert.LessOrEqual(t, answers, 1, "%s is answered once", fact)
		}
		reservations = append(reservations, r)
	}
	return reservations
}

// recorded returns how often a reservation recorded a fact.
func recorded(r stock.Reservation, fact saga.Fact) (times int) {
	for _, e := range r.History.Entries {
		if e.Fact == fact {
			times++
		}
	}
	return times
}
