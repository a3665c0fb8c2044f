package crash

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/localstack/e2e"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

const buyer = "ada"

// goods are the products of a case: three with enough stock, and one that runs out. units are those delivered.
type goods struct {
	skus  []string
	units map[string]int
}

func deliver(t conformance.T) goods {
	t.Helper()
	g := goods{units: map[string]int{}}
	for _, units := range []int{100_000, 100_000, 100_000, 40} {
		sku := system.Product(t, 100, units)
		g.skus, g.units[sku] = append(g.skus, sku), units
	}
	return g
}

// basket returns the n-th basket. One of ten contains the product that runs out.
func (g goods) basket(n int) client.OrderRequest {
	b := client.OrderRequest{PaymentMethod: shop.CardGood, Lines: []client.LineRequest{
		{SKU: g.skus[n%3], Quantity: int64(1 + n%4)}, {SKU: g.skus[(n+1)%3], Quantity: 1},
	}}
	if n%10 == 0 {
		b.Lines = append(b.Lines, client.LineRequest{SKU: g.skus[3], Quantity: 3})
	}
	return e2e.Mailed(buyer, b)
}

// order is a basket with the shop's receipt.
type order struct {
	basket  client.OrderRequest
	receipt client.OrderReceipt
}

// accepted are orders by id.
type accepted map[string]order

// place places n orders, several at once, and cancels none.
func (g goods) place(t conformance.T, n int) accepted {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	placed, again := g.placeUntil(t, ctx, n, 0, func(int) bool { return false })
	require.Zero(t, again, "all were accepted at once")
	return placed
}

// placeUntil places n orders, or fewer if ctx ends before, and pauses after each. It cancels the orders that
// canceledAtOnce accepts. It repeats a failed request with its key until it succeeds; again counts the repetitions.
func (g goods) placeUntil(t conformance.T, ctx context.Context, n int, pause time.Duration,
	canceledAtOnce func(n int) bool) (placed accepted, again int) {
	t.Helper()
	const customers = 8
	var (
		mu     sync.Mutex
		all    sync.WaitGroup
		places = make(chan int)
	)
	placed = accepted{}
	for range customers {
		all.Go(func() {
			for i := range places {
				o := order{basket: g.basket(i)}
				key, token := system.New("key"), system.Token(t, buyer)
				tries := persist(t, "POST /orders", func() (err error) {
					o.receipt, err = system.API.Place(t.Context(), token, key, o.basket)
					return err
				})
				if canceledAtOnce(i) {
					tries += persist(t, "POST /orders/"+o.receipt.ID+"/cancellation", func() error {
						_, err := system.API.Cancel(t.Context(), token, o.receipt.ID, "") // it may be too late
						return err
					})
				}
				mu.Lock()
				placed[o.receipt.ID] = o
				again += tries
				mu.Unlock()
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		places <- i
		time.Sleep(pause)
	}
	close(places)
	all.Wait()
	return placed, again
}

// persist sends one request until it succeeds, and returns how often it was repeated.
func persist(t conformance.T, request string, send func() error) (again int) {
	var last error
	for again = range 100 {
		if last = send(); last == nil {
			return again
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s did not succeed in %d tries: %v", request, again, last)
	return again
}

// withoutOutcome returns the orders that have no outcome.
func withoutOutcome(t conformance.T, orders accepted) accepted {
	t.Helper()
	waiting := maps.Clone(orders)
	maps.DeleteFunc(waiting, func(id string, _ order) bool { return shop.Decided(system.Order(t, buyer, id)) })
	return waiting
}

// end waits until all orders are settled. It runs wake-overdue more often than its schedule does.
func end(t conformance.T, orders accepted) {
	t.Helper()
	waiting := slices.Collect(maps.Keys(orders))
	system.Until(t, "all orders are settled", func() (any, bool) {
		system.WakeAtTimes(t)
		for len(waiting) > 0 { // stop at the first open order, to send fewer requests
			if o := system.Order(t, buyer, waiting[0]); !o.Settled {
				return fmt.Sprintf("%d are left; %s is %s", len(waiting), waiting[0], o.Status), false
			}
			waiting = waiting[1:]
		}
		return 0, true
	})
}

// settle fails the case unless money, stock and mails agree with the orders. It returns a summary.
func (g goods) settle(t conformance.T, orders accepted) string {
	t.Helper()
	account, outcomes, asked := system.Account(), map[string]int{}, 0
	for sku, units := range g.units {
		account.Stock(sku, units)
	}
	var ends []e2e.End
	for id, o := range orders {
		seen := system.Order(t, buyer, id)
		if slices.ContainsFunc(e2e.Facts(seen), func(fact string) bool { return strings.HasSuffix(fact, "Due") }) {
			asked++
		}
		outcomes[shop.Outcome(seen)]++
		account.Note(buyer, o.basket, o.receipt)
		end := e2e.Ending(seen, o.receipt.Total.Amount)
		// a function killed between sending a mail and recording it sends it again
		end.May = append(end.May, end.Mails...)
		ends = append(ends, end)
	}
	account.Close(t, ends...)
	require.Positive(t, outcomes["confirmed"])
	again := 0
	for id, mails := range system.Mails(t) {
		if _, ours := orders[id]; ours {
			again += len(mails) - len(slices.CompactFunc(mails, func(a, b e2e.Mail) bool { return a == b }))
		}
	}
	return fmt.Sprintf(
		"all %d orders ended: %v; none was charged or reserved twice; %d mails were sent again; %d orders had to "+
			"ask again", len(orders), outcomes, again, asked)
}
