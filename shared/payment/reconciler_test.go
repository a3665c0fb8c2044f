package payment_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/payment/provider"
	"backroom/shared/saga"
	"backroom/shared/sandbox"
)

func (s shop) capture(id string, fact saga.Fact, order string) error {
	return payment.CaptureStep{Reconciler: s.step(unharmed).Reconciler}.Handle(s.t.Context(), paymenttest.About(s.t, saga.CapturePayment, fact, id, order))
}

func (s shop) giveBack(id string, fact saga.Fact, order string) error {
	return payment.ReturnStep{Reconciler: s.step(unharmed).Reconciler}.Handle(s.t.Context(), paymenttest.About(s.t, saga.ReturnPayment, fact, id, order))
}

func (s shop) refund(id string, fact saga.Fact, order string, wanted ...saga.Refund) error {
	return payment.ReturnStep{Reconciler: s.step(unharmed).Reconciler}.Handle(s.t.Context(), paymenttest.Refunding(s.t, fact, id, order, wanted...))
}

// callBack has the provider call back about an order's payment.
func (s shop) callBack(id, order string) error {
	return s.step(unharmed).HandleCallback(s.t.Context(), payment.Callback{ID: id, Intent: s.charge(order).Intent}, saga.Cause{ID: id, Actor: "receive-payment-event"})
}

// act plays the customer.
func (s shop) act(order, outcome string) {
	s.t.Helper()
	c := s.charge(order)
	form := url.Values{"client_secret": {c.ClientSecret}, "outcome": {outcome}}
	client := http.Client{Transport: s.way}
	resp, err := client.Post(s.URL+"/v1/payment_intents/"+c.Intent+"/sandbox_action", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	require.Equal(s.t, http.StatusOK, resp.StatusCode, string(body))
}

// authorized returns an order whose money is held on the card, and captured returns one whose money was taken.
func (s shop) authorized(card string) string {
	s.t.Helper()
	order := newOrder()
	require.NoError(s.t, s.handle(paymenttest.Reserved(s.t, "reserved", order, price, card)))
	require.Equal(s.t, payment.Authorized, s.charge(order).Observed)
	return order
}

func (s shop) captured(card string) string {
	s.t.Helper()
	order := s.authorized(card)
	require.NoError(s.t, s.capture("confirmed", saga.OrderConfirmed, order))
	require.Equal(s.t, payment.Captured, s.charge(order).Observed)
	return order
}

func (s shop) intent(order string) sandbox.Intent {
	s.t.Helper()
	i, err := s.Ledger.Intent(s.t.Context(), s.charge(order).Intent)
	require.NoError(s.t, err)
	return i.At(s.Now())
}

func (s shop) last(order string) saga.Fact {
	all := facts(s.charge(order))
	return all[len(all)-1]
}

func TestCapturing(t *testing.T) {
	t.Parallel()
	for name, card := range map[string]string{"what is held is taken": "pm_card_visa", "an answer that is lost is looked up": "pm_card_captureLost"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			order := s.authorized(card)
			require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
			want := []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized, saga.PaymentCaptured}
			assert.Equal(t, want, facts(s.charge(order)))
			assert.Equal(t, sandbox.Succeeded, s.intent(order).Status)
			require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
			assert.Equal(t, want, facts(s.charge(order)), "the same message again changes nothing")
			require.NoError(t, s.capture("due", saga.CaptureDue, order))
			assert.Equal(t, append(want, saga.PaymentCaptured), facts(s.charge(order)), "asked again, it answers again")
		})
	}

	t.Run("what lapsed can not be taken any more", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_captureLapsed")
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		got := s.charge(order)
		assert.Equal(t, []string{string(payment.Lapsed), payment.PaymentCanceled}, []string{string(got.Observed), got.Reason})
		assert.Equal(t, saga.CaptureFailed, s.last(order))
		version := got.History.Version
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		assert.Equal(t, version, s.charge(order).History.Version)
		require.NoError(t, s.capture("due", saga.CaptureDue, order))
		assert.Equal(t, version+1, s.charge(order).History.Version)
	})

	t.Run("nothing to pay is taken without the provider", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.NoError(t, s.handle(paymenttest.Reserved(t, "reserved", order, money.Money{Currency: "EUR"}, "")))
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		assert.Equal(t, []saga.Fact{saga.PaymentAuthorized, saga.PaymentCaptured}, facts(s.charge(order)))
		require.NoError(t, s.giveBack("canceling", saga.OrderCanceling, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
	})

	t.Run("an order without a charge cannot be confirmed", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, open(t).capture("confirmed", saga.OrderConfirmed, newOrder()), fault.NotFound)
	})

	t.Run("from an order that is given up nothing is taken", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		require.NoError(t, s.giveBack("canceling", saga.OrderCanceling, order))
		want := facts(s.charge(order))
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		require.NoError(t, s.capture("due", saga.CaptureDue, order))
		assert.Equal(t, want, facts(s.charge(order)))
		assert.Equal(t, sandbox.Canceled, s.intent(order).Status)
	})

	t.Run("a provider that is away takes nothing and loses nothing", func(t *testing.T) {
		t.Parallel()
		cloudtest.Patiently(t, func(t *testing.T) {
			s := open(t)
			order := s.authorized("pm_card_visa")
			away := payment.CaptureStep{Reconciler: s.step(unharmed).Reconciler}
			away.Provider = provider.New("http://127.0.0.1:1", paymenttest.Key(), nil, nil)
			require.ErrorIs(t, away.Handle(t.Context(), paymenttest.About(t, saga.CapturePayment, saga.OrderConfirmed, "confirmed", order)), fault.Unavailable)
			require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
			assert.Equal(t, saga.PaymentCaptured, s.last(order))
		})
	})
}

