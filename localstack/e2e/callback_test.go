package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/saga"
)

// lateCallbacks is how long the provider delays late callbacks, with a margin.
const lateCallbacks = 18 * time.Second

func TestCallback_MayBeEarlyLateRepeatedReorderedOrLost(t *testing.T) {
	for _, how := range []string{"Early", "Late", "Twice", "Reversed", "None"} {
		t.Run(how, func(t *testing.T) {
			parallel(t, func(t conformance.T) {
				a := system.Account()
				card, sku := "pm_card_callback"+how, a.Product(t, 100, 3)
				paid, returned, canceled := a.Place(t, Paying(card, sku)), a.Place(t, Paying(card, sku)),
					a.Place(t, Paying(card, sku))
				if canceled := system.Cancel(t, canceled.Buyer, canceled.ID); canceled.Status != http.StatusAccepted {
					Refused(t, canceled, http.StatusConflict, "too-late-to-cancel") // it may be fast
				}
				system.Becomes(t, paid, "paid confirmed")
				system.Becomes(t, returned, "paid confirmed")
				Accepted(t, system.Refund(t, returned.ID, system.New("key"), 0))
				refunded(t, returned, 1)
				end := Canceled("confirmed")
				if system.Outcome(t, canceled.Buyer, canceled.ID).Outcome == client.OrderOutcomeConfirmed {
					end = Confirmed(100, 0)
				}
				time.Sleep(lateCallbacks)
				a.Close(t, Confirmed(100, 0), Confirmed(0, 1), end)
			})
		})
	}
}

func TestCallback_AloneSettlesAPayment(t *testing.T) {
	serial(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 1)
		e := a.Place(t, Paying(CardProcessing(4*time.Second), sku))
		system.AwaitFact(t, e, saga.PaymentUncertain)
		system.HoldUp(t, string(saga.AuthorizePayment)) // no step asks the provider
		a.Close(t, Confirmed(100, 0))
		for _, entry := range system.Order(t, e.Buyer, e.ID).Timeline {
			if entry.Type == string(saga.PaymentAuthorized) {
				require.Equal(t, "receive-payment-event", entry.Actor)
			}
		}
	})
}

func TestCallback_NeedsAValidSignature(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		e := a.Place(t, Basket(a.Product(t, 100, 1)))
		before := system.Becomes(t, e, "paid confirmed")
		body := system.Event(t, "payment_intent.canceled", intent(t, e))
		secret := system.CallbackSecret(t)
		good := Signature(body, secret, time.Now())
		for what, signature := range map[string]string{
			"no signature":         "",
			"an invalid signature": "garbage",
			"of another secret":    Signature(body, "whsec_of_another", time.Now()),
			"of another body":      Signature(append([]byte(" "), body...), secret, time.Now()),
			"of ten minutes ago":   Signature(body, secret, time.Now().Add(-10*time.Minute)),
			"of an old scheme":     "t=" + good[2:12] + ",v0=" + good[len(good)-64:],
		} {
			answer := system.CallBack(t, body, signature)
			require.Equal(t, http.StatusBadRequest, answer.Status, "%s: %s", what, answer.Body)
			Refused(t, answer, http.StatusBadRequest, "callback-not-signed")
		}
		require.Equal(t, http.StatusOK, system.CallBack(t, body, good).Status,
			"a valid callback without news is accepted")
		require.Equal(t, http.StatusOK, system.CallBack(t, body, good).Status)
		require.Equal(t, before.Status, system.Order(t, e.Buyer, e.ID).Status)
		a.Close(t, Confirmed(100, 0))
	})
}

// intent returns the provider's id of the payment of an order.
func intent(t conformance.T, e *Entry) string {
	t.Helper()
	id := system.Ledger(t)[e.ID].Intent
	require.NotEmpty(t, id, "the provider knows of %s", e.ID)
	return id
}

func TestCallback_AboutUnknownPaymentChangesNothing(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a, home := system.Account(), system.Setting(t, "get-product", "SHOP")
		e := a.Place(t, Paying(CardChallenge, a.Product(t, 100, 1)))
		secret := challenged(t, e)
		foreign := map[string]string{"unknown to the provider": "pi_unknown"}
		for what, metadata := range map[string]map[string]string{
			"nobody's":                       nil,
			"of an unknown order":            {"order": "ord_unknown", "shop": home, "attempt": "1"},
			"of another shop":                {"order": e.ID, "shop": "another", "attempt": "1"},
			"a second one of the same order": {"order": e.ID, "shop": home, "attempt": "1"},
			"of an attempt that was not":     {"order": e.ID, "shop": home, "attempt": "2"},
		} {
			foreign[what] = system.Intent(t, metadata)
		}
		for what, id := range foreign {
			answer := system.CallBackSigned(t, system.Event(t, "payment_intent.amount_capturable_updated", id))
			require.Equal(t, http.StatusOK, answer.Status,
				"%s: it is accepted and ignored, so that it is not sent again: %s", what, answer.Body)
		}
		require.Equal(t, client.OrderStatusPlaced, system.Order(t, e.Buyer, e.ID).Status)
		system.Act(t, secret, true)
		a.Close(t, Confirmed(100, 0))
	})
}
