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

func stands(status string) said {
	return said{status: 200, body: `{"id":"pi_1","status":"` + status + `"}`}
}

// What the provider says to a request that it does not carry out.
var (
	outOfTurn = said{status: 400, body: `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`}
	refused   = said{status: 400, body: `{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}`}
	failing   = said{status: 500, body: `{"error":{"type":"api_error"}}`}
	replaying = said{status: 500, body: `{"error":{"type":"api_error"}}`, header: "Idempotent-Replayed: true"}
)

func held() payment.Charge {
	c := charge()
	c.Intent = "pi_1"
	return c
}

var part = saga.Refund{ID: "r1", Amount: 250, Try: 2}

func TestWhatIsSentToTakeMoneyAndToGiveItBack(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, stands("succeeded"), stands("canceled"), said{status: 200, body: `{"id":"re_1","status":"succeeded","amount":250}`}, said{status: 200, body: `{"data":[]}`})
	captured, err := client.Capture(t.Context(), "pi_1", "key-1")
	require.NoError(t, err)
	assert.Equal(t, payment.Captured, captured.Observed)
	canceled, err := client.Cancel(t.Context(), "pi_1")
	require.NoError(t, err)
	assert.Equal(t, payment.Canceled, canceled.Observed)
	_, err = client.Refund(t.Context(), held(), part, "key-2")
	require.NoError(t, err)
	_, err = client.Refunds(t.Context(), held())
	require.NoError(t, err)

	all := requests()
	all[1].key = "" // stripe-go's own
	assert.Equal(t, []asked{
		{"POST", "/some/path/v1/payment_intents/pi_1/capture", "key-1", "Bearer sk_1", url.Values{}, ""},
		{"POST", "/some/path/v1/payment_intents/pi_1/cancel", "", "Bearer sk_1", url.Values{}, ""},
		{"POST", "/some/path/v1/refunds", "key-2", "Bearer sk_1", url.Values{
			"payment_intent": {"pi_1"}, "amount": {"250"}, "metadata[order]": {"ord_1"}, "metadata[shop]": {"main"}, "metadata[attempt]": {"1"},
			"metadata[refund]": {"r1"}, "metadata[try]": {"2"},
		}, ""},
		{"GET", "/some/path/v1/refunds", "", "Bearer sk_1", url.Values{}, "payment_intent=pi_1&limit=100"},
	}, all)
}

func TestWhatBecomesOfACapture(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []said
		has     payment.Observed
		kind    fault.Kind
		asked   int
	}{
		"it is taken":                                 {[]said{stands("succeeded")}, payment.Captured, "", 1},
		"it was taken before":                         {[]said{outOfTurn, stands("succeeded")}, payment.Captured, "", 2},
		"it lapsed":                                   {[]said{outOfTurn, stands("canceled")}, payment.Canceled, "", 2},
		"the answer is lost, but it was taken":        {[]said{failing, stands("succeeded")}, payment.Captured, "", 2},
		"the answer is lost, and it was not taken":    {[]said{failing, stands("requires_capture")}, "", fault.Unavailable, 2},
		"the answer is lost, and nobody knows":        {[]said{failing, failing}, "", fault.Unavailable, 2},
		"it is refused, and nobody knows why":         {[]said{refused, stands("requires_capture")}, "", fault.Internal, 2},
		"our key may not do that":                     {[]said{{status: 401, body: `{"error":{"type":"invalid_request_error"}}`}}, "", fault.Internal, 1},
		"the key leads nowhere, and it was taken":     {[]said{replaying, stands("succeeded")}, payment.Captured, "", 2},
		"the key leads nowhere, and it is taken now":  {[]said{replaying, stands("requires_capture"), stands("succeeded")}, payment.Captured, "", 3},
		"the key leads nowhere, and nor does another": {[]said{replaying, stands("requires_capture"), failing}, "", fault.Unavailable, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, requests := fake(t, c.answers...)
				got, err := client.Capture(t.Context(), "pi_1", "key-1")
				assert.Equal(t, c.kind, fault.KindOf(err), "%v", err)
				assert.Equal(t, c.has, got.Observed)
				assert.GreaterOrEqual(t, len(requests()), c.asked)
			})
		})
	}
}

func TestWhatCannotBeCanceledStandsAsItDid(t *testing.T) {
	t.Parallel()
	for status, has := range map[string]payment.Observed{"succeeded": payment.Captured, "canceled": payment.Canceled, "processing": payment.Uncertain} {
		client, _ := fake(t, outOfTurn, stands(status))
		got, err := client.Cancel(t.Context(), "pi_1")
		require.NoError(t, err)
		assert.Equal(t, has, got.Observed)
	}
}

func TestAnIntentThatTheProviderNeverHad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := fake(t, said{status: 404, body: `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"intent"}}`})
		_, err := client.Find(t.Context(), "pi_1")
		require.ErrorIs(t, err, payment.ErrNoIntent)
		client, _ = fake(t, said{status: 404, body: `{"message":"no such route"}`})
		_, err = client.Find(t.Context(), "pi_1")
		require.Error(t, err)
		assert.NotErrorIs(t, err, payment.ErrNoIntent, "who answers is not the provider")
	})
}