func TestReturning(t *testing.T) {
	t.Parallel()
	verdict := func(s shop, order string) error { return s.giveBack("canceling", saga.OrderCanceling, order) }

	for name, c := range map[string]struct {
		given func(s shop) string
		has   payment.Observed
		facts []saga.Fact // after those of the given charge
	}{
		"what is held is let go": {
			func(s shop) string { return s.authorized("pm_card_visa") }, payment.Canceled, []saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"what was taken is refunded": {
			func(s shop) string { return s.captured("pm_card_visa") }, payment.Returned, []saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"what was declined can be paid with no other card": {
			func(s shop) string {
				order := newOrder()
				require.NoError(s.t, s.handle(paymenttest.Reserved(s.t, "reserved", order, price, "pm_card_chargeDeclined")))
				return order
			}, payment.Canceled, []saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"what waits for its customer does not wait any more": {
			func(s shop) string {
				order := newOrder()
				require.NoError(s.t, s.handle(paymenttest.Reserved(s.t, "reserved", order, price, "pm_card_authenticationRequired")))
				return order
			}, payment.Canceled, []saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"what the provider would not have needs no provider": {
			func(s shop) string {
				order := newOrder()
				require.NoError(s.t, s.handle(paymenttest.Reserved(s.t, "reserved", order, price, "pm_nonsense")))
				return order
			}, payment.Canceled, []saga.Fact{saga.PaymentReturned},
		},
		"what lapsed is back": {
			func(s shop) string {
				order := s.authorized("pm_card_captureLapsed")
				require.NoError(s.t, s.capture("confirmed", saga.OrderConfirmed, order))
				return order
			}, payment.Canceled, []saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			order := c.given(s)
			want := append(facts(s.charge(order)), c.facts...)
			require.NoError(t, verdict(s, order))
			got := s.charge(order)
			assert.Equal(t, c.has, got.Observed)
			assert.Equal(t, want, facts(got))
			assert.Empty(t, got.ClientSecret)
			require.NoError(t, verdict(s, order))
			assert.Equal(t, want, facts(s.charge(order)), "the same message again changes nothing")
			require.NoError(t, s.giveBack("due", saga.ReturnDue, order))
			require.NoError(t, s.handle(paymenttest.CheckDue(t, "check", order)))
			assert.Equal(t, append(want, saga.PaymentReturned, saga.PaymentReturned), facts(s.charge(order)), "whoever asks again is answered again")
			if got.Intent != "" {
				i := s.intent(order)
				assert.Equal(t, c.has == payment.Returned, i.Status == sandbox.Succeeded)
				assert.Equal(t, c.has == payment.Canceled, i.Status == sandbox.Canceled)
			}
		})
	}

	t.Run("an outcome that overtakes the payment leaves a tombstone", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.NoError(t, verdict(s, order))
		got := s.charge(order)
		assert.Equal(t, []saga.Fact{saga.PaymentReturned}, facts(got))
		got.History = saga.History{}
		assert.Equal(t, payment.Tombstone(paymenttest.Shop, order), got)
		require.NoError(t, s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_card_visa")))
		assert.Equal(t, 0, s.Authorizations(t, order))
		assert.Equal(t, []saga.Fact{saga.PaymentReturned, saga.PaymentReturned}, facts(s.charge(order)))
	})

	t.Run("a lost answer is looked up", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for _, order := range []string{s.authorized("pm_card_returnLost"), s.captured("pm_card_returnLost")} {
			require.ErrorIs(t, verdict(s, order), fault.Unavailable)
			require.NoError(t, verdict(s, order))
			assert.Equal(t, saga.PaymentReturned, s.last(order))
			assert.LessOrEqual(t, len(s.intent(order).Refunds), 1)
		}
	})

	t.Run("a refund that is pending is waited for", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_pendingRefund")
		require.ErrorIs(t, verdict(s, order), payment.ErrUndecided)
		require.ErrorIs(t, verdict(s, order), payment.ErrUndecided)
		assert.Equal(t, saga.RefundStarted, s.last(order))
		s.Later(time.Minute)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("a refund that fails is tried again when the order asks", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailFirst")
		require.NoError(t, verdict(s, order))
		assert.Equal(t, saga.PaymentReturning, s.last(order), "it is owed")
		require.NoError(t, s.callBack("evt_1", order))
		assert.Len(t, s.intent(order).Refunds, 1, "a callback does not try again")
		require.NoError(t, s.giveBack("due", saga.ReturnDue, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
	})

	t.Run("money that comes back to us after days is owed again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailLateFirst")
		require.NoError(t, verdict(s, order))
		require.Equal(t, saga.PaymentReturned, s.last(order))
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, payment.Captured, s.charge(order).Observed)
		assert.Equal(t, []saga.Fact{saga.PaymentReturned, saga.ReturnFailed}, facts(s.charge(order))[4:])
		require.NoError(t, s.giveBack("due", saga.ReturnDue, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Len(t, s.intent(order).Refunds, 2)
	})

	t.Run("a payment that the provider works on is undone by whoever learns how it ended", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.ErrorIs(t, s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_sandbox_processing_20000")), payment.ErrUndecided)
		if err := verdict(s, order); err != nil { // Stripe cancels what is in processing in rare cases only
			require.ErrorIs(t, err, payment.ErrUndecided)
			assert.Equal(t, saga.PaymentReturning, s.last(order))
		}
		s.Later(time.Minute)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Equal(t, sandbox.Canceled, s.intent(order).Status)
	})

	t.Run("a confirmation that stalled finds itself fenced", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		at, on := make(chan struct{}), make(chan struct{})
		stalled := s.step(func(next http.RoundTripper) http.RoundTripper { return gate{next, at, on} })
		ended := make(chan error)
		go func() {
			ended <- stalled.Handle(context.WithoutCancel(t.Context()), paymenttest.Reserved(t, "reserved", order, price, "pm_card_visa"))
		}()
		<-at
		require.NoError(t, verdict(s, order))
		close(on)
		require.NoError(t, <-ended)
		assert.Equal(t, payment.Canceled, s.charge(order).Observed)
		assert.Equal(t, 0, s.Authorizations(t, order))
	})
}

// An order is written off by a person, who may have settled it past the system: messages that still lie about move no money any more.
func TestWritingOff(t *testing.T) {
	t.Parallel()
	writeOff := func(s shop, order string) error { return s.giveBack("written-off", saga.PaymentWrittenOff, order) }

	t.Run("what is held is let go, and never taken", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		require.NoError(t, writeOff(s, order))
		assert.Equal(t, []saga.Fact{saga.PaymentAbandoned, saga.CaptureFailed}, facts(s.charge(order))[2:])
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order), "a dead letter from before")
		assert.Equal(t, sandbox.Canceled, s.intent(order).Status)
		assert.Equal(t, payment.Lapsed, s.charge(order).Observed)
	})

	t.Run("what was taken is told, stays, and can be refunded", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		require.NoError(t, writeOff(s, order))
		require.NoError(t, writeOff(s, order))
		assert.Equal(t, []saga.Fact{saga.PaymentAbandoned, saga.PaymentCaptured}, facts(s.charge(order))[3:])
		require.NoError(t, s.giveBack("canceling", saga.OrderCanceling, order), "a dead letter from before")
		assert.Empty(t, s.intent(order).Refunds)
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, saga.Refund{ID: "r1", Amount: 100, Try: 1, Status: saga.RefundStatusRequested}))
		assert.Equal(t, saga.PaymentRefunded, s.last(order))
	})

	t.Run("money that did not arrive is not sent once more", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailLateFirst")
		require.NoError(t, s.giveBack("canceling", saga.OrderCanceling, order))
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		require.Equal(t, saga.ReturnFailed, s.last(order))
		require.NoError(t, writeOff(s, order))
		require.NoError(t, s.giveBack("due", saga.ReturnDue, order), "a dead letter from before")
		require.NoError(t, s.handle(paymenttest.CheckDue(t, "check", order)))
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("money that was on its way back is told when it arrived", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_pendingRefund")
		require.ErrorIs(t, s.giveBack("canceling", saga.OrderCanceling, order), payment.ErrUndecided)
		require.NoError(t, writeOff(s, order), "it is not waited for")
		s.Later(time.Minute)
		require.NoError(t, s.callBack("evt_1", order))
		require.NoError(t, s.callBack("evt_2", order))
		assert.Equal(t, []saga.Fact{saga.PaymentAbandoned, saga.PaymentReturned}, facts(s.charge(order))[5:])
		assert.Equal(t, payment.Returned, s.charge(order).Observed)
	})

	t.Run("money that was back already and is owed anew goes back", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailLateFirst")
		require.NoError(t, s.giveBack("canceling", saga.OrderCanceling, order))
		require.NoError(t, writeOff(s, order))
		assert.Equal(t, []saga.Fact{saga.PaymentReturned, saga.PaymentReturned}, facts(s.charge(order))[4:], "its order did not know")
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		require.NoError(t, writeOff(s, order), "the same message once more")
		require.NoError(t, s.giveBack("due", saga.ReturnDue, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Len(t, s.intent(order).Refunds, 2)
	})

	t.Run("a payment that comes late finds that nobody wants it", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.NoError(t, writeOff(s, order))
		require.NoError(t, s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_card_visa")))
		assert.Equal(t, 0, s.Authorizations(t, order))
	})

	t.Run("whoever comes first lets go what the provider could not", func(t *testing.T) {
		t.Parallel()
		for name, next := range map[string]func(s shop, order string) error{
			"the order, which asks": func(s shop, order string) error { return s.handle(paymenttest.CheckDue(s.t, "check", order)) },
			"the provider":          func(s shop, order string) error { return s.callBack("evt_1", order) },
		} {
			s, order := open(t), newOrder()
			require.NoError(t, s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_card_authenticationRequired")))
			require.Equal(t, payment.ActionNeeded, s.charge(order).Observed)
			step := s.step(func(next http.RoundTripper) http.RoundTripper { return away{next} }).Reconciler
			require.ErrorIs(t, payment.ReturnStep{Reconciler: step}.Handle(t.Context(), paymenttest.About(t, saga.ReturnPayment, saga.PaymentWrittenOff, "written-off", order)), fault.Unavailable)
			require.Equal(t, saga.PaymentAbandoned, s.last(order))
			require.NoError(t, next(s, order), name)
			assert.Equal(t, sandbox.Canceled, s.intent(order).Status, name)
		}
	})
}

// away is a way on which the provider does not answer.
type away struct{ next http.RoundTripper }

func (a away) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/v1/payment_intents") {
		return nil, io.ErrUnexpectedEOF
	}
	return a.next.RoundTrip(r)
}

