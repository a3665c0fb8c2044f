package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

// outage is how long the provider is down.
const outage = 2 * time.Minute

func TestOutage_DelaysOrdersAndLosesNone(t *testing.T) {
	serial(t, func(t conformance.T) {
		// so that orders do not wait for minutes after the outage
		system.Configure(t, "advance-order", "RETRY_DELAY", "1s")
		a, givenUp := system.Account(), deadLetters(t)
		sku := a.Product(t, 1000, 50)
		var ends []End
		place := func(card string, n int, end End) {
			for range n {
				a.Place(t, Paying(card, sku))
				ends = append(ends, end)
			}
		}
		place(shop.CardGood, 2, Confirmed(700, 1)) // to be refunded meanwhile
		for _, e := range a.orders {
			system.Becomes(t, e, "paid confirmed")
		}
		capture := system.HoldUp(t, string(saga.CapturePayment))
		place(shop.CardGood, 2, Confirmed(1000, 0))    // to be captured meanwhile
		place(shop.CardGood, 2, Canceled("confirmed")) // to be canceled meanwhile, with money held
		for _, e := range a.orders[2:] {
			system.Becomes(t, e, "confirmed")
		}

		began := time.Now()
		system.BreakProvider(t, outage)
		place(shop.CardGood, 10, Confirmed(1000, 0))
		place(shop.CardDeclined, 2, Rejected("card-declined"))
		place(shop.CardGood, 2, Canceled()) // to be canceled meanwhile, with no payment begun
		for _, e := range a.orders[:2] {
			Accepted(t, system.Refund(t, e.ID, system.New("key"), 300))
		}
		for _, e := range append(a.orders[4:6:6], a.orders[18:]...) {
			Accepted(t, system.Cancel(t, e.Buyer, e.ID))
		}
		capture()
		system.Until(t, "the provider's circuit is open", func() (any, bool) {
			open := system.OpenCircuits(t)
			return open, len(open) > 0
		})
		var looks int
		system.Until(t, "two minutes passed, and the orders wait", func() (any, bool) {
			system.WakeAtTimes(t)
			for _, e := range a.orders[6:18] {
				seen := system.Order(t, e.Buyer, e.ID).Status
				if time.Since(began) > outage { // the provider may be back, and the status proves nothing
					return looks, true
				}
				require.Equal(t, client.OrderStatusPlaced, seen, "an order waits for its provider")
			}
			looks++
			return looks, false
		})
		require.Positive(t, looks, "the orders were not seen during the outage")
		a.Close(t, ends...)
		require.Equal(t, givenUp, deadLetters(t), "no message became a dead letter")
		system.Until(t, "the provider's circuit is closed", func() (any, bool) {
			open := system.OpenCircuits(t)
			return open, len(open) == 0
		})
	})
}
