package provider_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v84/webhook"

	"backroom/shared/fault"
	"backroom/shared/payment"
	"backroom/shared/payment/provider"
	"backroom/shared/saga"
	"backroom/shared/secret/apikey"
)

func current(status string) answer {
	return answer{status: 200, body: `{"id":"pi_1","status":"` + status + `"}`}
}

// The provider's answers to a request that it does not carry out.
var (
	stateForbids = answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`}
	refused = answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}`}
	unnamed   = answer{status: 400, body: `{"error":{"type":"invalid_request_error"}}`}
	disputed  = answer{status: 400, body: `{"error":{"type":"invalid_request_error","code":"charge_disputed"}}`}
	tooLarge  = answer{status: 400, body: `{"error":{"type":"invalid_request_error","param":"amount"}}`}
	failing   = answer{status: 500, body: `{"error":{"type":"api_error"}}`}
	replaying = answer{status: 500, body: `{"error":{"type":"api_error"}}`, header: "Idempotent-Replayed: true"}
)

func authorized() payment.Charge {
	c := charge()
	c.Intent = "pi_1"
	return c
}

var part = saga.Refund{ID: "r1", Amount: 250, Try: 2}

func TestClient_SendsTheRequestsOfCaptureAndReturn(t *testing.T) {
	t.Parallel()
	client,
		requests := fake(t, current("succeeded"), current("canceled"),
		answer{status: 200, body: `{"id":"re_1","status":"succeeded","amount":250}`},
		answer{status: 200, body: `{"data":[]}`})
	captured, err := client.Capture(t.Context(), "pi_1", "key-1")
	require.NoError(t, err)
	assert.Equal(t, payment.Captured, captured.Observed)
	canceled, err := client.Cancel(t.Context(), "pi_1")
	require.NoError(t, err)
	assert.Equal(t, payment.Canceled, canceled.Observed)
	_, err = client.Refund(t.Context(), authorized(), part, "key-2")
	require.NoError(t, err)
	_, err = client.Refunds(t.Context(), authorized())
	require.NoError(t, err)

	all := requests()
	all[1].key = "" // stripe-go's own
	assert.Equal(t, []request{
		{"POST", "/some/path/v1/payment_intents/pi_1/capture", "key-1", "Bearer sk_1", url.Values{}, ""},
		{"POST", "/some/path/v1/payment_intents/pi_1/cancel", "", "Bearer sk_1", url.Values{}, ""},
		{"POST", "/some/path/v1/refunds", "key-2", "Bearer sk_1", url.Values{
			"payment_intent": {"pi_1"}, "amount": {"250"}, "metadata[order]": {"ord_1"}, "metadata[shop]": {"main"},
			"metadata[attempt]": {"1"},
			"metadata[refund]":  {"r1"}, "metadata[try]": {"2"},
		}, ""},
		{"GET", "/some/path/v1/refunds", "", "Bearer sk_1", url.Values{}, "payment_intent=pi_1&limit=100"},
	}, all)
}

func TestCapture_ReturnsTheIntentsState(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []answer
		has     payment.Observed
		kind    fault.Kind
		request int
	}{
		"it is captured": {[]answer{current("succeeded")}, payment.Captured,
			"", 1},
		"it was captured before": {[]answer{stateForbids, current("succeeded")},
			payment.Captured, "", 2},
		"the authorization lapsed": {[]answer{stateForbids, current("canceled")},
			payment.Canceled, "", 2},
		"the answer is lost, but it was captured": {[]answer{failing, current("succeeded")},
			payment.Captured, "", 2},
		"the answer is lost, and it was not captured": {[]answer{failing, current("requires_capture")}, "",
			fault.Unavailable, 2},
		"the answer is lost, and so is the look-up": {[]answer{failing, failing}, "", fault.Unavailable,
			2},
		"it is refused for an unknown reason": {[]answer{refused, current("requires_capture")}, "",
			fault.Internal, 2},
		"our API key is refused": {[]answer{{status: 401,
			body: `{"error":{"type":"invalid_request_error"}}`}}, "", fault.Internal, 1},
		"the idempotency key is blocked, and it was captured": {[]answer{replaying, current("succeeded")},
			payment.Captured, "", 2},
		"the idempotency key is blocked, and another captures it": {[]answer{replaying, current("requires_capture"),
			current("succeeded")}, payment.Captured, "", 3},
		"two idempotency keys fail": {[]answer{replaying, current("requires_capture"),
			failing}, "", fault.Unavailable, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, requests := fake(t, c.answers...)
				got, err := client.Capture(t.Context(), "pi_1", "key-1")
				assert.Equal(t, c.kind, fault.KindOf(err), "%v", err)
				assert.Equal(t, c.has, got.Observed)
				assert.GreaterOrEqual(t, len(requests()), c.request)
			})
		})
	}
}