func TestRefunding(t *testing.T) {
	t.Parallel()
	asked := func(id string, amount int64, try int) saga.Refund {
		return saga.Refund{ID: id, Amount: amount, Try: try, Status: saga.RefundStatusRequested}
	}
	states := func(c payment.Charge) map[string]saga.RefundStatus {
		all := map[string]saga.RefundStatus{}
		for _, r := range c.Refunds {
			all[r.ID] = r.Status
		}
		return all
	}

	t.Run("parts go back, each once, and never more than was taken", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		wanted := []saga.Refund{asked("r1", 1000, 1), asked("r2", 251, 1), asked("r3", 250, 1)}
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, wanted...))
		want := []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized, saga.PaymentCaptured, saga.RefundsRecorded, saga.PaymentRefunded, saga.RefundFailed}
		got := s.charge(order)
		assert.Equal(t, want, facts(got), "one write tells all of it")
		assert.Equal(t, map[string]saga.RefundStatus{"r1": saga.RefundStatusSucceeded, "r2": saga.RefundStatusFailed, "r3": saga.RefundStatusSucceeded}, states(got))
		assert.Len(t, got.RefundIDs, 2)
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, wanted...))
		assert.Equal(t, want, facts(s.charge(order)), "the same message again changes nothing")
		s.Later(72 * time.Hour) // the sandbox forgot every idempotency key
		require.NoError(t, s.refund("e2", saga.RefundDue, order, wanted...))
		assert.Equal(t, append(want, saga.PaymentRefunded, saga.RefundFailed), facts(s.charge(order)), "asked again, it answers again")
		assert.Len(t, s.intent(order).Refunds, 2)
	})

	t.Run("a lost answer is looked up, days later too", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for _, later := range []time.Duration{0, 72 * time.Hour} {
			order := s.captured("pm_card_returnLost")
			require.ErrorIs(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)), fault.Unavailable)
			s.Later(later)
			require.NoError(t, s.refund("e2", saga.RefundDue, order, asked("r1", 100, 1)))
			assert.Equal(t, saga.PaymentRefunded, s.last(order))
			assert.Len(t, s.intent(order).Refunds, 1)
		}
	})

	t.Run("one that failed is tried again when the order asks for another try", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailFirst")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)))
		assert.Equal(t, saga.RefundFailed, s.last(order))
		require.NoError(t, s.refund("e2", saga.RefundDue, order, asked("r1", 100, 2)))
		assert.Equal(t, saga.PaymentRefunded, s.last(order))
		assert.Equal(t, []saga.Refund{{ID: "r1", Amount: 100, Try: 2, Status: saga.RefundStatusSucceeded}}, s.charge(order).Refunds)
	})

	t.Run("one that is pending is told when it arrived", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_pendingRefund")
		require.ErrorIs(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)), payment.ErrUndecided)
		assert.Equal(t, saga.RefundStarted, s.last(order))
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.RefundStarted, s.last(order))
		s.Later(time.Minute)
		require.NoError(t, s.callBack("evt_2", order))
		assert.Equal(t, saga.PaymentRefunded, s.last(order))
	})

	t.Run("one that comes back to us after days is told", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFail")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)))
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, []saga.Fact{saga.RefundsRecorded, saga.PaymentRefunded, saga.RefundFailed}, facts(s.charge(order))[3:])
	})

	t.Run("one that was given up is not made, however late somebody asks for it", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		stale := asked("b", 300, 1)
		givenUp := stale
		givenUp.Status = saga.RefundStatusFailed
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, givenUp, asked("c", 300, 1)))
		require.NoError(t, s.refund("e2", saga.OrderRefunding, order, stale), "a dead letter from before")
		assert.Equal(t, map[string]saga.RefundStatus{"b": saga.RefundStatusFailed, "c": saga.RefundStatusSucceeded}, states(s.charge(order)))
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("one whose answer was lost and that was given up then is learned of", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_returnLost")
		require.ErrorIs(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)), fault.Unavailable)
		givenUp := asked("r1", 100, 1)
		givenUp.Status = saga.RefundStatusFailed
		require.NoError(t, s.refund("e2", saga.RefundsWrittenOff, order, givenUp))
		assert.Equal(t, saga.PaymentRefunded, s.last(order), "the customer has the money after all")
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("a callback tells of one whose answer was lost", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_returnLost")
		require.ErrorIs(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)), fault.Unavailable)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentRefunded, s.last(order))
	})

	t.Run("an order without a charge has nothing to refund", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, open(t).refund("e1", saga.OrderRefunding, newOrder(), asked("r1", 1, 1)), fault.NotFound)
	})

	t.Run("what nobody took is not refunded", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 1, 1)))
		assert.Equal(t, saga.RefundFailed, s.last(order))
	})
}

