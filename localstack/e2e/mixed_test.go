package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/cloud"
	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

// A life is what a customer and the staff do with an order.
type life struct {
	basket   client.OrderRequest
	canceled time.Duration // when the customer cancels, after the placement; 0: never
	acts     time.Duration // when the customer completes the challenge, after it is shown; 0: the order is canceled
	refunds  []int64       // cents of each refund, once the order is paid; 0: the whole refundable amount
}

// drawLife draws what happens to the n-th order. The last of the SKUs is short.
func drawLife(dice *rand.Rand, n int, skus []string) life {
	cards := []struct {
		times int
		card  string
	}{
		{60, shop.CardGood}, {8, shop.CardDeclined}, {4, "pm_card_chargeDeclinedInsufficientFunds"}, {5, CardLost},
		{5, CardProcessing(1500 * time.Millisecond)},
		{2, CardSlow(3 * time.Second)}, {6, CardChallenge}, {4, CardLapses}, {4, CardTaken}, {4, CardGiven},
		{4, CardWaits}, {4, CardBounces}, {4, CardReturns},
		{3, "pm_card_callbackEarly"}, {3, "pm_card_callbackLate"}, {3, "pm_card_callbackTwice"},
		{3, "pm_card_callbackReversed"}, {3, "pm_card_callbackNone"},
		{3, fmt.Sprintf("pm_sandbox_once_%d", n)}, {2, "pm_sandbox_unknown"},
	}
	var stack []string
	for _, c := range cards {
		stack = append(stack, slices.Repeat([]string{c.card}, c.times)...)
	}
	l := life{basket: Paying(stack[dice.IntN(len(stack))], skus[dice.IntN(3)])}
	l.basket.Lines[0].Quantity = 1 + dice.Int64N(3)
	if dice.IntN(8) == 0 {
		l.basket.Lines = append(l.basket.Lines, client.LineRequest{SKU: skus[3], Quantity: 1 + dice.Int64N(2)})
	}
	if dice.IntN(4) == 0 {
		l.canceled = time.Duration(1 + dice.IntN(int(2*time.Second)))
	}
	if dice.IntN(3) > 0 {
		l.acts = time.Duration(1 + dice.IntN(int(time.Second)))
	}
	if dice.IntN(4) == 0 {
		l.refunds = [][]int64{{0}, {50}, {50, 0}, {10, 20, 30}}[dice.IntN(4)]
	}
	return l
}

// over reports whether an order is settled, or needs a person.
func over(o client.Order) bool { return o.Settled || o.Status == client.OrderStatusNeedsAttention }

// lead acts for the customer until the order ends, and requests the refunds.
func (l life) lead(t conformance.T, e *Entry) {
	placed, acted := time.Now(), false
	var o client.Order
	system.Until(t, "order "+e.ID+" ends", func() (any, bool) {
		o = system.Order(t, e.Buyer, e.ID)
		challenged := o.Payment.ClientSecret != ""
		switch {
		case over(o):
			return Story(o), true
		case l.canceled > 0 && time.Since(placed) > l.canceled, challenged && l.acts == 0:
			system.Cancel(t, e.Buyer, e.ID) // too late is fine
			l.canceled = 0
		case challenged && !acted && time.Since(placed) > l.acts:
			acted = true
			system.Act(t, o.Payment.ClientSecret, true)
		}
		system.WakeAtTimes(t)
		return Story(o), false
	})
	if o.Status == client.OrderStatusPaid {
		for _, amount := range l.refunds {
			Accepted(t, system.Refund(t, e.ID, system.New("refund"), amount))
		}
	}
}

// settled waits until an order can no longer change, and returns it: no refund is under way, and no refund can still
// fail.
func (l life) settled(t conformance.T, e *Entry) (o client.Order) {
	t.Helper()
	system.Until(t, "order "+e.ID+" can no longer change", func() (any, bool) {
		system.WakeAtTimes(t)
		o = system.Order(t, e.Buyer, e.ID)
		open := slices.ContainsFunc(o.Refunds, func(r client.Refund) bool { return r.Status != client.Succeeded })
		if l.basket.PaymentMethod == CardReturns && !HasFact(o, string(saga.OrderReopened)) {
			open = open || len(o.Refunds) > 0 || o.Outcome == client.OrderOutcomeCanceled &&
				system.Ledger(t)[e.ID].Refunded > 0
		}
		return Story(o), !open && over(o)
	})
	return o
}

func TestOrders_ManyMixed(t *testing.T) {
	parallel(t, func(t conformance.T) {
		orders, customers := 300, 20
		if system.Cloud == cloud.NameLocalStack {
			orders, customers = 40, 4 // it handles about twenty messages a second, or seven on a slow machine
		}
		seed := uint64(time.Now().UnixNano())
		dice := rand.New(rand.NewPCG(seed, uint64(orders)))
		conformance.Figure(t, "seed %d", seed)

		a := system.Account()
		skus := []string{a.Product(t, 199, 1000), a.Product(t, 1250, 1000), a.Product(t, 5400, 1000),
			a.Product(t, 100, 20)}
		lives := make([]life, orders)
		for n := range lives {
			lives[n] = drawLife(dice, n, skus)
		}
		byID := map[string]life{}
		var (
			all   sync.WaitGroup
			mu    sync.Mutex
			queue = make(chan int)
		)
		for range customers {
			all.Go(func() {
				for n := range queue {
					buyer := system.New("ada")
					basket := Mailed(buyer, lives[n].basket)
					receipt := system.Place(t, buyer, basket)
					mu.Lock() // an account is not safe for concurrent use
					e := a.Note(buyer, basket, receipt)
					byID[e.ID] = lives[n]
					mu.Unlock()
					lives[n].lead(t, e)
				}
			})
		}
		for n := range orders {
			queue <- n
		}
		close(queue)
		all.Wait()

		ends, sum := make([]End, orders), Money{}
		for i, e := range a.orders {
			ends[i] = Ending(byID[e.ID].settled(t, e), e.Total)
		}
		a.Close(t, ends...)

		var confirmed, refunded int64
		ledger := system.Ledger(t)
		for i, e := range a.orders {
			if strings.HasPrefix(ends[i].Is, "paid confirmed") {
				confirmed += e.Total
				refunded += e.Total - ends[i].Kept
			}
			sum.Received += ledger[e.ID].Received
			sum.Refunded += ledger[e.ID].Refunded
		}
		require.Equal(t, confirmed-refunded, sum.Kept(), "the provider's ledger says what the orders say")
		conformance.Figure(t, "%d orders: the provider's ledger says %s cents; confirmed %d - refunded %d = %d", orders,
			sum, confirmed, refunded, confirmed-refunded)
	})
}