func TestCancel_ReturnsTheStateOfAnIntentThatCannotBeCanceled(t *testing.T) {
	t.Parallel()
	for status, has := range map[string]payment.Observed{
		"succeeded": payment.Captured, "canceled": payment.Canceled, "processing": payment.Uncertain,
	} {
		client, _ := fake(t, stateForbids, current(status))
		got, err := client.Cancel(t.Context(), "pi_1")
		require.NoError(t, err)
		assert.Equal(t, has, got.Observed)
	}
}

func TestFind_ReturnsErrNoIntentForAnUnknownIntent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client,
			_ := fake(t,
			answer{status: 404,
				body: `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"intent"}}`})
		_, err := client.Find(t.Context(), "pi_1")
		require.ErrorIs(t, err, payment.ErrNoIntent)
		client, _ = fake(t, answer{status: 404, body: `{"message":"no such route"}`})
		_, err = client.Find(t.Context(), "pi_1")
		require.Error(t, err)
		assert.NotErrorIs(t, err, payment.ErrNoIntent, "the answer is not the provider's")
	})
}

func TestRefund_MapsTheStatus(t *testing.T) {
	t.Parallel()
	for status, state := range map[string]saga.RefundStatus{
		"succeeded": saga.RefundStatusSucceeded, "pending": saga.RefundStatusPending,
		"requires_action": saga.RefundStatusPending, "unknown": saga.RefundStatusPending,
		"failed": saga.RefundStatusFailed, "canceled": saga.RefundStatusFailed,
	} {
		client,
			_ := fake(t,
			answer{status: 200, body: `{"id":"re_1","status":"` + status +
				`","amount":250,"metadata":{"refund":"r1","try":"2"}}`})
		got, err := client.Refund(t.Context(), authorized(), part, "key-1")
		require.NoError(t, err)
		assert.Equal(t, payment.ProviderRefund{ID: "re_1", Refund: "r1", Try: 2, Amount: 250, Status: state}, got)
	}
}

func TestRefund_IsMadeOnce(t *testing.T) {
	t.Parallel()
	arrived := answer{status: 200,
		body: `{"id":"re_1","status":"succeeded","amount":250,"metadata":{"refund":"r1","try":"2"}}`}
	listed := answer{status: 200, body: `{"data":[` + arrived.body + `]}`}
	another := answer{status: 200,
		body: `{"data":[{"id":"re_0","status":"failed","amount":250,"metadata":{"refund":"r1","try":"1"}}]}`}
	for name, c := range map[string]struct {
		answers []answer
		id      string
		state   saga.RefundStatus
		kind    fault.Kind
		keys    []string
	}{
		"it succeeds":             {[]answer{arrived}, "re_1", saga.RefundStatusSucceeded, "", []string{"key-1"}},
		"the provider refuses it": {[]answer{unnamed}, "", saga.RefundStatusFailed, "", []string{"key-1"}},
		"all was refunded":        {[]answer{refused}, "", saga.RefundStatusRefused, "", []string{"key-1"}},
		"it is disputed":          {[]answer{disputed}, "", saga.RefundStatusRefused, "", []string{"key-1"}},
		"less is left":            {[]answer{tooLarge}, "", saga.RefundStatusRefused, "", []string{"key-1"}},
		"the answer is lost":      {[]answer{failing}, "", "", fault.Unavailable, []string{"key-1"}},
		"the idempotency key is blocked, and it was made": {[]answer{replaying, listed}, "re_1",
			saga.RefundStatusSucceeded, "", []string{"key-1", ""}},
		"the idempotency key is blocked, and it is made now": {[]answer{replaying, another, arrived}, "re_1",
			saga.RefundStatusSucceeded, "", []string{"key-1", "", "key-1-again"}},
		"the idempotency key is blocked, and the list is throttled": {[]answer{replaying,
			{status: 429, body: `{"error":{}}`}}, "", "", fault.Throttled, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, requests := fake(t, c.answers...)
				got, err := client.Refund(t.Context(), authorized(), part, "key-1")
				assert.Equal(t, c.kind, fault.KindOf(err), "%v", err)
				assert.Equal(t, c.id, got.ID)
				assert.Equal(t, c.state, got.Status)
				var keys []string
				for _, r := range requests() {
					keys = append(keys, r.key)
				}
				if c.keys != nil {
					assert.Equal(t, c.keys, keys)
				}
				if c.state == saga.RefundStatusFailed || c.state == saga.RefundStatusRefused {
					assert.Equal(t, payment.ProviderRefund{Refund: "r1", Try: 2, Amount: 250, Status: c.state}, got)
				}
			})
		})
	}
}

