package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

func TestCancel_AtEachStep(t *testing.T) {
	for _, step := range []saga.Step{saga.ReserveStock, saga.AuthorizePayment, saga.AdvanceOrder, saga.CapturePayment} {
		t.Run("before "+string(step), func(t *testing.T) {
			serial(t, func(t conformance.T) {
				a, end := system.Account(), Canceled()
				sku := a.Product(t, 100, 3)
				release := system.HoldUp(t, string(step))
				e := a.Place(t, Basket(sku))
				awaitMessages(t, step, 1)
				if step == saga.CapturePayment {
					end.Mails = append(end.Mails, "confirmed")
					mailed(t, e, "confirmed")
				}

				Accepted(t, system.Cancel(t, e.Buyer, e.ID))
				require.Contains(t, []client.OrderStatus{client.OrderStatusCanceling, client.OrderStatusCanceled},
					system.Order(t, e.Buyer, e.ID).Status)
				Accepted(t, system.Cancel(t, e.Buyer, e.ID)) // a repetition changes nothing
				release()
				a.Close(t, end)

				var cancellation client.Cancellation
				require.NoError(t, system.Cancel(t, e.Buyer, e.ID).Into(&cancellation, http.StatusAccepted))
				require.Equal(t, client.CancellationStatusCanceled, cancellation.Status)
			})
		})
	}
}

// mailed waits until the customer of an order has a mail.
func mailed(t conformance.T, e *Entry, template string) {
	t.Helper()
	system.Until(t, "the mail "+template+" about "+e.ID+" is sent", func() (any, bool) {
		for _, m := range system.Mails(t)[e.ID] {
			if m.Template == template {
				return m, true
			}
		}
		return "it is not", false
	})
}

func TestCancel_WhileThePaymentIsProcessing(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		e := a.Place(t, Paying(CardProcessing(time.Minute), a.Product(t, 100, 1)))
		system.AwaitFact(t, e, saga.PaymentUncertain)
		Accepted(t, system.Cancel(t, e.Buyer, e.ID))
		a.Close(t, Canceled())
	})
}

// Customers cancel confirmed orders after the capture, but before the orders get PaymentCaptured. All money is
// returned, whatever the card does with the refund.
func TestCancel_ReturnsCapturedMoney(t *testing.T) {
	serial(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 10)
		capture := system.HoldUp(t, string(saga.CapturePayment))
		cards := []string{shop.CardGood, CardTaken, CardGiven, CardWaits, CardBounces, CardReturns}
		for _, card := range cards {
			a.Place(t, Paying(card, sku))
		}
		for _, e := range a.orders {
			system.Becomes(t, e, "confirmed")
			mailed(t, e, "confirmed")
		}
		facts := system.HoldUpFacts(t, "CHARGES_TABLE")
		capture()
		system.Until(t, "the money is taken", func() (any, bool) {
			ledger, taken := system.Ledger(t), 0
			for _, e := range a.orders {
				taken += ledger[e.ID].Captures
			}
			return taken, taken == len(cards)
		})
		for _, e := range a.orders {
			Accepted(t, system.Cancel(t, e.Buyer, e.ID))
		}
		facts()
		for i, e := range a.orders {
			if cards[i] == CardReturns { // the first refund succeeds and fails later
				system.AwaitFact(t, e, saga.OrderReopened)
			}
		}
		end := Canceled()
		end.Mails = append(end.Mails, "confirmed")
		a.Close(t, end)
	})
}

func TestCancel_RefusesSettledOrders(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 3)
		paid, rejected := a.Place(t, Basket(sku)), a.Place(t, Paying(shop.CardDeclined, sku))
		system.Becomes(t, paid, "paid confirmed")
		system.Becomes(t, rejected, "rejected card-declined")
		for _, e := range a.orders {
			Refused(t, system.Cancel(t, e.Buyer, e.ID), http.StatusConflict, "too-late-to-cancel")
		}
		a.Close(t, Confirmed(100, 0), Rejected("card-declined"))
	})
}

func TestCancel_IsForItsCustomerAndStaffOnly(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a, grace := system.Account(), system.New("grace")
		sku := a.Product(t, 100, 3)
		hers, byStaff := a.Place(t, Paying(CardChallenge, sku)), a.Place(t, Paying(CardChallenge, sku))
		anothers := Refused(t, system.Cancel(t, grace, hers.ID), http.StatusNotFound, "unknown-order")
		absent := Refused(t, system.Cancel(t, grace, "ord_"+strings.Repeat("a", 32)), http.StatusNotFound,
			"unknown-order")
		anothers.RequestID = absent.RequestID
		require.Equal(t, absent, anothers)
		require.Equal(t, client.OrderStatusPlaced, system.Order(t, hers.Buyer, hers.ID).Status)

		canceled, err := system.API.Cancel(t.Context(), system.Token(t, hers.Buyer), hers.ID, "ordered twice")
		require.NoError(t, err)
		require.True(t, canceled)
		Accepted(t, system.Cancel(t, "", byStaff.ID))
		end := Canceled()
		end.Is = "canceled ordered twice"
		a.Close(t, end, Canceled())
	})
}
