// Package stocktest has the suite that a store of holds and levels passes, on whatever DynamoDB it runs.
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

// Store is a store of holds and levels, and a way to look into it.
type Store struct {
	Store  stock.Store
	Adjust func(context.Context, stock.Adjustment) (stock.Adjustment, error)
	Load   func(ctx context.Context, shop saga.Shop, sku string) (stock.Level, error)
	// Level returns how many units of a SKU are where, past the store.
	Level func(t *testing.T, shop saga.Shop, sku string) stock.Level
}

// Wanted returns what a new order wants: pairs of SKU and quantity.
func Wanted(lines ...any) saga.OrderContents {
	w := saga.OrderContents{Order: "ord_" + rand.Text(), Shop: "main", Total: 1250, Currency: "EUR", PaymentMethod: "pm_card_visa"}
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

// Exercise holds a store to what it promises. Each call of open returns an empty one.
func Exercise(t *testing.T, open func(t *testing.T) Store) {
	t.Run("all lines of an order are set aside", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 1, "LAMP", 5)
		hold, reserved := stock.Reserve(Wanted("MUG", 3, "RUG", 1))
		require.NoError(t, s.Store.Create(t.Context(), hold, first, reserved))

		s.levels(t, "MUG", 7, 3, "RUG", 0, 1, "LAMP", 5, 0)
		loaded, err := s.Store.Load(t.Context(), hold.Shop, hold.Order)
		require.NoError(t, err)
		assert.Equal(t, 1, loaded.History.Version)
		assert.True(t, loaded.History.Handled(first))
		assert.Equal(t, hold, bare(loaded), "a hold is read as it was stored")
	})

	t.Run("an order of fifty products is set aside", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		var lines []any
		for i := range 50 {
			s.stock(t, fmt.Sprintf("SKU-%d", i), 2)
			lines = append(lines, fmt.Sprintf("SKU-%d", i), 2)
		}
		hold, reserved := stock.Reserve(Wanted(lines...))
		require.NoError(t, s.Store.Create(t.Context(), hold, first, reserved))
		s.levels(t, "SKU-0", 0, 2, "SKU-49", 0, 2)
	})

	t.Run("short of two of three lines, nothing is set aside, and both are named", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 10, "RUG", 1)
		hold, reserved := stock.Reserve(Wanted("MUG", 3, "RUG", 2, "UNICORN", 1))
		err := s.Store.Create(t.Context(), hold, first, reserved)
		var short *stock.ErrShort
		require.ErrorAs(t, err, &short)
		assert.Equal(t, []string{"RUG", "UNICORN"}, short.SKUs, "a product that was never counted is short")
		s.levels(t, "MUG", 10, 0, "RUG", 1, 0)
		_, err = s.Store.Load(t.Context(), hold.Shop, hold.Order)
		require.ErrorIs(t, err, fault.NotFound)

		none, refused := stock.Refuse(hold, short.SKUs)
		require.NoError(t, s.Store.Create(t.Context(), none, first, refused))
		loaded, err := s.Store.Load(t.Context(), hold.Shop, hold.Order)
		require.NoError(t, err)
		assert.Equal(t, none, bare(loaded), "that there was nothing is kept too")
	})

	t.Run("an order has one hold, whatever the levels say", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		hold, reserved := stock.Reserve(Wanted("MUG", 3))
		require.NoError(t, s.Store.Create(t.Context(), hold, first, reserved))
		for _, cause := range []saga.Cause{first, second} {
			require.ErrorIs(t, s.Store.Create(t.Context(), hold, cause, reserved), fault.Duplicate, "there are too few left")
		}
		s.stock(t, "MUG", 10)
		require.ErrorIs(t, s.Store.Create(t.Context(), hold, second, reserved), fault.Duplicate, "there is enough again")
		none, refused := stock.Refuse(hold, []string{"MUG"})
		require.ErrorIs(t, s.Store.Create(t.Context(), none, second, refused), fault.Duplicate, "and nothing is no other hold")
		s.levels(t, "MUG", 12, 3)
	})

	t.Run("a hold that moved on cannot be saved", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		hold, reserved := stock.Reserve(Wanted("MUG", 3))
		require.NoError(t, s.Store.Create(t.Context(), hold, first, reserved))
		loaded, err := s.Store.Load(t.Context(), hold.Shop, hold.Order)
		require.NoError(t, err)
		require.NoError(t, s.Store.Save(t.Context(), loaded, loaded.Observed, second, stock.Reply(loaded)))
		require.ErrorIs(t, s.Store.Save(t.Context(), loaded, loaded.Observed, third, stock.Reply(loaded)), fault.Conflict)
		again, err := s.Store.Load(t.Context(), hold.Shop, hold.Order)
		require.NoError(t, err)
		assert.Equal(t, 2, again.History.Version)
		s.levels(t, "MUG", 2, 3)
	})

	t.Run("a shop does not sell from another's shelf", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		w := Wanted("MUG", 3)
		w.Shop = "other"
		hold, reserved := stock.Reserve(w)
		require.ErrorAs(t, s.Store.Create(t.Context(), hold, first, reserved), new(*stock.ErrShort))
		s.levels(t, "MUG", 5, 0)
	})

	t.Run("of fifty who buy at once, exactly twenty get one of twenty", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 20)
		served, refused := s.rush(t, 50, func(int) saga.OrderContents { return Wanted("MUG", 1) })
		assert.Equal(t, []int{20, 30}, []int{served, refused})
		s.levels(t, "MUG", 0, 20)
	})

	t.Run("who buy the same things in any order do not keep each other out", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 12, "RUG", 12, "LAMP", 12)
		baskets := [][]any{{"MUG", 1, "RUG", 1, "LAMP", 1}, {"LAMP", 1, "RUG", 1, "MUG", 1}, {"RUG", 1, "LAMP", 1, "MUG", 1}}
		served, refused := s.rush(t, 15, func(i int) saga.OrderContents { return Wanted(baskets[i%3]...) })
		assert.Equal(t, []int{12, 3}, []int{served, refused})
		s.levels(t, "MUG", 0, 12, "RUG", 0, 12, "LAMP", 0, 12)
	})

	t.Run("one order that is delivered many times at once is set aside once", func(t *testing.T) {
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
		"a delivery to a product that was never counted":        {nil, stock.Adjustment{Delta: 10}, nil, 10},
		"a delivery adds to what is there":                      {[]any{"MUG", 5}, stock.Adjustment{Delta: 10}, nil, 15},
		"a loss takes from what is there":                       {[]any{"MUG", 5}, stock.Adjustment{Delta: -5}, nil, 0},
		"nobody loses more than there is":                       {[]any{"MUG", 5}, stock.Adjustment{Delta: -6}, stock.ErrInsufficient, 5},
		"nobody loses what was never counted":                   {nil, stock.Adjustment{Delta: -1}, stock.ErrInsufficient, 0},
		"a delta of nothing changes nothing":                    {[]any{"MUG", 5}, stock.Adjustment{Delta: 0}, nil, 5},
		"a count replaces the level it was counted against":     {[]any{"MUG", 5}, stock.Adjustment{Delta: -2, IfEquals: level(5)}, nil, 3},
		"a count does not replace another level":                {[]any{"MUG", 5}, stock.Adjustment{Delta: 2, IfEquals: level(6)}, stock.ErrLevelChanged, 5},
		"a first count replaces nothing":                        {nil, stock.Adjustment{Delta: 7, IfEquals: level(0)}, nil, 7},
		"a count against nothing does not replace a level":      {[]any{"MUG", 5}, stock.Adjustment{Delta: 7, IfEquals: level(0)}, stock.ErrLevelChanged, 5},
		"a count against a level that was never counted":        {nil, stock.Adjustment{Delta: 7, IfEquals: level(5)}, stock.ErrLevelChanged, 0},
		"a count against zero replaces a level that fell to it": {[]any{"MUG", 0}, stock.Adjustment{Delta: 4, IfEquals: level(0)}, nil, 4},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.stock(t, c.given...)
			wanted := adjustment(c.make)
			made, err := s.Adjust(t.Context(), wanted)
			require.ErrorIs(t, err, c.err)
			if err == nil {
				assert.Equal(t, wanted, made)
			}
			s.levels(t, "MUG", int(c.level), 0)

			again, err := s.Adjust(t.Context(), wanted)
			if c.err != nil {
				require.ErrorIs(t, err, c.err, "what was refused is decided anew: nothing was kept")
			} else {
				require.ErrorIs(t, err, fault.Duplicate)
				assert.Equal(t, wanted, again)
			}
			s.levels(t, "MUG", int(c.level), 0)
		})
	}

	t.Run("an adjustment is made once, however much happened since", func(t *testing.T) {
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

	t.Run("of many who make one adjustment at once, one does", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		a := adjustment(stock.Adjustment{Delta: 10})
		atOnce(10, func(int) {
			untilFree(func() error { _, err := s.Adjust(context.Background(), a); return err })
		})
		s.levels(t, "MUG", 10, 0)
	})

	t.Run("while people buy and deliver at once, nothing is lost and nothing is made up", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.stock(t, "MUG", 5)
		served := 0
		atOnce(20, func(i int) {
			if i%4 == 0 {
				untilFree(func() error {
					_, err := s.Adjust(context.Background(), adjustment(stock.Adjustment{ID: fmt.Sprintf("adj_%d", i), Delta: 2}))
					return err
				})
				return
			}
			hold, reserved := stock.Reserve(Wanted("MUG", 1))
			err := untilFree(func() error { return s.Store.Create(context.Background(), hold, first, reserved) })
			count(&served, err == nil)
		})
		assert.GreaterOrEqual(t, served, 5)
		s.levels(t, "MUG", 15-served, served)
	})
}

