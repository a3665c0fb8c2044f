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

// window gives the orders that are placed from now on so little time to be paid that all of them expire, unless somebody hurries.
// It holds until the case ends, and must be over before the last of them can.
func window(t conformance.T) {
	t.Helper()
	system.Configure(t, "place-order", "PAYMENT_WINDOW", "6s")
}

func TestAnOrderExpiresWhileNobodyAsksForItsPayment(t *testing.T) {
	alone(t, func(t conformance.T) {
		window(t)
		a := system.Account()
		sku := a.Product(t, 100, 3)
		letGo := system.HoldUp(t, string(saga.AuthorizePayment))
		e := a.Place(t, Basket(sku))
		waits(t, saga.AuthorizePayment, 1)
		system.Becomes(t, e, "expired")
		letGo() // who comes to pay finds that nobody wants it
		rest(t, e)
		a.Close(t, Expired())
	})
}

func TestASuccessThatIsToldAfterTheOrderExpiredIsUndone(t *testing.T) {
	alone(t, func(t conformance.T) {
		window(t)
		a, step := system.Account(), string(saga.AdvanceOrder)
		sku := a.Product(t, 100, 3)
		letGo := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		late := system.Take(t, step, e.ID, string(saga.PaymentAuthorized)).Body
		require.Equal(t, int64(100), system.Ledger(t)[e.ID].Held, "the money is held by now")
		payment := system.HoldUp(t, string(saga.AuthorizePayment)) // it would tell again, for the order asks before it expires
		letGo()
		system.Becomes(t, e, "expired")
		payment()
		system.Put(t, step, late, late)
		rest(t, e)
		a.Close(t, Expired())
	})
}

func TestSuccessAndExpiryThatMeetEndOneWay(t *testing.T) {
	alone(t, func(t conformance.T) {
		window(t)
		a, step := system.Account(), string(saga.AdvanceOrder)
		sku := a.Product(t, 100, 5)
		letGo := system.HoldUp(t, step)
		for range 5 {
			a.Place(t, Basket(sku))
		}
		began := time.Now()
		system.Until(t, "the window is over, and both wait to be heard", func() (any, bool) {
			system.Wake(t)
			waiting, _ := system.Depth(t, step)
			return waiting, time.Since(began) > 7*time.Second && waiting >= 2*len(a.orders)
		})
		letGo()
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

func TestAnOrderExpiresWhileItsPaymentIsUnderWay(t *testing.T) {
	alone(t, func(t conformance.T) {
		window(t)
		a := system.Account()
		sku := a.Product(t, 100, 5)
		deciding := a.Place(t, Paying(CardProcessing(time.Minute), sku))
		challenged := a.Place(t, Paying(CardChallenge, sku)) // nobody completes it
		slow := a.Place(t, Paying(CardSlow(8*time.Second), sku))
		system.Becomes(t, deciding, "expired")
		system.Becomes(t, challenged, "expired")
		require.Empty(t, system.Order(t, challenged.Buyer, challenged.ID).Payment.ClientSecret, "there is nothing to complete any more")
		system.Until(t, "the slow one is decided", func() (any, bool) {
			system.WakeAtTimes(t)
			o := system.Order(t, slow.Buyer, slow.ID)
			return Story(o), shop.Decided(o)
		})
		a.Close(t, asDecided(t, a)...)
	})
}
