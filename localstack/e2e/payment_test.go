package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

func TestPayment_WithLostAnswerIsCapturedOnce(t *testing.T) {
	for what, card := range map[string]string{
		"the authorization": CardLost, "an authorization that takes longer than the timeout": CardSlow(8 * time.Second),
		"the capture": CardTaken,
	} {
		t.Run(what, func(t *testing.T) {
			parallel(t, func(t conformance.T) {
				a := system.Account()
				a.Place(t, Paying(card, a.Product(t, 100, 1)))
				a.Close(t, Confirmed(100, 0))
			})
		})
	}
}

func TestPayment_WithLostReturnIsReturnedOnce(t *testing.T) {
	serial(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 1)
		release := system.HoldUp(t, string(saga.CapturePayment))
		e := a.Place(t, Paying(CardGiven, sku))
		system.Becomes(t, e, "confirmed")
		Accepted(t, system.Cancel(t, e.Buyer, e.ID))
		release()
		a.Close(t, Canceled("confirmed"))
	})
}

// The provider fails during an authorization and a capture, so their results are unknown.
func TestPayment_IsMadeOnceAfterAnOutage(t *testing.T) {
	serial(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 2)
		capture := system.HoldUp(t, string(saga.CapturePayment))
		held := a.Place(t, Basket(sku))
		system.Becomes(t, held, "confirmed")
		repair := system.BreakProvider(t, time.Minute)
		capture()
		fresh := a.Place(t, Basket(sku))
		for step, e := range map[saga.Step]*Entry{saga.AuthorizePayment: fresh, saga.CapturePayment: held} {
			system.Until(t, string(step)+" has tried", func() (any, bool) {
				waiting, underway := system.Depth(t, string(step))
				return waiting, waiting == 0 && underway > 0
			})
			require.Zero(t, system.Ledger(t)[e.ID].Captures)
		}
		require.Zero(t, system.Ledger(t)[fresh.ID].Authorizations)
		repair()
		a.Close(t, Confirmed(100, 0))
	})
}

func TestPayment_ThatIsProcessingIsFollowedUp(t *testing.T) {
	for _, d := range []time.Duration{1500 * time.Millisecond, 8 * time.Second} {
		t.Run(d.String(), func(t *testing.T) {
			parallel(t, func(t conformance.T) {
				a := system.Account()
				e := a.Place(t, Paying(CardProcessing(d), a.Product(t, 100, 1)))
				a.Close(t, Confirmed(100, 0))
				o := system.Order(t, e.Buyer, e.ID)
				require.True(t, HasFact(o, string(saga.PaymentUncertain)), "the payment was uncertain at first: %v",
					Facts(o))
			})
		})
	}
}

// challenged waits until a payment needs an action of its customer, and returns the client secret for it.
func challenged(t conformance.T, e *Entry) (secret string) {
	t.Helper()
	system.Until(t, "the customer of "+e.ID+" must complete a challenge", func() (any, bool) {
		o := system.Order(t, e.Buyer, e.ID)
		secret = o.Payment.ClientSecret
		return Story(o), o.Payment.Status == client.PaymentStatusActionNeeded && secret != ""
	})
	return secret
}

func TestPayment_IsCompletedByItsCustomer(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 2)
		e, fails := a.Place(t, Paying(CardChallenge, sku)), a.Place(t, Paying(CardChallenge, sku))
		secret := challenged(t, e)
		read := func(buyer string) shop.Answer {
			return system.Send(t,
				shop.Call{Method: http.MethodGet, Path: "/orders/" + e.ID, Token: system.Token(t, buyer)})
		}
		staff := read("")
		require.Equal(t, http.StatusOK, staff.Status)
		require.NotContains(t, string(staff.Body), secret, "only the customer gets the client secret")
		Refused(t, read(system.New("grace")), http.StatusNotFound, "unknown-order")
		require.Equal(t, client.OrderStatusPlaced, system.Order(t, e.Buyer, e.ID).Status)

		system.Act(t, secret, true)
		system.Act(t, challenged(t, fails), false)
		a.Close(t, Confirmed(100, 0), Rejected("card-declined"))
		require.NotContains(t, string(read(e.Buyer).Body), secret, "the client secret is no longer shown")
	})
}

// attention reports whether the list of orders that need attention contains an order.
func attention(t conformance.T, id string) bool {
	t.Helper()
	for query := (client.ListOrdersParams{Attention: new(true), Limit: new(int64(50))}); ; {
		page, err := system.API.ListOrdersWithResponse(t.Context(), &query, shop.Bearer(system.Token(t, "")))
		require.NoError(t, err)
		for _, o := range page.JSON200.Orders {
			if o.ID == id {
				require.Equal(t, client.OrderStatusNeedsAttention, o.Status)
				return true
			}
		}
		if page.JSON200.Next == "" {
			return false
		}
		query.Cursor = &page.JSON200.Next
	}
}

const lapsed = "needs_attention confirmed: capture-failed"

// lapse places an order that is confirmed, and whose authorization lapses before the capture.
func lapse(t conformance.T, a *Account, sku string) *Entry {
	t.Helper()
	e := a.Place(t, Paying(CardLapses, sku))
	system.Becomes(t, e, lapsed)
	system.Until(t, "staff sees that "+e.ID+" needs attention", func() (any, bool) {
		listed := attention(t, e.ID)
		return listed, listed
	})
	return e
}

func TestCaptureFailure_IsRetriedAndThenCanceled(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		e := lapse(t, a, a.Product(t, 100, 2))
		call := shop.Call{
			Method: http.MethodPost, Path: "/orders/" + e.ID + "/resolution", Token: system.Token(t, e.Buyer),
			Body:   client.ResolutionRequest{Action: client.ResolutionRequestActionRetry, Reason: "please"},
			Header: map[string]string{"Idempotency-Key": "k"},
		}
		Refused(t, system.Send(t, call), http.StatusForbidden, "insufficient-scope")

		key := system.New("key")
		first := system.Resolve(t, e.ID, key, client.ResolutionRequestActionRetry)
		Accepted(t, first)
		again := system.Resolve(t, e.ID, key, client.ResolutionRequestActionRetry)
		Accepted(t, again)
		require.Equal(t, string(first.Body), string(again.Body))
		require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
		system.Until(t, "the second capture failed too", func() (any, bool) {
			o := system.Order(t, e.Buyer, e.ID)
			failures := 0
			for _, fact := range Facts(o) {
				if fact == string(saga.CaptureFailed) {
					failures++
				}
			}
			return Story(o), failures >= 2 && Standing(o) == lapsed
		})

		Accepted(t, system.Cancel(t, e.Buyer, e.ID))
		end := Canceled()
		end.Mails = append(end.Mails, "confirmed")
		a.Close(t, end)
		require.False(t, attention(t, e.ID))
	})
}

func TestCaptureFailure_IsWrittenOff(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		e := lapse(t, a, a.Product(t, 100, 2))
		Accepted(t, system.Resolve(t, e.ID, system.New("key"), client.ResolutionRequestActionWriteOff))
		a.Close(t, Unpaid())
		Refused(t, system.Resolve(t, e.ID, system.New("key"), client.ResolutionRequestActionRetry), http.StatusConflict,
			"no-attention-needed")
		Refused(t, system.Refund(t, e.ID, system.New("key"), 1), http.StatusConflict, "not-refundable")
		require.False(t, attention(t, e.ID))
	})
}
