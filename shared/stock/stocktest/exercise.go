// Package stocktest has the suite that a store of reservations and levels passes on every cloud.
package stocktest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

// Store is a store of reservations and levels, and a way to look into it.
type Store struct {
	Store  stock.Store
	Adjust func(context.Context, stock.Adjustment) (stock.Adjustment, error)
	Load   func(ctx context.Context, shop saga.Shop, sku string) (stock.Level, error)
	// Level reads a level directly from the table, without the store.
	Level func(t *testing.T, shop saga.Shop, sku string) stock.Level
}

// Wanted returns the contents of a new order, from pairs of SKU and quantity.
func Wanted(lines ...any) saga.OrderContents {
	w := saga.OrderContents{
		Order: "ord_" + rand.Text(), Shop: "main", Total: 1250, Currency: "EUR", PaymentMethod: "pm_card_visa",
	}
	for i := 0; i < len(lines); i += 2 {
		w.Lines = append(w.Lines, saga.Line{SKU: lines[i].(string), Quantity: int64(lines[i+1].(int)), Price: 1})
	}
	return w
}

var (
	first  = saga.Cause{ID: "event-1", Actor: "test"}
	second = saga.Cause{ID: "event-2", Actor: "test"}
	third  = saga.Cause{ID: "event-3", Actor: "test"}
)

// Exercise tests what a store of reservations and levels promises. Each call of open returns an
// empty store.
func Exercise(t *testing.T, open func(t *testing.T) Store) {
	t.Run("all lines of an order are reserved", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 1, "LAMP", 5)
		r, fact := stock.Reserve(Wanted("MUG", 3, "RUG", 1))
		require.NoError(t, s.Store.Create(t.Context(), r, first, fact))

		s.levels(t, "MUG", 7, 3, "RUG", 0, 1, "LAMP", 5, 0)
		loaded, err := s.Store.Load(t.Context(), r.Shop, r.Order)
		require.NoError(t, err)
		assert.Equal(t, 1, loaded.History.Version)
		assert.True(t, loaded.History.Handled(first))
		assert.Equal(t, r, bare(loaded), "a reservation is read as it was stored")
	})

	t.Run("an order of fifty products is reserved", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		var lines []any
		for i := range 50 {
			s.stock(t, fmt.Sprintf("SKU-%d", i), 2)
			lines = append(lines, fmt.Sprintf("SKU-%d", i), 2)
		}
		r, fact := stock.Reserve(Wanted(lines...))
		require.NoError(t, s.Store.Create(t.Context(), r, first, fact))
		s.levels(t, "SKU-0", 0, 2, "SKU-49", 0, 2)
	})

	t.Run("if two of three lines are short, nothing is reserved and both are named", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 1)
		r, fact := stock.Reserve(Wanted("MUG", 3, "RUG", 2, "UNICORN", 1))
		err := s.Store.Create(t.Context(), r, first, fact)
		var short *stock.ErrShort
		require.ErrorAs(t, err, &short)
		assert.Equal(t, []string{"RUG", "UNICORN"}, short.SKUs, "a product that was never counted is short")
		s.levels(t, "MUG", 10, 0, "RUG", 1, 0)
		_, err = s.Store.Load(t.Context(), r.Shop, r.Order)
		require.ErrorIs(t, err, fault.NotFound)

		refused, fact := stock.Refuse(r, short.SKUs)
		require.NoError(t, s.Store.Create(t.Context(), refused, first, fact))
		loaded, err := s.Store.Load(t.Context(), r.Shop, r.Order)
		require.NoError(t, err)
		assert.Equal(t, refused, bare(loaded), "the refusal is stored too")
	})

	t.Run("an order has one reservation, whatever the levels are", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		r, fact := stock.Reserve(Wanted("MUG", 3))
		require.NoError(t, s.Store.Create(t.Context(), r, first, fact))
		for _, cause := range []saga.Cause{first, second} {
			require.ErrorIs(t, s.Store.Create(t.Context(), r, cause, fact), fault.Duplicate, "also if too few are left")
		}
		s.stock(t, "MUG", 10)
		require.ErrorIs(
			t, s.Store.Create(t.Context(), r, second, fact), fault.Duplicate, "also if there is enough again",
		)
		refused, fact := stock.Refuse(r, []string{"MUG"})
		require.ErrorIs(
			t, s.Store.Create(t.Context(), refused, second, fact), fault.Duplicate,
			"a refusal does not replace a reservation",
		)
		s.levels(t, "MUG", 12, 3)
	})

	t.Run("a reservation that has changed since it was loaded cannot be saved", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		r, fact := stock.Reserve(Wanted("MUG", 3))
		require.NoError(t, s.Store.Create(t.Context(), r, first, fact))
		loaded, err := s.Store.Load(t.Context(), r.Shop, r.Order)
		require.NoError(t, err)
		require.NoError(t, s.Store.Save(t.Context(), loaded, loaded.Observed, second, stock.Reply(loaded)))
		require.ErrorIs(
			t, s.Store.Save(t.Context(), loaded, loaded.Observed, third, stock.Reply(loaded)), fault.Conflict,
		)
		again, err := s.Store.Load(t.Context(), r.Shop, r.Order)
		require.NoError(t, err)
		assert.Equal(t, 2, again.History.Version)
		s.levels(t, "MUG", 2, 3)
	})

	t.Run("a shop does not sell the stock of another", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		w := Wanted("MUG", 3)
		w.Shop = "other"
		r, fact := stock.Reserve(w)
		require.ErrorAs(t, s.Store.Create(t.Context(), r, first, fact), new(*stock.ErrShort))
		s.levels(t, "MUG", 5, 0)
	})

	t.Run("of fifty buyers at the same time, exactly twenty get one of twenty", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 20)
		served, refused := s.rush(t, 50, func(int) saga.OrderContents { return Wanted("MUG", 1) })
		assert.Equal(t, []int{20, 30}, []int{served, refused})
		s.levels(t, "MUG", 0, 20)
	})

	t.Run("orders of the same products in any sequence do not block each other", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 12, "RUG", 12, "LAMP", 12)
		baskets := [][]any{
			{"MUG", 1, "RUG", 1, "LAMP", 1}, {"LAMP", 1, "RUG", 1, "MUG", 1}, {"RUG", 1, "LAMP", 1, "MUG", 1},
		}
		served, refused := s.rush(t, 15, func(i int) saga.OrderContents { return Wanted(baskets[i%3]...) })
		assert.Equal(t, []int{12, 3}, []int{served, refused})
		s.levels(t, "MUG", 0, 12, "RUG", 0, 12, "LAMP", 0, 12)
	})

	t.Run("one order that is delivered many times at the same time is reserved once", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 20)
		w := Wanted("MUG", 2)
		s.rush(t, 10, func(int) saga.OrderContents { return w })
		s.levels(t, "MUG", 18, 2)
	})

	exerciseEnds(t, open)
	exerciseAdjustments(t, open)
}

