package payment_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/payment"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/saga"
	"backroom/shared/sandbox"
)

// outside does something at the sandbox that Backroom does not know of. path may name the order's intent as {intent}
// and its first dispute as {dispute}.
func (s bench) outside(order, path, form string) {
	s.t.Helper()
	intent := s.charge(order).Intent
	fill := strings.NewReplacer("{intent}", intent, "{dispute}", "dp_"+strings.TrimPrefix(intent, "pi_")+"_1")
	values, err := url.ParseQuery(fill.Replace(form))
	require.NoError(s.t, err)
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+fill.Replace(path),
		strings.NewReader(values.Encode()))
	require.NoError(s.t, err)
	key, err := paymenttest.Key().Get(s.t.Context())
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := s.way.RoundTrip(r)
	require.NoError(s.t, err)
	require.NoError(s.t, answer.Body.Close())
	require.Equal(s.t, http.StatusOK, answer.StatusCode, path)
}

func (s bench) staffRefund(order, amount string) {
	s.outside(order, "/v1/refunds", "payment_intent={intent}&amount="+amount)
}

func (s bench) disputed(order, amount string) {
	s.outside(order, "/v1/payment_intents/{intent}/sandbox_dispute", "amount="+amount)
}

func (s bench) decided(order, evidence string) {
	s.outside(order, "/v1/disputes/{dispute}", "evidence[uncategorized_text]="+evidence)
}

// notice handles a callback about a refund or a dispute of the order's payment.
func (s bench) notice(id, order string) error {
	return s.step(direct).HandleCallback(s.t.Context(),
		payment.Callback{ID: id, Intent: s.charge(order).Intent, AfterCapture: true}, saga.Cause{ID: id})
}

func requested(id string, amount int64) saga.Refund {
	return saga.Refund{ID: id, Amount: amount, Try: 1, Status: saga.RefundStatusRequested}
}

// The price of each order is 12.50 EUR.
func TestExternalMoney_IsHeardAndNeverPaidAgain(t *testing.T) {
	t.Parallel()

	t.Run("a refund at the provider is published once, and is not paid again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		s.staffRefund(order, "1000")
		require.NoError(t, s.notice("evt_1", order))
		require.NoError(t, s.notice("evt_1", order))
		require.NoError(t, s.notice("evt_2", order))
		c := s.charge(order)
		assert.Equal(t, []saga.Fact{saga.ExternalMoneyMoved}, facts(c)[3:])
		assert.Equal(t, &saga.External{Refunded: 1000}, c.External)
		require.Len(t, c.ExternalRefunds, 1)
		assert.Equal(t, []any{int64(1000), saga.RefundStatusSucceeded},
			[]any{c.ExternalRefunds[0].Amount, c.ExternalRefunds[0].Status})

		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, requested("r1", 251), requested("r2", 250)))
		assert.Equal(t, []saga.RefundStatus{saga.RefundStatusRefused, saga.RefundStatusSucceeded},
			[]saga.RefundStatus{s.charge(order).Refunds[0].Status, s.charge(order).Refunds[1].Status})
		assert.EqualValues(t, 1250, s.intent(order).Refunded())
	})

	t.Run("a lost callback is made up for by the next refund", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_callbackNone")
		s.staffRefund(order, "400")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, requested("r1", 1000)))
		c := s.charge(order)
		assert.Equal(t, []saga.Fact{saga.RefundsRecorded, saga.RefundRefused, saga.ExternalMoneyMoved}, facts(c)[3:])
		assert.Equal(t, &saga.External{Refunded: 400}, c.External)
		require.NoError(t, s.refund("e2", saga.RefundDue, order, requested("r1", 1000)))
		assert.Equal(t, saga.RefundRefused, s.last(order), "asked again, it answers again")
		assert.EqualValues(t, 400, s.intent(order).Refunded(), "nothing is paid out twice")
	})

	t.Run("a refund that was refused for an unpayable amount says that nothing else left", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, requested("r1", 9999)))
		assert.Equal(t, saga.RefundRefused, s.last(order))
		assert.Equal(t, &saga.External{}, s.charge(order).External, "the message needs it")
	})

	t.Run("a dispute is not refundable until it is won", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for _, end := range []string{"winning_evidence", "losing_evidence"} {
			order := s.captured("pm_card_visa")
			s.disputed(order, "")
			require.NoError(t, s.notice("evt_1", order))
			assert.Equal(t, &saga.External{Disputed: 1250}, s.charge(order).External)
			require.NoError(t, s.refund("e1", saga.OrderRefunding, order, requested("r1", 100)))
			assert.Equal(t, saga.RefundStatusRefused, s.charge(order).Refunds[0].Status)
			s.decided(order, end)
			require.NoError(t, s.notice("evt_2", order))
			again := requested("r2", 100)
			require.NoError(t, s.refund("e2", saga.OrderRefunding, order, s.charge(order).Refunds[0], again))
			want := map[string]saga.RefundStatus{
				"winning_evidence": saga.RefundStatusSucceeded, "losing_evidence": saga.RefundStatusRefused,
			}[end]
			assert.Equal(t, want, s.charge(order).Refunds[1].Status, end)
		}
	})

	t.Run("a return pays only what is left", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		s.staffRefund(order, "400")
		s.disputed(order, "300")
		require.NoError(t, s.returnMoney("e1", saga.OrderCanceling, order))
		assert.Equal(t, payment.Returned, s.charge(order).Observed)
		i := s.intent(order)
		assert.Equal(t, []int64{950, 300}, []int64{i.Refunded(), i.Disputed()})
		assert.Contains(t, facts(s.charge(order)), saga.PaymentReturned)
	})

	t.Run("a dispute that is won after the return brings its money back", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_createDispute")
		require.NoError(t, s.returnMoney("e1", saga.OrderCanceling, order))
		require.Equal(t, payment.Returned, s.charge(order).Observed, "the bank gave it to the customer")
		s.decided(order, "winning_evidence")
		require.NoError(t, s.notice("evt_1", order))
		assert.Equal(t, saga.ReturnFailed, s.last(order), "the shop has it again")
		require.NoError(t, s.returnMoney("e2", saga.ReturnDue, order))
		assert.Equal(t, saga.PaymentReturned, s.last(order))
		assert.EqualValues(t, 1250, s.intent(order).Refunded())
	})

	t.Run("less was captured at the provider", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.authorized("pm_card_visa")
		s.outside(order, "/v1/payment_intents/{intent}/capture", "amount_to_capture=1000")
		require.NoError(t, s.callBack("evt_1", order))
		require.NoError(t, s.capture("confirmed", saga.OrderConfirmed, order))
		assert.Equal(t, &saga.External{Uncaptured: 250}, s.charge(order).External)
		require.NoError(t, s.refund("e1", saga.OrderRefunding, order, requested("r1", 1250)))
		assert.Equal(t, saga.RefundStatusRefused, s.charge(order).Refunds[0].Status)
		require.NoError(t, s.returnMoney("e2", saga.OrderCanceling, order))
		assert.Equal(t, payment.Returned, s.charge(order).Observed)
		assert.EqualValues(t, 1000, s.intent(order).Refunded())
	})

	t.Run("a plain callback reads nothing more than before", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		order := s.captured("pm_card_visa")
		require.NoError(t, s.callBack("evt_1", order))
		assert.Nil(t, s.charge(order).External)
		assert.Equal(t, sandbox.Succeeded, s.intent(order).Status)
	})
}
