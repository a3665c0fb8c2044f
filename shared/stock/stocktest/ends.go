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

// exerciseEnds holds a store to how holds end: sold or released.
func exerciseEnds(t *testing.T, open func(t *testing.T) Store) {
	t.Run("what is held is sold, and what is sold comes back", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 1)
		held := s.hold(t, Wanted("MUG", 3, "RUG", 1))

		sold, news, err := stock.Sell(held)
		require.NoError(t, err)
		require.NoError(t, s.Store.Save(t.Context(), sold, held.Observed, second, news))
		s.levels(t, "MUG", 7, 3, "RUG", 0, 1)
		loaded, err := s.Store.Load(t.Context(), held.Shop, held.Order)
		require.NoError(t, err)
		assert.Equal(t, bare(sold), bare(loaded), "a hold is read as it was stored")

		released, news := stock.Release(loaded)
		require.NoError(t, s.Store.Save(t.Context(), released, loaded.Observed, third, news))
		s.levels(t, "MUG", 10, 0, "RUG", 1, 0)
		loaded, err = s.Store.Load(t.Context(), held.Shop, held.Order)
		require.NoError(t, err)
		assert.Equal(t, bare(released), bare(loaded))
		assert.Equal(t, 3, loaded.History.Version)
	})

	t.Run("a hold that was given up before it was made is kept, and no other can be made", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10)
		w := Wanted("MUG", 3)
		stone, news := stock.Release(stock.Reservation{Order: w.Order, Shop: w.Shop, Observed: stock.Nothing})
		require.NoError(t, s.Store.Save(t.Context(), stone, stock.Nothing, first, news))
		loaded, err := s.Store.Load(t.Context(), w.Shop, w.Order)
		require.NoError(t, err)
		assert.Equal(t, stone, bare(loaded))

		hold, reserved := stock.Reserve(w)
		require.ErrorIs(t, s.Store.Create(t.Context(), hold, second, reserved), fault.Duplicate)
		s.levels(t, "MUG", 10, 0)
	})

	t.Run("a hold that was made since it was not found has moved on", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10)
		held := s.hold(t, Wanted("MUG", 3))
		stone, news := stock.Release(stock.Reservation{Order: held.Order, Shop: held.Shop, Observed: stock.Nothing})
		err := s.Store.Save(t.Context(), stone, stock.Nothing, second, news)
		assert.Equal(t, fault.Conflict, fault.KindOf(err))
		s.levels(t, "MUG", 7, 3)
	})

	t.Run("a hold that moved on moves no units, whatever the levels say", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10)
		held := s.hold(t, Wanted("MUG", 3))
		released, news := stock.Release(held)
		require.NoError(t, s.Store.Save(t.Context(), released, held.Observed, second, news))

		require.ErrorIs(t, s.Store.Save(t.Context(), released, held.Observed, third, news), fault.Conflict, "nothing is promised any more")
		s.hold(t, Wanted("MUG", 5))
		require.ErrorIs(t, s.Store.Save(t.Context(), released, held.Observed, third, news), fault.Conflict, "enough is promised, to another")
		sold, news, err := stock.Sell(held)
		require.NoError(t, err)
		require.ErrorIs(t, s.Store.Save(t.Context(), sold, held.Observed, third, news), fault.Conflict, "what was given up is not sold")
		s.levels(t, "MUG", 5, 5)
	})

	t.Run("a level that does not count what a hold has is never moved, and somebody is told", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 10)
		held := s.hold(t, Wanted("RUG", 1))
		held.Lines = append(held.Lines, stock.Line{SKU: "MUG", Quantity: 3}, stock.Line{SKU: "UNICORN", Quantity: 1})
		comesBack := func(r stock.Reservation, cause saga.Cause) {
			released, gone := stock.Release(r)
			err := s.Store.Save(t.Context(), released, r.Observed, cause, gone)
			require.ErrorIs(t, err, stock.ErrInconsistent)
			assert.Equal(t, fault.Internal, fault.KindOf(err))
			assert.ErrorContains(t, err, "MUG, UNICORN")
			loaded, err := s.Store.Load(t.Context(), r.Shop, r.Order)
			require.NoError(t, err)
			assert.Equal(t, r.Observed, loaded.Observed)
		}
		comesBack(held, second)
		sold, news, err := stock.Sell(held)
		require.NoError(t, err)
		require.NoError(t, s.Store.Save(t.Context(), sold, held.Observed, second, news), "a sale asks no level")
		sold, err = s.Store.Load(t.Context(), held.Shop, held.Order)
		require.NoError(t, err)
		comesBack(sold, third)
		s.levels(t, "MUG", 10, 0, "RUG", 9, 1)
	})

	t.Run("who wants and who gives up at once leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 100, "RUG", 100)
		s.storm(t, 10, saga.OrderPlaced, saga.OrderRejected)
		s.levels(t, "MUG", 100, 0, "RUG", 100, 0)
	})

	t.Run("who sells and who gives up at once leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 100, "RUG", 100)
		s.storm(t, 10, saga.OrderPlaced)
		s.levels(t, "MUG", 90, 10)
		s.storm(t, 10, saga.OrderPlaced, saga.OrderConfirmed, saga.OrderCanceling, saga.ReleaseDue)
		s.levels(t, "MUG", 90, 10, "RUG", 80, 20)
	})

	t.Run("who sells many times at once sells once", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 100, "RUG", 100)
		for _, r := range s.storm(t, 5, saga.OrderPlaced, saga.OrderConfirmed, saga.OrderConfirmed, saga.OrderConfirmed) {
			assert.Equal(t, []any{stock.DesiredSell, stock.Sold, 1}, []any{r.Desired, r.Observed, told(r, saga.StockSold)})
		}
		s.levels(t, "MUG", 95, 5, "RUG", 90, 10)
	})

	t.Run("a level is read as it is, and only by its shop", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		_, err := s.Load(t.Context(), "main", "MUG")
		require.ErrorIs(t, err, stock.ErrUnknownStock)
		s.stock(t, "MUG", 10)
		held := s.hold(t, Wanted("MUG", 3))
		sold, news, err := stock.Sell(held)
		require.NoError(t, err)
		require.NoError(t, s.Store.Save(t.Context(), sold, held.Observed, second, news))
		s.hold(t, Wanted("MUG", 5))
		level, err := s.Load(t.Context(), "main", "MUG")
		require.NoError(t, err)
		assert.Equal(t, stock.Level{Shop: "main", SKU: "MUG", Sellable: 2, Promised: 8}, level)
		_, err = s.Load(t.Context(), "other", "MUG")
		require.ErrorIs(t, err, stock.ErrUnknownStock)
	})
}

// hold makes a hold that has its lines, and returns it as it stands.
func (s Store) hold(t *testing.T, w saga.OrderContents) stock.Reservation {
	t.Helper()
	r, reserved := stock.Reserve(w)
	require.NoError(t, s.Store.Create(t.Context(), r, first, reserved))
	r, err := s.Store.Load(t.Context(), w.Shop, w.Order)
	require.NoError(t, err)
	return r
}

// storm delivers every fact twice to each of n orders of one mug and two rugs, all at once; each comes again while it fails, as
// from a queue. (A sale of what is not there yet comes again from the dead-letter queue.) It returns the holds.
func (s Store) storm(t *testing.T, n int, facts ...saga.Fact) (holds []stock.Reservation) {
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
		holds = append(holds, r)
	}
	return holds
}

// told returns how often a hold told a fact.
func told(r stock.Reservation, fact saga.Fact) (times int) {
	for _, e := range r.History.Entries {
		if e.Fact == fact {
			times++
		}
	}
	return times
}