func exerciseAdjustments(t *testing.T, open func(t *testing.T) Store) {
	for sentence, c := range map[string]struct {
		given []any
		make  stock.Adjustment
		err   error
		level int64
	}{
		"a first delivery sets the level": {
			nil, stock.Adjustment{Delta: 10}, nil, 10,
		},
		"a delivery adds to the level": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: 10}, nil, 15,
		},
		"a loss is taken from the level": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: -5}, nil, 0,
		},
		"a loss above the level is refused": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: -6}, stock.ErrInsufficient, 5,
		},
		"a loss of a SKU that was never counted is refused": {
			nil, stock.Adjustment{Delta: -1}, stock.ErrInsufficient, 0,
		},
		"a delivery up to the highest level is taken": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: stock.MaxSellable - 5}, nil, stock.MaxSellable,
		},
		"a delivery above the highest level is refused": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: stock.MaxSellable - 4}, stock.ErrLevelTooHigh, 5,
		},
		"the highest level can be counted": {
			[]any{"MUG", stock.MaxSellable}, stock.Adjustment{
				Delta: 10 - stock.MaxSellable, IfEquals: level(stock.MaxSellable),
			}, nil, 10,
		},
		"a delta of zero changes nothing": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: 0}, nil, 5,
		},
		"a count replaces the level it was counted against": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: -2, IfEquals: level(5)}, nil, 3,
		},
		"a count does not replace another level": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: 2, IfEquals: level(6)}, stock.ErrLevelChanged, 5,
		},
		"a first count against zero sets the level": {
			nil, stock.Adjustment{Delta: 7, IfEquals: level(0)}, nil, 7,
		},
		"a count against zero does not replace a level": {
			[]any{"MUG", 5}, stock.Adjustment{Delta: 7, IfEquals: level(0)}, stock.ErrLevelChanged, 5,
		},
		"a count against a level is refused for a SKU that was never counted": {
			nil, stock.Adjustment{Delta: 7, IfEquals: level(5)}, stock.ErrLevelChanged, 0,
		},
		"a count against zero replaces a level that fell to it": {
			[]any{"MUG", 0}, stock.Adjustment{Delta: 4, IfEquals: level(0)}, nil, 4,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.stock(t, c.given...)
			a := adjustment(c.make)
			made, err := s.Adjust(t.Context(), a)
			require.ErrorIs(t, err, c.err)
			if err == nil {
				assert.Equal(t, a, made)
			}
			s.levels(t, "MUG", int(c.level), 0)

			again, err := s.Adjust(t.Context(), a)
			if c.err != nil {
				require.ErrorIs(t, err, c.err, "a refused adjustment is decided again: it was not stored")
			} else {
				require.ErrorIs(t, err, fault.Duplicate)
				assert.Equal(t, a, again)
			}
			s.levels(t, "MUG", int(c.level), 0)
		})
	}

	t.Run("an adjustment is made once, whatever happened since", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		kept := adjustment(stock.Adjustment{Delta: 10})
		_, err := s.Adjust(t.Context(), kept)
		require.NoError(t, err)
		s.stock(t, "MUG", 30)
		other := kept
		other.Delta, other.Fingerprint = 99, "another request"
		made, err := s.Adjust(t.Context(), other)
		require.ErrorIs(t, err, fault.Duplicate)
		assert.Equal(t, kept, made, "the one that was made")
		s.levels(t, "MUG", 40, 0)
	})

	t.Run("of many that make one adjustment at the same time, one succeeds", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		a := adjustment(stock.Adjustment{Delta: 10})
		atOnce(10, func(int) {
			untilFree(func() error { _, err := s.Adjust(context.Background(), a); return err })
		})
		s.levels(t, "MUG", 10, 0)
	})

	t.Run("with orders and deliveries at the same time no unit is lost or added", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		served := 0
		atOnce(20, func(i int) {
			if i%4 == 0 {
				untilFree(func() error {
					_, err := s.Adjust(
						context.Background(), adjustment(stock.Adjustment{ID: fmt.Sprintf("adj_%d", i), Delta: 2}),
					)
					return err
				})
				return
			}
			r, fact := stock.Reserve(Wanted("MUG", 1))
			err := untilFree(func() error { return s.Store.Create(context.Background(), r, first, fact) })
			count(&served, err == nil)
		})
		assert.GreaterOrEqual(t, served, 5)
		s.levels(t, "MUG", 15-served, served)
	})
}

