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

func (s bench) capture(id string, fact saga.Fact, order string) error {
	return payment.CaptureStep{Reconciler: s.step(direct).Reconciler}.Handle(s.t.Context(),
		paymenttest.About(s.t, saga.CapturePayment, fact, id, order))
}

func (s bench) returnMoney(id string, fact saga.Fact, order string) error {
	return payment.ReturnStep{Reconciler: s.step(direct).Reconciler}.Handle(s.t.Context(),
		paymenttest.About(s.t, saga.ReturnPayment, fact, id, order))
}

func (s bench) refund(id string, fact saga.Fact, order string, wanted ...saga.Refund) error {
	return payment.ReturnStep{Reconciler: s.step(direct).Reconciler}.Handle(s.t.Context(),
		paymenttest.Refunding(s.t, fact, id, order, wanted...))
}

// callBack handles a callback about an order's payment.
func (s bench) callBack(id, order string) error {
	return s.step(direct).HandleCallback(s.t.Context(), payment.Callback{ID: id, Intent: s.charge(order).Intent},
		saga.Cause{ID: id, Actor: "receive-payment-event"})
}

// act completes the payment as the customer.
func (s bench) act(order, outcome string) {
	s.t.Helper()
	c := s.charge(order)
	form := url.Values{"client_secret": {c.ClientSecret}, "outcome": {outcome}}
	client := http.Client{Transport: s.way}
	resp,
		err := client.Post(s.URL+"/v1/payment_intents/"+c.Intent+"/sandbox_action", "application/x-www-form-urlencoded",
		strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	require.Equal(s.t, http.StatusOK, resp.StatusCode, string(body))
}

// authorized returns an order with an authorized charge; captured returns one with a captured charge.
func (s bench) authorized(card string) string {
	s.t.Helper()
	order := newOrder()
	require.NoError(s.t, s.handle(paymenttest.Reserved(s.t, "reserved", order, price, card)))
	require.Equal(s.t, payment.Authorized, s.charge(order).Observed)
	return order
}

func (s bench) captured(card string) string {
	s.t.Helper()
	order := s.authorized(card)
	require.NoError(s.t, s.capture("confirmed", saga.OrderConfirmed, order))
	require.Equal(s.t, payment.Captured, s.charge(order).Observed)
	return order
}

func (s bench) intent(order string) sandbox.Intent {
	s.t.Helper()
	i, err := s.Ledger.Intent(s.t.Context(), s.charge(order).Intent)
	require.NoError(s.t, err)
	return i.At(s.Now())
}

func (s bench) last(order string) saga.Fact {
	all := facts(s.charge(order))
	return all[len(all)-1]
}

func TestCaptureStep_CapturesTheAuthorizedAmount(t *testing.T) {
	t.Parallel()
	for name, card := range map[string]string{
		"an authorized amount is captured": "pm_card_visa", "a lost answer is looked up": "pm_card_captureLost",
	} {
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
			assert.Equal(t, append(want, saga.PaymentCaptured), facts(s.charge(order)),
				"a new message is answered again")
		})
	}

	t.Run("a lapsed authorization is not captured", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_captureLapsed")
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		got := s.charge(order)
		assert.Equal(t, []string{string(payment.Lapsed), payment.PaymentCanceled},
			[]string{string(got.Observed), got.Reason})
		assert.Equal(t, saga.CaptureFailed, s.last(order))
		version := got.History.Version
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		assert.Equal(t, version, s.charge(order).History.Version)
		require.NoError(t, s.capture("due", saga.CaptureDue, order))
		assert.Equal(t, version+1, s.charge(order).History.Version)
	})

	t.Run("an amount of 0 needs no provider", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.NoError(t, s.handle(paymenttest.Reserved(t, "reserved", order, money.Money{Currency: "EUR"}, "")))
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		assert.Equal(t, []saga.Fact{saga.PaymentAuthorized, saga.PaymentCaptured}, facts(s.charge(order)))
		require.NoError(t, s.returnMoney("canceling", saga.OrderCanceling, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
	})

	t.Run("an order without a charge cannot be confirmed", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, open(t).capture("confirmed", saga.OrderConfirmed, newOrder()), fault.NotFound)
	})

	t.Run("nothing is captured for a canceled order", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		require.NoError(t, s.returnMoney("canceling", saga.OrderCanceling, order))
		want := facts(s.charge(order))
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		require.NoError(t, s.capture("due", saga.CaptureDue, order))
		assert.Equal(t, want, facts(s.charge(order)))
		assert.Equal(t, sandbox.Canceled, s.intent(order).Status)
	})

	t.Run("an outage of the provider loses nothing", func(t *testing.T) {
		t.Parallel()
		cloudtest.Patiently(t, func(t *testing.T) {
			s := open(t)
			order := s.authorized("pm_card_visa")
			cut := payment.CaptureStep{Reconciler: s.step(direct).Reconciler}
			cut.Provider = provider.New("http://127.0.0.1:1", paymenttest.Key(), nil, nil)
			require.ErrorIs(t,
				cut.Handle(t.Context(),
					paymenttest.About(t, saga.CapturePayment, saga.OrderConfirmed, "confirmed", order)),
				fault.Unavailable)
			require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
			assert.Equal(t, saga.PaymentCaptured, s.last(order))
		})
	})
}