func TestCallbacks(t *testing.T) {
	t.Parallel()

	t.Run("what the customer did is learned", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for outcome, fact := range map[string]saga.Fact{"succeed": saga.PaymentAuthorized, "fail": saga.PaymentDeclined} {
			order := newOrder()
			require.NoError(t, s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_card_authenticationRequired")))
			require.NotEmpty(t, s.charge(order).ClientSecret)
			require.NoError(t, s.callBack("evt_0", order))
			s.act(order, outcome)
			require.NoError(t, s.callBack("evt_1", order))
			require.NoError(t, s.callBack("evt_1", order))
			require.NoError(t, s.callBack("evt_0", order), "in whatever order")
			assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentActionNeeded, fact}, facts(s.charge(order)))
			assert.Empty(t, s.charge(order).ClientSecret)
		}
	})

	t.Run("what was taken without an answer is learned", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		_, err := s.step(unharmed).Provider.Capture(t.Context(), s.charge(order).Intent, "key")
		require.NoError(t, err)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentCaptured, s.last(order))
	})

	t.Run("what somebody canceled has lapsed", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		s.cancel(s.charge(order).Intent)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.CaptureFailed, s.last(order))
	})

	t.Run("of a payment that is not ours nothing is written", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		state := s.cloud.Rows("Charges")
		hear := func(intent string) error {
			return s.step(unharmed).HandleCallback(t.Context(), payment.Callback{ID: "evt_1", Intent: intent}, saga.Cause{ID: "evt_1"})
		}
		make := func(change func(*payment.Charge)) string {
			c := payment.New(saga.Payable{Order: order, Shop: paymenttest.Shop, Total: 1, Currency: "EUR", PaymentMethod: "pm_card_visa"})
			change(&c)
			i, err := s.step(unharmed).Provider.Create(t.Context(), c, newOrder())
			require.NoError(t, err)
			return i.ID
		}
		for name, intent := range map[string]string{
			"the provider does not have it": "pi_none",
			"another payment of the order":  make(func(*payment.Charge) {}),
			"an order that is not known":    make(func(c *payment.Charge) { c.Order = newOrder() }),
			"another shop's order":          make(func(c *payment.Charge) { c.Shop = "other" }),
			"another attempt":               make(func(c *payment.Charge) { c.Attempt = 2 }),
			"nobody's order":                make(func(c *payment.Charge) { c.Shop, c.Order = "", "" }),
		} {
			require.ErrorIs(t, hear(intent), payment.ErrUnknownPayment, name)
		}
		assert.Equal(t, state, s.cloud.Rows("Charges"))
	})

	t.Run("a provider that is away is asked again", func(t *testing.T) {
		t.Parallel()
		cloudtest.Patiently(t, func(t *testing.T) {
			s := open(t)
			order := s.authorized("pm_card_visa")
			till := s.step(unharmed).Reconciler
			till.Provider = provider.New("http://127.0.0.1:1", paymenttest.Key(), nil, nil)
			require.ErrorIs(t, till.HandleCallback(t.Context(), payment.Callback{ID: "evt_1", Intent: s.charge(order).Intent}, saga.Cause{ID: "evt_1"}), fault.Unavailable)
		})
	})
}

