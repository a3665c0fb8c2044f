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

// delivery is one message of some queue. The same message may come again at any time.
type delivery struct {
	order      saga.OrderContents
	fact       saga.Fact
	copy       int
	interrupts bool // it is handled between another step's read and write
}

func (d delivery) id() string { return fmt.Sprintf("%s-%s-%d", d.order.Order, d.fact, d.copy) }

// Messages come to the steps in any sequence and any number of times, also while another step is
// between its read and its write. No unit is lost or added, each message is answered once, and in
// the end every reservation is in its desired state.
func TestSteps_NeverLoseAUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64Range(0, 8)
		mugs, rugs := units.Draw(t, "mugs"), units.Draw(t, "rugs")
		s := stocked(mugs, rugs)
		orders := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) saga.OrderContents {
			quantity := rapid.Int64Range(1, 4)
			return saga.OrderContents{
				Order: rapid.SampledFrom([]string{"ord_1", "ord_2", "ord_3"}).Draw(t, "order"), Shop: "main",
				Currency: "EUR", PaymentMethod: "pm_card_visa",
				Lines: []saga.Line{
					{SKU: "MUG", Quantity: quantity.Draw(t, "of mugs")},
					{SKU: "RUG", Quantity: quantity.Draw(t, "of rugs")},
				},
			}
		}), 1, 3, func(c saga.OrderContents) string { return c.Order }).Draw(t, "orders")
		deliveries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) delivery {
			return delivery{
				rapid.SampledFrom(orders).Draw(t, "of"),
				rapid.SampledFrom(
					[]saga.Fact{saga.OrderPlaced, saga.OrderPlaced, saga.ReserveDue, saga.OrderConfirmed,
						saga.OrderRejected, saga.OrderCanceling, saga.ReleaseDue}).Draw(t, "fact"),
				rapid.IntRange(1, 2).Draw(t, "copy"), rapid.Bool().Draw(t, "interrupts"),
			}
		}), 1, 30).Draw(t, "deliveries")

		waiting, failed := deliveries, []delivery{}
		balanced := func() {
			promised := map[string]int64{}
			for _, r := range s.reservations {
				for _, l := range r.Lines {
					if r.Observed.Promised() {
						promised[l.SKU] += l.Quantity
					}
				}
			}
			for sku, adjusted := range map[string]int64{"MUG": mugs, "RUG": rugs} {
				require.Equal(
					t, stock.Level{Sellable: adjusted - promised[sku], Promised: promised[sku]}, *s.levels[sku],
					sku,
				)
				require.LessOrEqual(t, promised[sku], adjusted, sku)
			}
		}
		handle := func() {
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
				handle()
			}
		}
		for len(waiting) > 0 {
			handle()
		}
		s.others = nil
		// A failed message comes again, at the latest from the dead-letter queue. Some need another
		// one first.
		failed = append(failed, failed...)
		for _, d := range failed {
			err := stocktest.Deliver(t.Context(), s, d.id(), d.fact, d.order)
			r, exists := s.reservations[d.order.Order]
			switch {
			case d.fact != saga.OrderConfirmed || exists && r.Observed != stock.Nothing:
				require.NoError(t, err)
			case err != nil:
				assert.True(t, fault.KindOf(err).Permanent(), "there is nothing to sell: %v", err)
			}
		}
		balanced()

		for _, c := range orders {
			delivered := map[saga.Fact]bool{}
			for _, d := range deliveries {
				if d.order.Order == c.Order {
					delivered[d.fact] = true
				}
			}
			released := delivered[saga.OrderRejected] || delivered[saga.OrderCanceling] || delivered[saga.ReleaseDue]
			r, exists := s.reservations[c.Order]
			short := r.Short != nil
			desired, observed := stock.DesiredReserve, stock.Reserved
			switch {
			case released:
				desired, observed = stock.DesiredRelease, stock.Nothing
			case !delivered[saga.OrderPlaced] && !delivered[saga.ReserveDue]:
				desired, observed = "", ""
				assert.False(t, exists, "no message asked for a reservation")
			case short:
				observed = stock.Nothing
			case delivered[saga.OrderConfirmed]:
				desired, observed = stock.DesiredSell, stock.Sold
			}
			assert.Equal(t, []any{desired, observed}, []any{r.Desired, r.Observed}, c.Order)
			assert.Equal(
				t, desired == stock.DesiredReserve && observed == stock.Reserved, r.PaymentMethod != "",
				"a payment method is kept only while it may be used",
			)

			answers := map[string]int{}
			for _, e := range r.History.Entries {
				answers[e.Cause.ID]++
			}
			for _, d := range deliveries {
				if d.order.Order == c.Order && d.fact != saga.OrderConfirmed {
					assert.Equal(t, 1, answers[d.id()], "%s is answered once", d.id())
				}
			}
		}
	})
}
