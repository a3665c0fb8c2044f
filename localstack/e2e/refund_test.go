package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

// refunded waits until all requested refunds of an order have succeeded, and returns the order.
func refunded(t conformance.T, e *Entry, refunds int) (o client.Order) {
	t.Helper()
	system.Until(t, "the refunds of "+e.ID+" are done", func() (any, bool) {
		system.WakeAtTimes(t)
		o = system.Order(t, e.Buyer, e.ID)
		done := 0
		for _, r := range o.Refunds {
			if r.Status == client.Succeeded {
				done++
			}
		}
		return o.Refunds, done == refunds && done == len(o.Refunds)
	})
	return o
}

func TestRefund_InPartsUpToTheTotal(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		e := a.Place(t, Basket(a.Product(t, 1000, 2)))
		euro := func(cents int64) client.Money { return client.Money{Amount: cents, Currency: "EUR"} }
		early := system.Refund(t, e.ID, system.New("key"), 100)
		if early.Status != http.StatusAccepted { // the order may be fast
			Refused(t, early, http.StatusConflict, "not-refundable")
		}
		o, asked := system.Becomes(t, e, "paid confirmed"), 0
		if early.Status == http.StatusAccepted {
			asked = 1
		}
		require.Equal(t, euro(1000-100*int64(asked)), o.Refundable)

		key := system.New("key")
		first := system.Refund(t, e.ID, key, 300)
		Accepted(t, first)
		for range 3 {
			again := system.Refund(t, e.ID, key, 300)
			Accepted(t, again)
			require.Equal(t, string(first.Body), string(again.Body))
			require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
		}
		Refused(t, system.Refund(t, e.ID, key, 301), http.StatusUnprocessableEntity, "idempotency-key-reused")
		Refused(t, system.Refund(t, e.ID, system.New("key"), 701), http.StatusConflict, "refund-too-large")
		Accepted(t, system.Refund(t, e.ID, system.New("key"), 200))
		require.Equal(t, euro(500-100*int64(asked)), refunded(t, e, 2+asked).Refundable)

		foreign := client.RefundRequest{Amount: client.RefundAmount{Amount: 1, Currency: "USD"}, Reason: "wrong colour"}
		Refused(t, system.asStaff(t, "/orders/"+e.ID+"/refunds", system.New("key"), foreign),
			http.StatusUnprocessableEntity, "mixed-currencies")
		mine := shop.Call{
			Method: http.MethodPost, Path: "/orders/" + e.ID + "/refunds", Token: system.Token(t, e.Buyer),
			Body:   client.RefundRequest{Reason: "please"},
			Header: map[string]string{"Idempotency-Key": "k"},
		}
		Refused(t, system.Send(t, mine), http.StatusForbidden, "insufficient-scope")

		Accepted(t, system.Refund(t, e.ID, system.New("key"), 0)) // all that is left
		require.Equal(t, euro(0), refunded(t, e, 3+asked).Refundable)
		Refused(t, system.Refund(t, e.ID, system.New("key"), 0), http.StatusConflict, "refund-too-large")
		a.Close(t, Confirmed(0, 3+asked))
	})
}

func TestRefund_IsRetriedAfterFailure(t *testing.T) {
	for what, card := range map[string]string{
		"it takes its time": CardWaits, "its answer is lost": CardGiven, "it fails at once": CardBounces,
		"it arrives and fails later": CardReturns,
	} {
		t.Run(what, func(t *testing.T) {
			parallel(t, func(t conformance.T) {
				a := system.Account()
				e := a.Place(t, Paying(card, a.Product(t, 1000, 1)))
				system.Becomes(t, e, "paid confirmed")
				Accepted(t, system.Refund(t, e.ID, system.New("key"), 400))
				if card == CardReturns {
					system.AwaitFact(t, e, saga.OrderReopened)
				}
				refunded(t, e, 1)
				a.Close(t, Confirmed(600, 1))
			})
		})
	}
}
