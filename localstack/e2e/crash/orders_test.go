package crash

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/e2e"
	"backroom/localstack/shop"
)

const buyer = "ada"

// goods are what a case sells: three products that last, and one that runs out. The values are the units delivered.
type goods struct {
	skus  []string
	units map[string]int
}

func deliver(t e2e.T) goods {
	t.Helper()
	g := goods{units: map[string]int{}}
	for _, units := range []int{100_000, 100_000, 100_000, 40} {
		sku := system.Product(t, 100, units)
		g.skus, g.units[sku] = append(g.skus, sku), units
	}
	return g
}

// basket is what the n-th order wants: one of ten has the product that runs out in it.
func (g goods) basket(n int) shop.Basket {
	b := shop.Basket{PaymentMethod: shop.CardGood, Lines: []shop.Line{
		{SKU: g.skus[n%3], Quantity: 1 + n%4}, {SKU: g.skus[(n+1)%3], Quantity: 1},
	}}
	if n%10 == 0 {
		b.Lines = append(b.Lines, shop.Line{SKU: g.skus[3], Quantity: 3})
	}
	return b
}

// accepted are orders by id.
type accepted map[string]shop.Basket

// place places n orders, some at once.
func (g goods) place(t e2e.T, n int) accepted {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	placed, again := g.placeUntil(t, ctx, n, 0)
	require.Zero(t, again, "all were accepted at once")
	return placed
}

// placeUntil places n orders, or fewer if ctx ends before, and pauses after each. A request that fails is repeated with its
// key until it is answered; again counts these.
func (g goods) placeUntil(t e2e.T, ctx context.Context, n int, pause time.Duration) (placed accepted, again int) {
	t.Helper()
	const customers = 8
	var (
		mu     sync.Mutex
		all    sync.WaitGroup
		places = make(chan shop.Basket)
		token  = system.Token(t, buyer)
	)
	placed = accepted{}
	for range customers {
		all.Go(func() {
			for b := range places {
				id, tries := persist(t, token, b)
				mu.Lock()
				placed[id] = b
				again += tries - 1
				mu.Unlock()
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		places <- g.basket(i)
		time.Sleep(pause)
	}
	close(places)
	all.Wait()
	return placed, again
}

// persist places one order however often it takes.
func persist(t e2e.T, token string, b shop.Basket) (id string, tries int) {
	call := shop.Call{Method: http.MethodPost, Path: "/orders", Token: token, Body: b, Header: map[string]string{"Idempotency-Key": system.New("order")}}
	for tries = 1; tries < 100; tries++ {
		var receipt shop.Receipt
		answer, err := system.API.Send(t.Context(), call)
		if err == nil && answer.Into(&receipt, http.StatusAccepted) == nil {
			return receipt.ID, tries
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("an order was not accepted in %d tries", tries)
	return "", tries
}

// withoutVerdict returns the orders that have none.
func withoutVerdict(t e2e.T, orders accepted) accepted {
	t.Helper()
	waiting := maps.Clone(orders)
	maps.DeleteFunc(waiting, func(id string, _ shop.Basket) bool { return system.Order(t, buyer, id).Decided() })
	return waiting
}

// decide waits until all orders have their verdict. It runs wake-overdue more often than its schedule does.
func decide(t e2e.T, orders accepted) {
	t.Helper()
	waiting, woken := slices.Collect(maps.Keys(orders)), time.Now()
	system.Until(t, "all orders have their verdict", func() (any, bool) {
		if time.Since(woken) > 2*time.Second {
			system.Wake(t)
			woken = time.Now()
		}
		for len(waiting) > 0 && system.Order(t, buyer, waiting[0]).Decided() { // not all of them every time: that is work too
			waiting = waiting[1:]
		}
		return fmt.Sprintf("%d may have none, %s among them", len(waiting), strings.Join(waiting[:min(1, len(waiting))], "")), len(waiting) == 0
	})
}

// settle demands that what was decided adds up: an order is confirmed if and only if its card was charged, once; every unit is
// for sale, or promised to a confirmed order. It returns a summary.
func (g goods) settle(t e2e.T, orders accepted) string {
	t.Helper()
	promised, charged, confirmed, asked := map[string]int{}, system.Authorizations(t), 0, 0
	for id, b := range orders {
		o := system.Order(t, buyer, id)
		if e2e.Told(o, "ReserveDue") {
			asked++
		}
		if o.Verdict() != "confirmed" {
			require.Equal(t, "rejected out-of-stock", o.Verdict(), "%s", id)
			require.Zero(t, charged[id], "%s is not charged", id)
			continue
		}
		confirmed++
		require.Equal(t, 1, charged[id], "%s is charged once", id)
		for _, line := range b.Lines {
			promised[line.SKU] += line.Quantity
		}
	}
	for sku, units := range g.units {
		require.Equal(t, e2e.Holding{Sellable: units - promised[sku], Promised: promised[sku]}, system.Shelf(t, sku))
		system.Level(t, sku, units-promised[sku])
	}
	require.Positive(t, confirmed)
	return fmt.Sprintf("all %d orders have a verdict: %d confirmed, %d rejected; none was charged or reserved twice; %d had to ask again",
		len(orders), confirmed, len(orders)-confirmed, asked)
}