func TestReturnStep_ReturnsTheMoney(t *testing.T) {
	t.Parallel()
	outcome := func(s bench, order string) error { return s.returnMoney("canceling", saga.OrderCanceling, order) }

	for name, c := range map[string]struct {
		given    func(s bench) string
		observed payment.Observed
		facts    []saga.Fact // after those of the given charge
	}{
		"an authorized amount is released": {
			func(s bench) string { return s.authorized("pm_card_visa") }, payment.Canceled,
			[]saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"a captured amount is refunded": {
			func(s bench) string { return s.captured("pm_card_visa") }, payment.Returned,
			[]saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"a declined intent is canceled, so that no other card pays it": {
			func(s bench) string {
				order := newOrder()
				require.NoError(s.t,
					s.handle(paymenttest.Reserved(s.t, "reserved", order, price, "pm_card_chargeDeclined")))
				return order
			}, payment.Canceled, []saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"an intent that waits for the customer is canceled": {
			func(s bench) string {
				order := newOrder()
				require.NoError(s.t,
					s.handle(paymenttest.Reserved(s.t, "reserved", order, price, "pm_card_authenticationRequired")))
				return order
			}, payment.Canceled, []saga.Fact{saga.PaymentReturning, saga.PaymentReturned},
		},
		"a refused payment needs no provider": {
			func(s bench) string {
				order := newOrder()
				require.NoError(s.t, s.handle(paymenttest.Reserved(s.t, "reserved", order, price, "pm_nonsense")))
				return order
			}, payment.Canceled, []saga.Fact{saga.PaymentReturned},
		},
		"a lapsed charge is returned": {
			func(s bench) string {
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
			require.NoError(t, outcome(s, order))
			got := s.charge(order)
			assert.Equal(t, c.observed, got.Observed)
			assert.Equal(t, want, facts(got))
			assert.Empty(t, got.ClientSecret)
			require.NoError(t, outcome(s, order))
			assert.Equal(t, want, facts(s.charge(order)), "the same message again changes nothing")
			require.NoError(t, s.returnMoney("due", saga.ReturnDue, order))
			require.NoError(t, s.handle(paymenttest.CheckDue(t, "check", order)))
			assert.Equal(t, append(want, saga.PaymentReturned, saga.PaymentReturned), facts(s.charge(order)),
				"new messages are answered again")
			if got.Intent != "" {
				i := s.intent(order)
				assert.Equal(t, c.observed == payment.Returned, i.Status == sandbox.Succeeded)
				assert.Equal(t, c.observed == payment.Canceled, i.Status == sandbox.Canceled)
			}
		})
	}

	t.Run("an outcome that overtakes the payment leaves a tombstone", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.NoError(t, outcome(s, order))
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
			require.ErrorIs(t, outcome(s, order), fault.Unavailable)
			require.NoError(t, outcome(s, order))
			assert.Equal(t, saga.PaymentReturned, s.last(order))
			assert.LessOrEqual(t, len(s.intent(order).Refunds), 1)
		}
	})

	t.Run("a pending refund is waited for", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_pendingRefund")
		require.ErrorIs(t, outcome(s, order), payment.ErrUndecided)
		require.ErrorIs(t, outcome(s, order), payment.ErrUndecided)
		assert.Equal(t, saga.RefundStarted, s.last(order))
		s.Later(time.Minute)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("a failed refund is retried when the order asks", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailFirst")
		require.NoError(t, outcome(s, order))
		assert.Equal(t, saga.PaymentReturning, s.last(order), "the order still awaits the money")
		require.NoError(t, s.callBack("evt_1", order))
		assert.Len(t, s.intent(order).Refunds, 1, "a callback does not retry")
		require.NoError(t, s.returnMoney("due", saga.ReturnDue, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
	})

	t.Run("a refund that fails after days is made again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailLateFirst")
		require.NoError(t, outcome(s, order))
		require.Equal(t, saga.PaymentReturned, s.last(order))
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, payment.Captured, s.charge(order).Observed)
		assert.Equal(t, []saga.Fact{saga.PaymentReturned, saga.ReturnFailed}, facts(s.charge(order))[4:])
		require.NoError(t, s.returnMoney("due", saga.ReturnDue, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Len(t, s.intent(order).Refunds, 2)
	})

	t.Run("a payment in processing is reversed once it is decided", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.ErrorIs(t, s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_sandbox_processing_20000")),
			payment.ErrUndecided)
		if err := outcome(s, order); err != nil { // Stripe rarely cancels an intent in processing
			require.ErrorIs(t, err, payment.ErrUndecided)
			assert.Equal(t, saga.PaymentReturning, s.last(order))
		}
		s.Later(time.Minute)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Equal(t, sandbox.Canceled, s.intent(order).Status)
	})

	t.Run("a stalled confirmation is fenced off", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		at, on := make(chan struct{}), make(chan struct{})
		stalled := s.step(func(next http.RoundTripper) http.RoundTripper { return confirmGate{next, at, on} })
		ended := make(chan error)
		go func() {
			ended <- stalled.Handle(context.WithoutCancel(t.Context()),
				paymenttest.Reserved(t, "reserved", order, price, "pm_card_visa"))
		}()
		<-at
		require.NoError(t, outcome(s, order))
		close(on)
		require.NoError(t, <-ended)
		assert.Equal(t, payment.Canceled, s.charge(order).Observed)
		assert.Equal(t, 0, s.Authorizations(t, order))
	})
}