// TestWhateverDiesTheMoneyGoesBackOnce kills a process at each of its calls while it gives money back, and the next one too.
func TestWhateverDiesTheMoneyGoesBackOnce(t *testing.T) {
	t.Parallel()
	lead := func(l *life, s shop, e saga.Event) {
		ctx, die := context.WithCancel(s.t.Context())
		defer die()
		l.die = die
		till := s.step(func(next http.RoundTripper) http.RoundTripper { return crossing{l, next} }).Reconciler
		_ = payment.ReturnStep{Reconciler: till}.Handle(ctx, e)
	}
	for i, first := range deaths(5) {
		t.Run("the first process "+first.String(), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			for later, seconds := range map[time.Duration][]*life{0: deaths(5), 25 * time.Hour: {{}}} {
				for _, second := range seconds {
					first, order := deaths(5)[i], s.captured("pm_card_visa")
					whole := paymenttest.About(t, saga.ReturnPayment, saga.OrderCanceling, "e1", order)
					lead(first, s, whole)
					s.Later(later)
					lead(second, s, whole)
					require.NoError(t, s.giveBack("due", saga.ReturnDue, order))
					require.Equal(t, payment.Returned, s.charge(order).Observed, "%v, %v", first, second)
					require.Len(t, s.intent(order).Refunds, 1, "%v, %v", first, second)

					part, first, second := s.captured("pm_card_visa"), deaths(5)[i], &life{last: second.last, answered: second.answered}
					wanted := saga.Refund{ID: "r1", Amount: 100, Try: 1, Status: saga.RefundStatusRequested}
					lead(first, s, paymenttest.Refunding(t, saga.OrderRefunding, "e1", part, wanted))
					s.Later(later)
					lead(second, s, paymenttest.Refunding(t, saga.OrderRefunding, "e1", part, wanted))
					require.NoError(t, s.refund("due", saga.RefundDue, part, wanted))
					require.Equal(t, saga.RefundStatusSucceeded, s.charge(part).Refunds[0].Status, "%v, %v", first, second)
					require.Len(t, s.intent(part).Refunds, 1, "%v, %v", first, second)
				}
			}
		})
	}
}