func level(n int64) *int64 { return &n }

// adjustment returns an adjustment of mugs with all that it needs.
func adjustment(a stock.Adjustment) stock.Adjustment {
	if a.ID == "" {
		a.ID = "adj_" + rand.Text()
	}
	a.Shop, a.SKU, a.Reason, a.Actor, a.Fingerprint = "main", "MUG", "delivery", "anna", "fingerprint"
	a.At = time.Date(2026, time.March, 1, 12, 0, 0, 7_000_000, time.UTC)
	return a
}

// rush has n buyers come at once, each trying again while others are in the way, as a queue would.
func (s Store) rush(t *testing.T, n int, basket func(i int) saga.OrderContents) (served, refused int) {
	t.Helper()
	atOnce(n, func(i int) {
		hold, reserved := stock.Reserve(basket(i))
		err := untilFree(func() error {
			return s.Store.Create(context.Background(), hold, saga.Cause{ID: fmt.Sprint(i)}, reserved)
		})
		count(&served, err == nil)
		count(&refused, errors.As(err, new(*stock.ErrShort)))
	})
	return served, refused
}

// untilFree does it again until others are out of the way.
func untilFree(do func() error) error {
	for {
		if err := do(); !errors.Is(err, fault.Conflict) || errors.Is(err, stock.ErrInsufficient) || errors.Is(err, stock.ErrLevelChanged) {
			return err
		}
	}
}

// stock delivers: pairs of SKU and quantity.
func (s Store) stock(t *testing.T, delivery ...any) {
	t.Helper()
	for i := 0; i < len(delivery); i += 2 {
		a := adjustment(stock.Adjustment{Delta: int64(delivery[i+1].(int))})
		a.SKU = delivery[i].(string)
		_, err := s.Adjust(t.Context(), a)
		require.NoError(t, err)
	}
}

// levels checks: triples of SKU, sellable and promised units.
func (s Store) levels(t *testing.T, want ...any) {
	t.Helper()
	for i := 0; i < len(want); i += 3 {
		sku := want[i].(string)
		l := s.Level(t, "main", sku)
		assert.Equal(t, []int64{int64(want[i+1].(int)), int64(want[i+2].(int))}, []int64{l.Sellable, l.Promised}, "sellable and promised of %s", sku)
	}
}

// bare returns a hold without its diary.
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
