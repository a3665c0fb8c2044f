// Package ordertest has the suite that a store of orders passes on every cloud, and the orders that
// tests of decisions and routes begin with.
package ordertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// Store is a store of orders, with all that the domain needs of it.
type Store interface {
	Create(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) (order.Order, error)
	Load(ctx context.Context, shop saga.Shop, id string) (order.Order, error)
	Save(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) error
	Overdue(ctx context.Context, now time.Time, each func(order.Late) error) error
}

// Noon is when the suite's orders are placed.
var Noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// New returns a newly placed order that is due in two minutes.
func New(shop saga.Shop) order.Order {
	return order.Order{
		ID: "ord_" + rand.Text(), Shop: shop, Owner: "anna", Email: "anna@example.com",
		PaymentMethod: "pm_card_visa", Fingerprint: "fingerprint",
		Lines: []saga.Line{
			{SKU: "MUG-1", Quantity: 2, Price: 1250}, {SKU: "RUG-1", Quantity: 1, Price: money.Max - 2500},
		},
		Total: money.Money{Amount: money.Max, Currency: "EUR"}, PlacedAt: Noon.Add(time.Millisecond),
		ExpiresAt: Noon.Add(15 * time.Minute),
		Awaits:    []order.Awaited{order.AwaitsOutcome}, Due: Noon.Add(2 * time.Minute),
	}
}

var (
	first  = saga.Cause{ID: "event-1", Actor: "test"}
	second = saga.Cause{ID: "event-2", Actor: "test"}
)

