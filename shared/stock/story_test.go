package stock_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/shared/fault"
	"backroom/shared/saga"
	"backroom/shared/stock"
	"backroom/shared/stock/stocktest"
)

// A delivery is one message of some queue. The same message may come again, at any time.
type delivery struct {
	order      saga.OrderContents
	fact       saga.Fact
	copy       int
	interrupts bool // it is worked off between another's reading and writing
}

func (d delivery) id() string { return fmt.Sprintf("%s-%s-%d", d.order.Order, d.fact, d.copy) }

// Whatever is delivered to the stock's steps – in any order, any number of times, one in the middle of another – no unit is
// lost or made up, every new ask is answered once, and in the end every hold has what it wants.
func TestStockNeverLosesAUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64Range(0, 8)
		mugs, rugs := units.Draw(t, "mugs"), units.Draw(t, "rugs")
		s := stocked(mugs, rugs)
		orders := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) saga.OrderContents {
			quantity := rapid.Int64Range(1, 4)
			return saga.OrderContents{
				Order: rapid.SampledFrom([]string{"ord_1", "ord_2", "ord_3"}).Draw(t, "order"), Shop: "main", Currency: "EUR", PaymentMethod: "pm_card_visa",
				Lines: []saga.Line{{SKU: "MUG", Quantity: quantity.Draw(t, "of mugs")}, {SKU: "RUG", Quantity: quantity.Draw(t, "of rugs")}},
			}
		}), 1, 3, func(w saga.OrderContents) string { return w.Order }).Draw(t, "orders")
		deliveries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) delivery {
			return delivery{
				rapid.SampledFrom(orders).Draw(t, "of"),
				rapid.SampledFrom([]saga.Fact{saga.OrderPlaced, saga.OrderPlaced, saga.ReserveDue, saga.OrderConfirmed, saga.OrderRejected, saga.OrderCanceling, saga.ReleaseDue}).Draw(t, "fact"),
				rapid.IntRange(1, 2).Draw(t, "copy"), rapid.Bool().Draw(t, "interrupts"),
			}
		}), 1, 30).Draw(t, "deliveries")

		waiting, failed := deliveries, []delivery{}
		balanced := func() {
			promised := map[string]int64{}
			for _, hold := range s.holds {
				for _, l := range hold.Lines {
					if hold.Observed.Promised() {
						promised[l.SKU] += l.Quantity
					}
				}
			}
			for sku, brought := range map[string]int64{"MUG": mugs, "RUG": rugs} {
				require.Equal(t, stock.Level{Sellable: brought - promised[sku], Promised: promised[sku]}, *s.levels[sku], sku)
				require.LessOrEqual(t, promised[sku], brought, sku)
			}
		}
		work := func() {
			d := waiting[0]
			waiting = waiting[1:]
			if err := stocktest.Deliver(t.Context(), s, d.id(), d.fact, d.order); err != nil {
				require.NotErrorIs(t, err, stock.ErrInconsistent)
				failed = append(failed, d)
			}
			balanced()
		}
		s.others = func() {
			if len(waiting) > 0 && waiting[0].interrupts {
				work()
			}
		}
		for len(waiting) > 0 {
			work()
		}
		s.others = nil
		failed = append(failed, failed...) // what failed comes again, at the latest from the dead-letter queue; some wait for others
		for _, d := range failed {
			err := stocktest.Deliver(t.Context(), s, d.id(), d.fact, d.order)
			hold, there := s.holds[d.order.Order]
			switch {
			case d.fact != saga.OrderConfirmed || there && hold.Observed != stock.Nothing:
				require.NoError(t, err)
			case err != nil:
				assert.True(t, fault.KindOf(err).Permanent(), "there is nothing to sell: %v", err)
			}
		}
		balanced()

		for _, w := range orders {
			heard := map[saga.Fact]bool{}
			for _, d := range deliveries {
				if d.order.Order == w.Order {
					heard[d.fact] = true
				}
			}
			gaveUp := heard[saga.OrderRejected] || heard[saga.OrderCanceling] || heard[saga.ReleaseDue]
			hold, there := s.holds[w.Order]
			short := hold.Short != nil
			want, has := stock.DesiredReserve, stock.Reserved
			switch {
			case gaveUp:
				want, has = stock.DesiredRelease, stock.Nothing
			case !heard[saga.OrderPlaced] && !heard[saga.ReserveDue]:
				want, has = "", ""
				assert.False(t, there, "nobody wanted anything")
			case short:
				has = stock.Nothing
			case heard[saga.OrderConfirmed]:
				want, has = stock.DesiredSell, stock.Sold
			}
			assert.Equal(t, []any{want, has}, []any{hold.Desired, hold.Observed}, w.Order)
			assert.Equal(t, want == stock.DesiredReserve && has == stock.Reserved, hold.PaymentMethod != "", "a payment method is kept only while it may be charged")

			answers := map[string]int{}
			for _, e := range hold.History.Entries {
				answers[e.Cause.ID]++
			}
			for _, d := range deliveries {
				if d.order.Order == w.Order && d.fact != saga.OrderConfirmed {
					assert.Equal(t, 1, answers[d.id()], "%s is answered once", d.id())
				}
			}
		}
	})
}