// A person who writes off an order may have settled the payment elsewhere. So old messages must
// move no more money.
func TestReturnStep_AbandonsAWrittenOffCharge(t *testing.T) {
	t.Parallel()
	writeOff := func(s bench, order string) error { return s.returnMoney("written-off", saga.PaymentWrittenOff, order) }

	t.Run("an authorized amount is released and never captured", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		require.NoError(t, writeOff(s, order))
		assert.Equal(t, []saga.Fact{saga.PaymentAbandoned, saga.CaptureFailed}, facts(s.charge(order))[2:])
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order),
			"an old message from the dead-letter queue")
		assert.Equal(t, sandbox.Canceled, s.intent(order).Status)
		assert.Equal(t, payment.Lapsed, s.charge(order).Observed)
	})

	t.Run("a captured amount is published, stays, and can be refunded", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		require.NoError(t, writeOff(s, order))
		require.NoError(t, writeOff(s, order))
		assert.Equal(t, []saga.Fact{saga.PaymentAbandoned, saga.PaymentCaptured}, facts(s.charge(order))[3:])
		require.NoError(t, s.returnMoney("canceling", saga.OrderCanceling, order),
			"an old message from the dead-letter queue")
		assert.Empty(t, s.intent(order).Refunds)
		require.NoError(t,
			s.refund("e1", saga.OrderRefunding, order,
				saga.Refund{ID: "r1", Amount: 100, Try: 1, Status: saga.RefundStatusRequested}))
		assert.Equal(t, saga.PaymentRefunded, s.last(order))
	})

	t.Run("a failed refund is not made again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailLateFirst")
		require.NoError(t, s.returnMoney("canceling", saga.OrderCanceling, order))
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		require.Equal(t, saga.ReturnFailed, s.last(order))
		require.NoError(t, writeOff(s, order))
		require.NoError(t, s.returnMoney("due", saga.ReturnDue, order), "an old message from the dead-letter queue")
		require.NoError(t, s.handle(paymenttest.CheckDue(t, "check", order)))
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("a pending refund is published when it succeeds", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_pendingRefund")
		require.ErrorIs(t, s.returnMoney("canceling", saga.OrderCanceling, order), payment.ErrUndecided)
		require.NoError(t, writeOff(s, order), "the pending refund is not waited for")
		s.Later(time.Minute)
		require.NoError(t, s.callBack("evt_1", order))
		require.NoError(t, s.callBack("evt_2", order))
		assert.Equal(t, []saga.Fact{saga.PaymentAbandoned, saga.PaymentReturned}, facts(s.charge(order))[5:])
		assert.Equal(t, payment.Returned, s.charge(order).Observed)
	})

	t.Run("a returned charge whose refund fails later is refunded again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailLateFirst")
		require.NoError(t, s.returnMoney("canceling", saga.OrderCanceling, order))
		require.NoError(t, writeOff(s, order))
		assert.Equal(t, []saga.Fact{saga.PaymentReturned, saga.PaymentReturned}, facts(s.charge(order))[4:],
			"the order did not know")
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		require.NoError(t, writeOff(s, order), "the same message again")
		require.NoError(t, s.returnMoney("due", saga.ReturnDue, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.Len(t, s.intent(order).Refunds, 2)
	})

	t.Run("a late StockReserved takes no money", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.NoError(t, writeOff(s, order))
		require.NoError(t, s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_card_visa")))
		assert.Equal(t, 0, s.Authorizations(t, order))
	})

	t.Run("the next message or callback releases what an outage kept", func(t *testing.T) {
		t.Parallel()
		for name, next := range map[string]func(s bench, order string) error{
			"PaymentCheckDue": func(s bench,
				order string) error {
				return s.handle(paymenttest.CheckDue(s.t, "check", order))
			},
			"a callback": func(s bench, order string) error { return s.callBack("evt_1", order) },
		} {
			s, order := open(t), newOrder()
			require.NoError(t,
				s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_card_authenticationRequired")))
			require.Equal(t, payment.ActionNeeded, s.charge(order).Observed)
			step := s.step(func(next http.RoundTripper) http.RoundTripper { return outage{next} }).Reconciler
			require.ErrorIs(t,
				payment.ReturnStep{Reconciler: step}.Handle(t.Context(),
					paymenttest.About(t, saga.ReturnPayment, saga.PaymentWrittenOff, "written-off", order)),
				fault.Unavailable)
			require.Equal(t, saga.PaymentAbandoned, s.last(order))
			require.NoError(t, next(s, order), name)
			assert.Equal(t, sandbox.Canceled, s.intent(order).Status, name)
		}
	})
}