// Exercise tests what a store of orders promises. Each call of open returns an empty store.
func Exercise(t *testing.T, open func(t *testing.T) Store) {
	t.Run("an order is read as it was stored", func(t *testing.T) {
		t.Parallel()
		store, o := open(t), New("main")
		_, err := store.Create(t.Context(), o, first, saga.OrderPlaced)
		require.NoError(t, err)
		loaded := load(t, store, o)
		assert.Equal(t, o, bare(loaded))
		assert.Equal(t, 1, loaded.History.Version)

		for _, change := range []func(*order.Order){
			func(o *order.Order) { o.Retries, o.Due = 3, Noon.Add(time.Hour+7*time.Millisecond) },
			func(o *order.Order) { o.Attention, o.Due = order.NoAnswer, Noon },
			func(o *order.Order) {
				o.Resolution = order.Resolution{
					ID: "res_1", Action: order.Retry, Reason: "the provider is back", By: "carl", At: Noon,
					Fingerprint: "f",
				}
				o.Outcome, o.Reason, o.Attention = order.Rejected, "card-declined", ""
				o.Awaits = []order.Awaited{order.AwaitsMoney, order.AwaitsStock}
			},
			func(o *order.Order) {
				o.Outcome, o.Reason, o.Paid, o.Awaits = order.Confirmed, "", true, []order.Awaited{order.AwaitsRefund}
				o.Refunds = []saga.Refund{
					{ID: "rfn_1", Amount: money.Max, Try: 2, Status: saga.RefundStatusPending},
					{ID: "rfn_2", Amount: 1, Try: 1, Status: saga.RefundStatusSucceeded},
				}
				o.RefundNotes = []order.RefundNote{
					{ID: "rfn_1", Reason: "broken", By: "carl", At: Noon, Fingerprint: "f"},
					{ID: "rfn_2", Reason: "late", By: "dora", At: Noon, Fingerprint: "g"},
				}
			},
			func(o *order.Order) {
				o.External, o.ExternalVersion = saga.External{Refunded: 400, Disputed: 30, Uncaptured: 2}, 9
				o.Refunds[0].Status = saga.RefundStatusRefused
			},
			func(o *order.Order) { o.External, o.ExternalVersion = saga.External{}, 11 },
			func(o *order.Order) {
				o.Awaits, o.Due, o.Retries, o.ReturnVersion, o.FailedReturns = nil, time.Time{}, 0, 7, 2
			},
			func(o *order.Order) { o.Owner, o.Email, o.PaymentMethod = order.Erased, "", "" },
		} {
			change(&loaded)
			require.NoError(t, store.Save(t.Context(), loaded, second, saga.OrderRejected))
			again := load(t, store, o)
			assert.Equal(t, bare(loaded), bare(again))
			assert.Equal(t, loaded.History.Version+1, again.History.Version)
			loaded = again
		}
	})

	t.Run("creating an order that exists returns the existing one", func(t *testing.T) {
		t.Parallel()
		store, o := open(t), New("main")
		_, err := store.Create(t.Context(), o, first, saga.OrderPlaced)
		require.NoError(t, err)
		other := o
		other.Fingerprint, other.Total = "another", money.Money{Amount: 1, Currency: "EUR"}
		for _, cause := range []saga.Cause{first, second} {
			existing, err := store.Create(t.Context(), other, cause, saga.OrderPlaced)
			require.ErrorIs(t, err, fault.Duplicate)
			assert.Equal(t, o, bare(existing))
		}
		assert.Equal(t, 1, load(t, store, o).History.Version)
	})

	t.Run("of many that create one order at the same time, one creates it and all get it", func(t *testing.T) {
		t.Parallel()
		store, o := open(t), New("main")
		created, duplicates := 0, 0
		atOnce(20, func(i int) {
			mine := o
			mine.Fingerprint = fmt.Sprint(i)
			_, err := store.Create(context.Background(), mine, saga.Cause{ID: fmt.Sprint(i)}, saga.OrderPlaced)
			count(&created, err == nil)
			count(&duplicates, errors.Is(err, fault.Duplicate))
		})
		assert.Equal(t, []int{1, 19}, []int{created, duplicates})
	})

	t.Run("an order that has changed since it was loaded cannot be saved", func(t *testing.T) {
		t.Parallel()
		store, o := open(t), New("main")
		_, err := store.Create(t.Context(), o, first, saga.OrderPlaced)
		require.NoError(t, err)
		stale := load(t, store, o)
		confirmed, facts := order.Confirm(stale, Noon, time.Minute)
		require.NoError(t, store.Save(t.Context(), confirmed, second, facts...))
		rejected, facts := order.Reject(stale, order.OutOfStock, Noon, time.Minute)
		require.ErrorIs(t, store.Save(t.Context(), rejected, saga.Cause{ID: "event-3"}, facts...), fault.Conflict)
		err = store.Save(t.Context(), rejected, second, facts...)
		require.ErrorIs(t, err, fault.Conflict, "not even for the cause that changed it")
		assert.Equal(t, order.Confirmed, load(t, store, o).Outcome)
	})

	t.Run("of many that save one version at the same time, one succeeds", func(t *testing.T) {
		t.Parallel()
		store, o := open(t), New("main")
		_, err := store.Create(t.Context(), o, first, saga.OrderPlaced)
		require.NoError(t, err)
		loaded := load(t, store, o)
		saved, lost := 0, 0
		atOnce(20, func(i int) {
			mine := loaded
			mine.Reason = fmt.Sprint(i)
			err := store.Save(context.Background(), mine, saga.Cause{ID: fmt.Sprint(i)}, saga.OrderConfirmed)
			count(&saved, err == nil)
			count(&lost, errors.Is(err, fault.Conflict))
		})
		assert.Equal(t, []int{1, 19}, []int{saved, lost})
	})

	t.Run("a shop does not see another's orders", func(t *testing.T) {
		t.Parallel()
		store, o := open(t), New("main")
		_, err := store.Create(t.Context(), o, first, saga.OrderPlaced)
		require.NoError(t, err)
		_, err = store.Load(t.Context(), "other", o.ID)
		require.ErrorIs(t, err, fault.NotFound)
		theirs := o
		theirs.Shop = "other"
		_, err = store.Create(t.Context(), theirs, first, saga.OrderPlaced)
		require.NoError(t, err, "two shops may have orders with the same id")
	})

	t.Run("exactly the orders of every shop that were due are overdue", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		now := Noon.Add(2 * time.Minute)
		var want []order.Late
		for i := range 40 { // more than there are shards
			o := New([]saga.Shop{"main", "other"}[i%2])
			o.Due = now.Add(time.Duration(i-20) * time.Second)
			_, err := store.Create(t.Context(), o, first, saga.OrderPlaced)
			require.NoError(t, err)
			if i < 20 {
				want = append(want, order.Late{Shop: o.Shop, ID: o.ID, Due: o.Due})
			}
		}
		assert.ElementsMatch(t, want, late(t, store, now))

		first, last := want[0], want[19]
		moved := find(t, store, first)
		moved.Due = now
		require.NoError(t, store.Save(t.Context(), moved, second, saga.ReserveDue))
		confirmed, facts := order.Confirm(find(t, store, last), now, time.Minute)
		require.NoError(t, store.Save(t.Context(), confirmed, second, facts...))
		assert.ElementsMatch(t, want[1:19], late(t, store, now),
			"an order that asked again, or awaits something else by now, is not overdue")

		needsAttention := find(t, store, want[1])
		needsAttention.Attention = order.NoAnswer
		require.NoError(t, store.Save(t.Context(), needsAttention, second, saga.OrderNeedsAttention))
		assert.ElementsMatch(t, want[2:19], late(t, store, now), "an order that needs attention is not overdue")

		paid, facts := order.Captured(find(t, store, last))
		require.NoError(t, store.Save(t.Context(), paid, second, facts...))
		assert.ElementsMatch(t, want[2:19], late(t, store, now.Add(time.Nanosecond)), "a settled order is not overdue")
	})

	t.Run("the search for overdue orders stops at the first error", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		for range 3 {
			_, err := store.Create(t.Context(), New("main"), first, saga.OrderPlaced)
			require.NoError(t, err)
		}
		enough, seen := errors.New("enough"), 0
		err := store.Overdue(t.Context(), Noon.Add(time.Hour), func(order.Late) error { seen++; return enough })
		assert.ErrorIs(t, err, enough)
		assert.Equal(t, 1, seen)
	})
}

func load(t *testing.T, store Store, o order.Order) order.Order {
	t.Helper()
	loaded, err := store.Load(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	return loaded
}

func find(t *testing.T, store Store, l order.Late) order.Order {
	t.Helper()
	return load(t, store, order.Order{Shop: l.Shop, ID: l.ID})
}

func late(t *testing.T, store Store, now time.Time) []order.Late {
	t.Helper()
	var found []order.Late
	require.NoError(t, store.Overdue(t.Context(), now, func(l order.Late) error {
		found = append(found, l)
		return nil
	}))
	return slices.Clip(found)
}

// bare returns an order without its history.
func bare(o order.Order) order.Order {
	o.History = saga.History{}
	return o
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
