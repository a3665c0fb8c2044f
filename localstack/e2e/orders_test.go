package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/deploy"
	"backroom/localstack/shop"
)

func TestAnOrderFlowsToItsConfirmation(t *testing.T) {
	beside(t, func(t T) {
		buyer, sku := system.New("ada"), system.Product(t, 1250, 5)
		receipt := system.Place(t, buyer, shop.Basket{Lines: []shop.Line{{SKU: sku, Quantity: 2}}, PaymentMethod: shop.CardGood})
		require.Equal(t, shop.Money{Amount: 2500, Currency: "EUR"}, receipt.Total)

		o := system.Verdict(t, buyer, receipt.ID)
		require.Equal(t, "confirmed", o.Verdict())
		system.Level(t, sku, 3)
		require.Equal(t, 1, system.Authorizations(t)[o.ID], "the card was charged once")

		// An order that had to ask for its answers has them more than once: what is told first counts.
		who, seen := map[string]string{}, []string{}
		for _, e := range o.Timeline {
			if who[e.Type] == "" && !strings.HasSuffix(e.Type, "Due") {
				who[e.Type], seen = e.Actor, append(seen, e.Type)
			}
		}
		require.Equal(t, []string{"OrderPlaced", "StockReserved", "PaymentIntended", "PaymentAuthorized", "OrderConfirmed"}, seen)
		require.Equal(t, map[string]string{
			"OrderPlaced": buyer, "StockReserved": "reserve-stock", "PaymentIntended": "authorize-payment",
			"PaymentAuthorized": "authorize-payment", "OrderConfirmed": "advance-order",
		}, who)
	})
}

func TestLocationLeadsToTheOrderAndItsTagSaysIfItChanged(t *testing.T) {
	beside(t, func(t T) {
		buyer, sku := system.New("ada"), system.Product(t, 100, 1)
		receipt := system.Place(t, buyer, Basket(sku))
		require.Equal(t, deploy.StagePath+"/orders/"+receipt.ID, receipt.Location)
		system.Verdict(t, buyer, receipt.ID)

		read := shop.Call{Method: http.MethodGet, Path: strings.TrimPrefix(receipt.Location, deploy.StagePath), Token: system.Token(t, buyer)}
		var order shop.Answer
		system.Until(t, "the order rests", func() (any, bool) { // an answer that was asked for twice may still come in
			order = system.Send(t, read)
			again := system.Send(t, read)
			return order.Header, order.Header.Get("ETag") == again.Header.Get("ETag")
		})
		require.Equal(t, http.StatusOK, order.Status)
		require.NotEmpty(t, order.Header.Get("ETag"))

		read.Header = map[string]string{"If-None-Match": order.Header.Get("ETag")}
		same := system.Send(t, read)
		require.Equal(t, http.StatusNotModified, same.Status)
		require.Empty(t, same.Body)
		require.Equal(t, order.Header.Get("ETag"), same.Header.Get("ETag"))

		read.Header = map[string]string{"If-None-Match": `"v0.0.0"`}
		require.Equal(t, http.StatusOK, system.Send(t, read).Status, "a client with an older one gets the order")
	})
}

func TestAnOrderThatIsShortOfOneLineHoldsNothing(t *testing.T) {
	beside(t, func(t T) {
		buyer := system.New("ada")
		plenty, scarce, enough := system.Product(t, 100, 10), system.Product(t, 100, 1), system.Product(t, 100, 10)
		receipt := system.Place(t, buyer, shop.Basket{PaymentMethod: shop.CardGood, Lines: []shop.Line{
			{SKU: plenty, Quantity: 3}, {SKU: scarce, Quantity: 2}, {SKU: enough, Quantity: 3},
		}})

		o := system.Verdict(t, buyer, receipt.ID)
		require.Equal(t, "rejected out-of-stock", o.Verdict())
		require.True(t, Told(o, "StockShort"))
		require.False(t, Told(o, "PaymentIntended"), "nobody asked for money: %v", Facts(o))
		system.Level(t, plenty, 10)
		system.Level(t, scarce, 1)
		system.Level(t, enough, 10)
		require.Zero(t, system.Authorizations(t)[o.ID])
	})
}

func TestAnOrderOfWhatWasNeverDeliveredIsRejected(t *testing.T) {
	beside(t, func(t T) {
		buyer := system.New("ada")
		o := system.Verdict(t, buyer, system.Place(t, buyer, Basket(system.Product(t, 100, 0))).ID)
		require.Equal(t, "rejected out-of-stock", o.Verdict())
	})
}

func TestADeclinedCardRejectsTheOrder(t *testing.T) {
	beside(t, func(t T) {
		buyer, b := system.New("ada"), Basket(system.Product(t, 100, 1))
		b.PaymentMethod = shop.CardDeclined
		o := system.Verdict(t, buyer, system.Place(t, buyer, b).ID)
		require.Equal(t, "rejected card-declined", o.Verdict())
		require.Zero(t, system.Authorizations(t)[o.ID])
	})
}

func TestAPaymentWhoseAnswerIsLostIsTakenOnce(t *testing.T) {
	beside(t, func(t T) {
		buyer, b := system.New("ada"), Basket(system.Product(t, 100, 1))
		b.PaymentMethod = "pm_sandbox_lost"
		o := system.Verdict(t, buyer, system.Place(t, buyer, b).ID)
		require.Equal(t, "confirmed", o.Verdict())
		require.Equal(t, 1, system.Authorizations(t)[o.ID])
	})
}

func TestAPaymentThatTakesItsTimeIsAskedAbout(t *testing.T) {
	beside(t, func(t T) {
		buyer, b := system.New("ada"), Basket(system.Product(t, 100, 1))
		b.PaymentMethod = "pm_sandbox_processing_1500"
		o := system.Verdict(t, buyer, system.Place(t, buyer, b).ID)
		require.Equal(t, "confirmed", o.Verdict())
		require.True(t, Told(o, "PaymentUncertain"), "the provider could not say at first: %v", Facts(o))
		require.LessOrEqual(t, system.Authorizations(t)[o.ID], 1)
	})
}

func TestFiftyBuyersForTwentyUnits(t *testing.T) {
	beside(t, func(t T) {
		const buyers, units = 50, 20
		sku := system.Product(t, 1999, units)
		names, orders := make([]string, buyers), make([]string, buyers)
		for i := range names {
			names[i] = system.New("buyer")
			system.Token(t, names[i]) // so that all come at once
		}
		errs := make([]error, buyers)
		var all sync.WaitGroup
		for i, buyer := range names {
			token := system.Token(t, buyer)
			all.Go(func() {
				receipt, err := system.API.Place(t.Context(), token, "the-only-one", Basket(sku))
				orders[i], errs[i] = receipt.ID, err
			})
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}

		verdicts, charged := map[string]int{}, 0
		for i, id := range orders {
			verdicts[system.Verdict(t, names[i], id).Verdict()]++
		}
		require.Equal(t, map[string]int{"confirmed": units, "rejected out-of-stock": buyers - units}, verdicts)
		system.Level(t, sku, 0)
		times := system.Authorizations(t)
		for _, id := range orders {
			require.LessOrEqual(t, times[id], 1, "%s was charged at most once", id)
			charged += times[id]
		}
		require.Equal(t, units, charged)
	})
}