// outage is a transport on which the provider does not answer.
type outage struct{ next http.RoundTripper }

func (a outage) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/v1/payment_intents") {
		return nil, io.ErrUnexpectedEOF
	}
	return a.next.RoundTrip(r)
}

func TestReturnStep_MakesPartialRefunds(t *testing.T) {
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

	t.Run("each refund is made once, and never more than was captured", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		wanted := []saga.Refund{asked("r1", 1000, 1), asked("r2", 251, 1), asked("r3", 250, 1)}
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, wanted...))
		want := []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized, saga.PaymentCaptured, saga.RefundsRecorded,
			saga.PaymentRefunded, saga.RefundRefused}
		got := s.charge(order)
		assert.Equal(t, want, facts(got), "one write has all facts")
		assert.Equal(t,
			map[string]saga.RefundStatus{"r1": saga.RefundStatusSucceeded, "r2": saga.RefundStatusRefused,
				"r3": saga.RefundStatusSucceeded}, states(got))
		assert.Len(t, got.RefundIDs, 2)
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, wanted...))
		assert.Equal(t, want, facts(s.charge(order)), "the same message again changes nothing")
		s.Later(72 * time.Hour) // the sandbox has forgotten every idempotency key
		require.NoError(t, s.refund("e2", saga.RefundDue, order, wanted...))
		assert.Equal(t, append(want, saga.PaymentRefunded, saga.RefundRefused), facts(s.charge(order)),
			"a new message is answered again")
		assert.Len(t, s.intent(order).Refunds, 2)
	})

	t.Run("a lost answer is looked up, even days later", func(t *testing.T) {
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

	t.Run("a failed refund is retried when the order asks for another try", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFailFirst")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)))
		assert.Equal(t, saga.RefundFailed, s.last(order))
		require.NoError(t, s.refund("e2", saga.RefundDue, order, asked("r1", 100, 2)))
		assert.Equal(t, saga.PaymentRefunded, s.last(order))
		assert.Equal(t, []saga.Refund{{ID: "r1", Amount: 100, Try: 2, Status: saga.RefundStatusSucceeded}},
			s.charge(order).Refunds)
	})

	t.Run("a pending refund is published when it succeeds", func(t *testing.T) {
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

	t.Run("a refund that fails after days is published", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_refundFail")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)))
		s.Later(72 * time.Hour)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, []saga.Fact{saga.RefundsRecorded, saga.PaymentRefunded, saga.RefundFailed},
			facts(s.charge(order))[3:])
	})

	t.Run("a written-off refund is not made, even for an old message", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		stale := asked("b", 300, 1)
		writtenOff := stale
		writtenOff.Status = saga.RefundStatusFailed
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, writtenOff, asked("c", 300, 1)))
		require.NoError(t, s.refund("e2", saga.OrderRefunding, order, stale),
			"an old message from the dead-letter queue")
		assert.Equal(t, map[string]saga.RefundStatus{"b": saga.RefundStatusFailed, "c": saga.RefundStatusSucceeded},
			states(s.charge(order)))
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("a written-off refund with a lost answer is found", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_returnLost")
		require.ErrorIs(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)), fault.Unavailable)
		writtenOff := asked("r1", 100, 1)
		writtenOff.Status = saga.RefundStatusFailed
		require.NoError(t, s.refund("e2", saga.RefundsWrittenOff, order, writtenOff))
		assert.Equal(t, saga.PaymentRefunded, s.last(order), "the customer has the money")
		assert.Len(t, s.intent(order).Refunds, 1)
	})

	t.Run("a callback finds a refund with a lost answer", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_returnLost")
		require.ErrorIs(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 100, 1)), fault.Unavailable)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentRefunded, s.last(order))
	})

	t.Run("refunds of an order without a charge are an error", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, open(t).refund("e1", saga.OrderRefunding, newOrder(), asked("r1", 1, 1)), fault.NotFound)
	})

	t.Run("an amount that was not captured is not refunded", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, asked("r1", 1, 1)))
		assert.Equal(t, saga.RefundFailed, s.last(order))
	})
}