func TestWhatARefundsStatusMeans(t *testing.T) {
	t.Parallel()
	for status, state := range map[string]saga.RefundStatus{
		"succeeded": saga.RefundStatusSucceeded, "pending": saga.RefundStatusPending, "requires_action": saga.RefundStatusPending, "unheard_of": saga.RefundStatusPending,
		"failed": saga.RefundStatusFailed, "canceled": saga.RefundStatusFailed,
	} {
		client, _ := fake(t, said{status: 200, body: `{"id":"re_1","status":"` + status + `","amount":250,"metadata":{"refund":"r1","try":"2"}}`})
		got, err := client.Refund(t.Context(), held(), part, "key-1")
		require.NoError(t, err)
		assert.Equal(t, payment.ProviderRefund{ID: "re_1", Refund: "r1", Try: 2, Amount: 250, Status: state}, got)
	}
}

func TestWhatBecomesOfARefund(t *testing.T) {
	t.Parallel()
	arrived := said{status: 200, body: `{"id":"re_1","status":"succeeded","amount":250,"metadata":{"refund":"r1","try":"2"}}`}
	listed := said{status: 200, body: `{"data":[` + arrived.body + `]}`}
	another := said{status: 200, body: `{"data":[{"id":"re_0","status":"failed","amount":250,"metadata":{"refund":"r1","try":"1"}}]}`}
	for name, c := range map[string]struct {
		answers []said
		id      string
		state   saga.RefundStatus
		kind    fault.Kind
		keys    []string
	}{
		"it arrives":                              {[]said{arrived}, "re_1", saga.RefundStatusSucceeded, "", []string{"key-1"}},
		"the provider will not make it":           {[]said{refused}, "", saga.RefundStatusFailed, "", []string{"key-1"}},
		"the answer is lost":                      {[]said{failing}, "", "", fault.Unavailable, []string{"key-1"}},
		"the key leads nowhere, and it was made":  {[]said{replaying, listed}, "re_1", saga.RefundStatusSucceeded, "", []string{"key-1", ""}},
		"the key leads nowhere, and it is made":   {[]said{replaying, another, arrived}, "re_1", saga.RefundStatusSucceeded, "", []string{"key-1", "", "key-1-again"}},
		"the key leads nowhere, and nobody knows": {[]said{replaying, {status: 429, body: `{"error":{}}`}}, "", "", fault.Throttled, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, requests := fake(t, c.answers...)
				got, err := client.Refund(t.Context(), held(), part, "key-1")
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
				if c.state == saga.RefundStatusFailed {
					assert.Equal(t, payment.ProviderRefund{Refund: "r1", Try: 2, Amount: 250, Status: saga.RefundStatusFailed}, got)
				}
			})
		})
	}
}

func TestARefundIsCountedAsTheProviderCounts(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, said{status: 200, body: `{"id":"re_1","status":"succeeded","amount":50000}`})
	c := held()
	c.Amount.Currency = "ISK"
	got, err := client.Refund(t.Context(), c, saga.Refund{ID: "r1", Amount: 500, Try: 1}, "key-1")
	require.NoError(t, err)
	assert.Equal(t, "50000", requests()[0].form.Get("amount"))
	assert.EqualValues(t, 500, got.Amount)

	c.Amount.Currency = "KWD"
	got, err = client.Refund(t.Context(), c, saga.Refund{ID: "r1", Amount: 1001, Try: 1}, "key-1")
	require.NoError(t, err)
	assert.Equal(t, saga.RefundStatusFailed, got.Status, "cards know no thousandths")
	assert.Len(t, requests(), 1)
}

func TestEveryPageOfRefundsIsRead(t *testing.T) {
	t.Parallel()
	client, requests := fake(t,
		said{status: 200, body: `{"has_more":true,"data":[{"id":"re_1","status":"succeeded","amount":1}]}`},
		said{status: 200, body: `{"has_more":false,"data":[{"id":"re_2","status":"pending","amount":2}]}`})
	all, err := client.Refunds(t.Context(), held())
	require.NoError(t, err)
	assert.Equal(t, []payment.ProviderRefund{{ID: "re_1", Amount: 1, Status: saga.RefundStatusSucceeded}, {ID: "re_2", Amount: 2, Status: saga.RefundStatusPending}}, all)
	require.Len(t, requests(), 2)
	assert.Equal(t, "payment_intent=pi_1&limit=100&starting_after=re_1", requests()[1].query)
}

// breaker counts what it is told of.
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

