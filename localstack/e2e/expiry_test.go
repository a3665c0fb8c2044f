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

// window sets a payment window of 6 s for the orders that are placed until the case ends.
func window(t conformance.T) {
	t.Helper()
	system.Configure(t, "place-order", "PAYMENT_WINDOW", "6s")
}

func TestExpiry_BeforeThePaymentBegins(t *testing.T) {
	serial(t, func(t conformance.T) {
		window(t)
		a := system.Account()
		sku := a.Product(t, 100, 3)
		release := system.HoldUp(t, string(saga.AuthorizePayment))
		e := a.Place(t, Basket(sku))
		awaitMessages(t, saga.AuthorizePayment, 1)
		system.Becomes(t, e, "expired")
		release() // authorize-payment finds an order that has expired
		awaitQuiet(t, e)
		a.Close(t, Expired())
	})
}

func TestExpiry_ReturnsALateAuthorization(t *testing.T) {
	serial(t, func(t conformance.T) {
		window(t)
		a, step := system.Account(), string(saga.AdvanceOrder)
		sku := a.Product(t, 100, 3)
		release := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		late := system.Take(t, step, e.ID, string(saga.PaymentAuthorized)).Body
		require.Equal(t, int64(100), system.Ledger(t)[e.ID].Held, "the money is authorized")
		// the order asks before it expires, and it would answer again
		payment := system.HoldUp(t, string(saga.AuthorizePayment))
		release()
		system.Becomes(t, e, "expired")
		payment()
		system.Put(t, step, late, late)
		awaitQuiet(t, e)
		a.Close(t, Expired())
	})
}

func TestExpiry_AgainstAuthorizationHasOneOutcome(t *testing.T) {
	serial(t, func(t conformance.T) {
		window(t)
		a, step := system.Account(), string(saga.AdvanceOrder)
		sku := a.Product(t, 100, 5)
		release := system.HoldUp(t, step)
		for range 5 {
			a.Place(t, Basket(sku))
		}
		began := time.Now()
		system.Until(t, "the window is over, and both messages wait", func() (any, bool) {
			system.Wake(t)
			waiting, _ := system.Depth(t, step)
			return waiting, time.Since(began) > 7*time.Second && waiting >= 2*len(a.orders)
		})
		release()
		a.Close(t, asDecided(t, a)...)
	})
}

// asDecided waits for the outcomes of orders that can have either, and returns the ends that follow from them.
func asDecided(t conformance.T, a *Account) (ends []End) {
	t.Helper()
	for _, e := range a.orders {
		end := Expired()
		if system.Outcome(t, e.Buyer, e.ID).Outcome == client.OrderOutcomeConfirmed {
			end = Confirmed(e.Total, 0)
		}
		ends = append(ends, end)
	}
	return ends
}

func TestExpiry_WhileThePaymentIsUnderWay(t *testing.T) {
	serial(t, func(t conformance.T) {
		window(t)
		a := system.Account()
		sku := a.Product(t, 100, 5)
		deciding := a.Place(t, Paying(CardProcessing(time.Minute), sku))
		challenged := a.Place(t, Paying(CardChallenge, sku)) // nobody completes it
		slow := a.Place(t, Paying(CardSlow(8*time.Second), sku))
		system.Becomes(t, deciding, "expired")
		system.Becomes(t, challenged, "expired")
		require.Empty(t, system.Order(t, challenged.Buyer, challenged.ID).Payment.ClientSecret, "the challenge is over")
		system.Until(t, "the slow one is decided", func() (any, bool) {
			system.WakeAtTimes(t)
			o := system.Order(t, slow.Buyer, slow.ID)
			return Story(o), shop.Decided(o)
		})
		a.Close(t, asDecided(t, a)...)
	})
}