func TestHandleCallback_AppliesTheIntentsState(t *testing.T) {
	t.Parallel()

	t.Run("the customer's action is recorded", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for outcome, fact := range map[string]saga.Fact{
			"succeed": saga.PaymentAuthorized, "fail": saga.PaymentDeclined,
		} {
			order := newOrder()
			require.NoError(t,
				s.handle(paymenttest.Reserved(t, "reserved", order, price, "pm_card_authenticationRequired")))
			require.NotEmpty(t, s.charge(order).ClientSecret)
			require.NoError(t, s.callBack("evt_0", order))
			s.act(order, outcome)
			require.NoError(t, s.callBack("evt_1", order))
			require.NoError(t, s.callBack("evt_1", order))
			require.NoError(t, s.callBack("evt_0", order), "in any order")
			assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentActionNeeded, fact}, facts(s.charge(order)))
			assert.Empty(t, s.charge(order).ClientSecret)
		}
	})

	t.Run("a capture with a lost answer is recorded", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		_, err := s.step(direct).Provider.Capture(t.Context(), s.charge(order).Intent, "key")
		require.NoError(t, err)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.PaymentCaptured, s.last(order))
	})

	t.Run("an intent that was canceled elsewhere has lapsed", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		s.cancel(s.charge(order).Intent)
		require.NoError(t, s.callBack("evt_1", order))
		assert.Equal(t, saga.CaptureFailed, s.last(order))
	})

	t.Run("nothing is written about an unknown payment", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		state := s.cloud.Rows("Charges")
		handle := func(intent string) error {
			return s.step(direct).HandleCallback(t.Context(), payment.Callback{ID: "evt_1", Intent: intent},
				saga.Cause{ID: "evt_1"})
		}
		make := func(change func(*payment.Charge)) string {
			c := payment.New(
				saga.Payable{Order: order, Shop: paymenttest.Shop, Total: 100, Currency: "EUR",
					PaymentMethod: "pm_card_visa"})
			change(&c)
			i, err := s.step(direct).Provider.Create(t.Context(), c, newOrder())
			require.NoError(t, err)
			return i.ID
		}
		for name, intent := range map[string]string{
			"the provider does not have it": "pi_none",
			"another payment of the order":  make(func(*payment.Charge) {}),
			"an unknown order":              make(func(c *payment.Charge) { c.Order = newOrder() }),
			"another shop's order":          make(func(c *payment.Charge) { c.Shop = "other" }),
			"another attempt":               make(func(c *payment.Charge) { c.Attempt = 2 }),
			"no order":                      make(func(c *payment.Charge) { c.Shop, c.Order = "", "" }),
		} {
			require.ErrorIs(t, handle(intent), payment.ErrUnknownPayment, name)
		}
		assert.Equal(t, state, s.cloud.Rows("Charges"))
	})

	t.Run("an outage of the provider is retried", func(t *testing.T) {
		t.Parallel()
		cloudtest.Patiently(t, func(t *testing.T) {
			s := open(t)
			order := s.authorized("pm_card_visa")
			reconciler := s.step(direct).Reconciler
			reconciler.Provider = provider.New("http://127.0.0.1:1", paymenttest.Key(), nil, nil)
			require.ErrorIs(t,
				reconciler.HandleCallback(t.Context(), payment.Callback{ID: "evt_1", Intent: s.charge(order).Intent},
					saga.Cause{ID: "evt_1"}), fault.Unavailable)
		})
	})
}