func TestTheGuardIsToldOfOutagesAndNotOfRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said   said
		outage bool
	}{
		"an answer":              {stands("requires_capture"), false},
		"a decline":              {said{status: 402, body: `{"error":{"type":"card_error","code":"card_declined"}}`}, false},
		"a refusal":              {refused, false},
		"a key that is refused":  {said{status: 401, body: `{"error":{"type":"invalid_request_error"}}`}, false},
		"a request in the way":   {said{status: 409, body: `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`}, false},
		"a lock in the way":      {said{status: 429, body: `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`}, false},
		"too many requests":      {said{status: 429, body: `{"error":{"code":"rate_limit"}}`}, true},
		"a failure":              {failing, true},
		"an answer of a gateway": {said{status: 502, body: `<html>`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &breaker{}
				client, _ := guarded(t, b, c.said)
				_, err := client.Find(t.Context(), "pi_1")
				assert.Equal(t, 1, b.calls)
				assert.Equal(t, c.outage, b.outages == 1, "%v", err)
				assert.Equal(t, c.outage, b.lastOutageIsFor.Later())
			})
		})
	}
}

func TestAGuardKeepsCallsFromTheProvider(t *testing.T) {
	t.Parallel()
	open := fault.New(fault.Unavailable, "circuit-open", "Not now.")
	client, requests := guarded(t, &breaker{open: open}, stands("requires_capture"))
	_, err := client.Capture(t.Context(), "pi_1", "key-1")
	require.ErrorIs(t, err, open)
	_, err = client.Refund(t.Context(), held(), part, "key-1")
	require.ErrorIs(t, err, open)
	assert.Empty(t, requests())
}

func TestOpeningCallbacks(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const secret = "whsec_1"
	body := []byte(`{"id":"evt_1","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_1","object":"payment_intent","secrets":[1]}}}`)
	sign := func(body []byte, secret string, at time.Time) string {
		return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at}).Header
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
		"one that is too old":                  {header: sign(body, secret, at.Add(-5*time.Minute-time.Second)), body: body, err: payment.ErrNotSigned},
		"one from the future":                  {header: sign(body, secret, at.Add(6*time.Minute)), body: body, err: payment.ErrNotSigned},
		"one that another signed":              {header: sign(body, "whsec_0", at), body: body, err: payment.ErrNotSigned},
		"one that was changed":                 {header: sign(body, secret, at), body: append(body, ' '), err: payment.ErrNotSigned},
		"one that nobody signed":               {header: "", body: body, err: payment.ErrNotSigned},
		"one without a time":                   {header: mine, body: body, err: payment.ErrNotSigned},
		"one whose time is none":               {header: "t=now," + mine, body: body, err: payment.ErrNotSigned},
		"a signature that is none":             {header: stamp + ",v1=xyz", body: body, err: payment.ErrNotSigned},
		"what is no event, though signed":      {header: sign([]byte("[]"), secret, at), body: []byte("[]"), err: payment.ErrUnreadable},
		"an event without an id":               {header: sign([]byte("{}"), secret, at), body: []byte("{}"), err: payment.ErrUnreadable},
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

	for name, c := range map[string]struct{ body, intent string }{
		"a refund":                     {`{"id":"evt_1","type":"refund.failed","data":{"object":{"id":"re_1","object":"refund","payment_intent":"pi_1"}}}`, "pi_1"},
		"a charge":                     {`{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_1"}}}`, "pi_1"},
		"a refund of no intent":        {`{"id":"evt_1","type":"refund.failed","data":{"object":{"id":"re_1","object":"refund","payment_intent":null}}}`, ""},
		"something else":               {`{"id":"evt_1","type":"customer.created","data":{"object":{"id":"cus_1","object":"customer"}}}`, ""},
		"an intent that was just made": {`{"id":"evt_1","type":"payment_intent.created","data":{"object":{"id":"pi_1","object":"payment_intent"}}}`, ""},
	} {
		t.Run("about "+name, func(t *testing.T) {
			t.Parallel()
			got, err := callbacks(at, secret).Open(t.Context(), []byte(c.body), sign([]byte(c.body), secret, at))
			require.NoError(t, err)
			assert.Equal(t, payment.Callback{ID: "evt_1", Intent: c.intent}, got)
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

	t.Run("without a secret nothing is taken in", func(t *testing.T) {
		t.Parallel()
		_, err := callbacks(at, "").Open(t.Context(), body, sign(body, "", at))
		require.ErrorIs(t, err, payment.ErrNoSigningSecret)
		away := provider.Callbacks{Now: time.Now, Secret: apikey.New(func(context.Context) (string, error) { return "", errors.New("away") }, time.Now)}
		_, err = away.Open(t.Context(), body, "")
		require.ErrorIs(t, err, apikey.ErrUnreadable)
	})
}

// callbacks opens what was signed with the last of the secrets, which are read one after the other.
func callbacks(at time.Time, secrets ...string) provider.Callbacks {
	reads := 0
	return provider.Callbacks{Now: func() time.Time { return at }, Secret: apikey.New(func(context.Context) (string, error) {
		reads++
		return secrets[min(reads, len(secrets))-1], nil
	}, time.Now)}
}