func TestRefund_CountsInTheProvidersUnits(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, answer{status: 200, body: `{"id":"re_1","status":"succeeded","amount":50000}`})
	c := authorized()
	c.Amount.Currency = "ISK"
	got, err := client.Refund(t.Context(), c, saga.Refund{ID: "r1", Amount: 500, Try: 1}, "key-1")
	require.NoError(t, err)
	assert.Equal(t, "50000", requests()[0].form.Get("amount"))
	assert.EqualValues(t, 500, got.Amount)

	c.Amount.Currency = "KWD"
	got, err = client.Refund(t.Context(), c, saga.Refund{ID: "r1", Amount: 1001, Try: 1}, "key-1")
	require.NoError(t, err)
	assert.Equal(t, saga.RefundStatusRefused, got.Status, "cards do not support thousandths")
	assert.Len(t, requests(), 1)
}

func TestRefunds_ReadsEveryPage(t *testing.T) {
	t.Parallel()
	client, requests := fake(t,
		answer{status: 200, body: `{"has_more":true,"data":[{"id":"re_1","status":"succeeded","amount":1}]}`},
		answer{status: 200, body: `{"has_more":false,"data":[{"id":"re_2","status":"pending","amount":2}]}`})
	all, err := client.Refunds(t.Context(), authorized())
	require.NoError(t, err)
	assert.Equal(t,
		[]payment.ProviderRefund{{ID: "re_1", Amount: 1, Status: saga.RefundStatusSucceeded},
			{ID: "re_2", Amount: 2, Status: saga.RefundStatusPending}}, all)
	require.Len(t, requests(), 2)
	assert.Equal(t, "payment_intent=pi_1&limit=100&starting_after=re_1", requests()[1].query)
}

func TestDisputes_MapsTheStatusAndTheAmount(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]payment.DisputeStatus{
		"needs_response": payment.DisputeOpen, "under_review": payment.DisputeOpen, "unknown": payment.DisputeOpen,
		"lost": payment.DisputeLost, "won": payment.DisputeWon, "prevented": payment.DisputeWon,
		"warning_needs_response": payment.DisputeWon, "warning_under_review": payment.DisputeWon,
		"warning_closed": payment.DisputeWon,
	} {
		client, requests := fake(t, answer{status: 200,
			body: `{"has_more":false,"data":[{"id":"dp_1","status":"` + status + `","amount":250,"currency":"eur"}]}`})
		all, err := client.Disputes(t.Context(), authorized())
		require.NoError(t, err)
		assert.Equal(t, []payment.Dispute{{ID: "dp_1", Amount: 250, Status: want}}, all)
		assert.Equal(t, "payment_intent=pi_1&limit=100", requests()[0].query)
	}
	client, _ := fake(t, answer{status: 200,
		body: `{"data":[{"id":"dp_1","status":"lost","amount":250,"currency":"usd"}]}`})
	all, err := client.Disputes(t.Context(), authorized())
	require.NoError(t, err)
	assert.Equal(t, charge().Amount.Amount, all[0].Amount, "in another currency it counts as all of the charge")
}

func TestFind_ReturnsWhatWasReceived(t *testing.T) {
	t.Parallel()
	client, _ := fake(t, answer{status: 200,
		body: `{"id":"pi_1","status":"succeeded","amount_received":50000,"currency":"isk"}`})
	got, err := client.Find(t.Context(), "pi_1")
	require.NoError(t, err)
	assert.EqualValues(t, 500, got.Received, "in our minor units")
}