func level(n int64) *int64 { return &n }

// adjustment returns an adjustment of mugs with all required fields.
func adjustment(a stock.Adjustment) stock.Adjustment {
	if a.ID == "" {
		a.ID = "adj_" + rand.Text()
	}
	a.Shop, a.SKU, a.Reason, a.Actor, a.Fingerprint = "main", "MUG", "delivery", "anna", "fingerprint"
	a.At = time.Date(2026, time.March, 1, 12, 0, 0, 7_000_000, time.UTC)
	return a
}

// rush reserves for n buyers at the same time. A conflict is tried again, as by a queue.
func (s Store) rush(t *testing.T, n int, basket func(i int) saga.OrderContents) (served, refused int) {
	t.Helper()
	atOnce(n, func(i int) {
		r, fact := stock.Reserve(basket(i))
		err := untilFree(func() error {
			return s.Store.Create(context.Background(), r, saga.Cause{ID: fmt.Sprint(i)}, fact)
		})
		count(&served, err == nil)
		count(&refused, errors.As(err, new(*stock.ErrShort)))
	})
	return served, refused
}

// untilFree calls do again until it does not return a conflict with another writer.
func untilFree(do func() error) error {
	for {
		if err := do(); !errors.Is(err, fault.Conflict) || errors.Is(err, stock.ErrInsufficient) ||
			errors.Is(err, stock.ErrLevelChanged) || errors.Is(err, stock.ErrLevelTooHigh) {
			return err
		}
	}
}

// stock makes adjustments, from pairs of SKU and quantity.
func (s Store) stock(t *testing.T, delivery ...any) {
	t.Helper()
	for i := 0; i < len(delivery); i += 2 {
		a := adjustment(stock.Adjustment{Delta: int64(delivery[i+1].(int))})
		a.SKU = delivery[i].(string)
		_, err := s.Adjust(t.Context(), a)
		require.NoError(t, err)
	}
}

// levels compares levels with triples of SKU, sellable and promised units.
func (s Store) levels(t *testing.T, want ...any) {
	t.Helper()
	for i := 0; i < len(want); i += 3 {
		sku := want[i].(string)
		l := s.Level(t, "main", sku)
		assert.Equal(
			t, []int64{int64(want[i+1].(int)), int64(want[i+2].(int))}, []int64{l.Sellable, l.Promised},
			"sellable and promised of %s", sku,
		)
	}
}

// bare returns a reservation without its history.
func bare(r stock.Reservation) stock.Reservation {
	r.History = saga.History{}
	return r
}

// atOnce calls do n times at the same time and waits.
func atOnce(n int, do func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

var counting sync.Mutex

func count(n *int, yes bool) {
	counting.Lock()
	defer counting.Unlock()
	if yes {
		*n++
	}
}