// TestReturnStep_ReturnsOnceThoughProcessesDie kills a process at each of its calls while it
// returns money, and then a second one.
func TestReturnStep_ReturnsOnceThoughProcessesDie(t *testing.T) {
	t.Parallel()
	run := func(l *process, s bench, e saga.Event) {
		ctx, die := context.WithCancel(s.t.Context())
		defer die()
		l.die = die
		reconciler := s.step(
			func(next http.RoundTripper) http.RoundTripper { return processTripper{l, next} }).Reconciler
		_ = payment.ReturnStep{Reconciler: reconciler}.Handle(ctx, e)
	}
	for i, first := range deaths(5) {
		t.Run("the first process "+first.String(), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			for later, seconds := range map[time.Duration][]*process{0: deaths(5), 25 * time.Hour: {{}}} {
				for _, second := range seconds {
					first, order := deaths(5)[i], s.captured("pm_card_visa")
					canceling := paymenttest.About(t, saga.ReturnPayment, saga.OrderCanceling, "e1", order)
					run(first, s, canceling)
					s.Later(later)
					run(second, s, canceling)
					require.NoError(t, s.returnMoney("due", saga.ReturnDue, order))
					require.Equal(t, payment.Returned, s.charge(order).Observed, "%v, %v", first, second)
					require.Len(t, s.intent(order).Refunds, 1, "%v, %v", first, second)

					part, first, second := s.captured("pm_card_visa"), deaths(5)[i],
						&process{last: second.last, answered: second.answered}
					wanted := saga.Refund{ID: "r1", Amount: 100, Try: 1, Status: saga.RefundStatusRequested}
					run(first, s, paymenttest.Refunding(t, saga.OrderRefunding, "e1", part, wanted))
					s.Later(later)
					run(second, s, paymenttest.Refunding(t, saga.OrderRefunding, "e1", part, wanted))
					require.NoError(t, s.refund("due", saga.RefundDue, part, wanted))
					require.Equal(t, saga.RefundStatusSucceeded, s.charge(part).Refunds[0].Status, "%v, %v", first,
						second)
					require.Len(t, s.intent(part).Refunds, 1, "%v, %v", first, second)
				}
			}
		})
	}
}