// breaker counts calls and outages.
type breaker struct {
	open            error
	calls, outages  int
	lastOutageIsFor fault.Kind
}

func (b *breaker) Do(_ context.Context, call func() error) error {
	if b.open != nil {
		return b.open
	}
	b.calls++
	err := call()
	if err != nil {
		b.outages++
		b.lastOutageIsFor = fault.KindOf(err)
	}
	return err
}

func TestClient_ReportsOutagesButNotRefusalsToTheGuard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer answer
		outage bool
	}{
		"an answer": {current("requires_capture"), false},
		"a decline": {answer{status: 402, body: `{"error":{"type":"card_error","code":"card_declined"}}`},
			false},
		"a refusal":             {refused, false},
		"a key that is refused": {answer{status: 401, body: `{"error":{"type":"invalid_request_error"}}`}, false},
		"a request in progress": {answer{status: 409,
			body: `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`}, false},
		"a locked object": {answer{status: 429,
			body: `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`}, false},
		"too many requests":      {answer{status: 429, body: `{"error":{"code":"rate_limit"}}`}, true},
		"a failure":              {failing, true},
		"an answer of a gateway": {answer{status: 502, body: `<html>`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &breaker{}
				client, _ := guarded(t, b, c.answer)
				_, err := client.Find(t.Context(), "pi_1")
				assert.Equal(t, 1, b.calls)
				assert.Equal(t, c.outage, b.outages == 1, "%v", err)
				assert.Equal(t, c.outage, b.lastOutageIsFor.Later())
			})
		})
	}
}

func TestClient_ReturnsTheErrorOfAnOpenCircuit(t *testing.T) {
	t.Parallel()
	open := fault.New(fault.Unavailable, "circuit-open", "Not now.")
	client, requests := guarded(t, &breaker{open: open}, current("requires_capture"))
	_, err := client.Capture(t.Context(), "pi_1", "key-1")
	require.ErrorIs(t, err, open)
	_, err = client.Refund(t.Context(), authorized(), part, "key-1")
	require.ErrorIs(t, err, open)
	assert.Empty(t, requests())
}

func TestOpen_AcceptsOnlySignedCallbacks(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const secret = "whsec_1"
	body := []byte(
		`{"object":"event","id":"evt_1","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_1","object":"payment_intent","secrets":[1]}}}`)
	sign := func(body []byte, secret string, at time.Time) string {
		return webhook.GenerateTestSignedPayload(
			&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at}).Header
	}
	_, mine, _ := strings.Cut(sign(body, secret, at), ",")
	_, other, _ := strings.Cut(sign(body, "whsec_0", at), ",")
	stamp, _, _ := strings.Cut(sign(body, secret, at), ",")
	for name, c := range map[string]struct {
		header string
		body   []byte
		err    error
	}{
		"a signed event":                       {header: sign(body, secret, at), body: body},
		"one that was signed with two secrets": {header: stamp + "," + other + "," + mine, body: body},
		"one with a signature of another kind": {header: stamp + ",v0=abc," + mine, body: body},
		"one that is almost too old":           {header: sign(body, secret, at.Add(-5*time.Minute)), body: body},
		"one that is too old": {header: sign(body, secret, at.Add(-5*time.Minute-time.Second)),
			body: body, err: payment.ErrNotSigned},
		"one from the future": {header: sign(body, secret, at.Add(6*time.Minute)), body: body,
			err: payment.ErrNotSigned},
		"one that is signed with another secret": {header: sign(body, "whsec_0", at), body: body,
			err: payment.ErrNotSigned},
		"one that was changed": {header: sign(body, secret, at), body: append(body, ' '),
			err: payment.ErrNotSigned},
		"one without a signature":             {header: "", body: body, err: payment.ErrNotSigned},
		"one without a time":                  {header: mine, body: body, err: payment.ErrNotSigned},
		"one whose time is not a number":      {header: "t=now," + mine, body: body, err: payment.ErrNotSigned},
		"a signature that is not hexadecimal": {header: stamp + ",v1=xyz", body: body, err: payment.ErrNotSigned},
		"a signed body that is not an event": {header: sign([]byte("[]"), secret, at), body: []byte("[]"),
			err: payment.ErrUnreadable},
		"an event without an id": {header: sign([]byte("{}"), secret, at), body: []byte("{}"),
			err: payment.ErrUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := callbacks(at, secret).Open(t.Context(), c.body, c.header)
			require.ErrorIs(t, err, c.err)
			if c.err == nil {
				assert.Equal(t, payment.Callback{ID: "evt_1", Intent: "pi_1"}, got)
			}
		})
	}

	after := map[string]bool{
		"a refund": true, "a charge": true, "a refund of no intent": true, "a dispute": true, "a decided dispute": true,
	}
	for name, c := range map[string]struct{ body, intent string }{
		"a dispute":                       {`{"object":"event","id":"evt_1","type":"charge.dispute.created","data":{"object":{"id":"dp_1","object":"dispute","payment_intent":"pi_1"}}}`, "pi_1"},
		"a decided dispute":               {`{"object":"event","id":"evt_1","type":"charge.dispute.closed","data":{"object":{"id":"dp_1","object":"dispute","payment_intent":"pi_1"}}}`, "pi_1"},
		"a captured charge":               {`{"object":"event","id":"evt_1","type":"charge.captured","data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_1"}}}`, "pi_1"},
		"a refund":                        {`{"object":"event","id":"evt_1","type":"refund.failed","data":{"object":{"id":"re_1","object":"refund","payment_intent":"pi_1"}}}`, "pi_1"},
		"a charge":                        {`{"object":"event","id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_1"}}}`, "pi_1"},
		"a refund of no intent":           {`{"object":"event","id":"evt_1","type":"refund.failed","data":{"object":{"id":"re_1","object":"refund","payment_intent":null}}}`, ""},
		"something else":                  {`{"object":"event","id":"evt_1","type":"customer.created","data":{"object":{"id":"cus_1","object":"customer"}}}`, ""},
		"an intent that was just created": {`{"object":"event","id":"evt_1","type":"payment_intent.created","data":{"object":{"id":"pi_1","object":"payment_intent"}}}`, ""},
	} {
		t.Run("about "+name, func(t *testing.T) {
			t.Parallel()
			got, err := callbacks(at, secret).Open(t.Context(), []byte(c.body), sign([]byte(c.body), secret, at))
			require.NoError(t, err)
			assert.Equal(t, payment.Callback{ID: "evt_1", Intent: c.intent, AfterCapture: after[name]}, got)
		})
	}

	for name, body := range map[string]string{
		"a thin event": `{"id":"evt_1","object":"v2.core.event","type":"v1.payment_intent.succeeded",` +
			`"related_object":{"id":"pi_1","type":"payment_intent"}}`,
		"an object":             `{"id":"pi_1","object":"payment_intent","status":"succeeded"}`,
		"an event without data": `{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}`,
		"a ping":                `{"object":"event","type":"ping"}`,
	} {
		t.Run(name+" is refused, so that a wrong registration is seen", func(t *testing.T) {
			t.Parallel()
			_, err := callbacks(at, secret).Open(t.Context(), []byte(body), sign([]byte(body), secret, at))
			require.ErrorIs(t, err, payment.ErrUnreadable)
		})
	}

	t.Run("a secret that was replaced is read again", func(t *testing.T) {
		t.Parallel()
		c := callbacks(at, "whsec_0", secret)
		for range 2 {
			_, err := c.Open(t.Context(), body, sign(body, secret, at))
			require.NoError(t, err)
		}
	})

	t.Run("without a secret no callback is accepted", func(t *testing.T) {
		t.Parallel()
		_, err := callbacks(at, "").Open(t.Context(), body, sign(body, "", at))
		require.ErrorIs(t, err, payment.ErrNoSigningSecret)
		away := provider.Callbacks{Now: time.Now,
			Secret: apikey.New(func(context.Context) (string, error) { return "", errors.New("away") }, time.Now)}
		_, err = away.Open(t.Context(), body, "")
		require.ErrorIs(t, err, apikey.ErrUnreadable)
	})
}

// callbacks returns a Callbacks that reads the secrets one after the other.
func callbacks(at time.Time, secrets ...string) provider.Callbacks {
	reads := 0
	return provider.Callbacks{Now: func() time.Time { return at },
		Secret: apikey.New(func(context.Context) (string, error) {
			reads++
			return secrets[min(reads, len(secrets))-1], nil
		}, time.Now)}
}
