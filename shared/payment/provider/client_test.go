package provider_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/apikey"
	"backroom/shared/payment/provider"
)

// said is what a provider answers, request by request; the last answer stands for all that follow.
type said struct {
	status int
	body   string
	header string // "Name: value"
	after  time.Duration
}

type asked struct {
	method, path, key, authorization string
	form                             url.Values
}

// fake answers as told and remembers what it was asked.
func fake(t *testing.T, answers ...said) (*provider.Client, func() []asked) {
	t.Helper()
	var mu sync.Mutex
	var all []asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		mu.Lock()
		answer := answers[min(len(all), len(answers)-1)]
		all = append(all, asked{r.Method, r.URL.Path, r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"), r.PostForm})
		mu.Unlock()
		time.Sleep(answer.after)
		if name, value, ok := strings.Cut(answer.header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	t.Cleanup(server.Close)
	key := &apikey.Key{Read: func(context.Context) (string, error) { return "sk_1", nil }}
	return provider.New(server.URL+"/some/path/", key, nil), func() []asked {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func charge() payment.Charge {
	return payment.Charge{
		Order: "ord_1", Shop: "main", Attempt: 1, Amount: money.Money{Amount: 1250, Currency: "EUR"}, PaymentMethod: "pm_secret_token",
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, said{status: 200, body: `{"id":"pi_1","status":"requires_confirmation"}`})
	made, err := client.Create(t.Context(), charge(), "key-1")
	require.NoError(t, err)
	assert.Equal(t, payment.Intent{ID: "pi_1", Has: payment.Nothing}, made)
	_, err = client.Confirm(t.Context(), "pi_1", "key-2")
	require.NoError(t, err)
	_, err = client.Find(t.Context(), "pi_1")
	require.NoError(t, err)

	assert.Equal(t, []asked{
		{"POST", "/some/path/v1/payment_intents", "key-1", "Bearer sk_1", url.Values{
			"amount": {"1250"}, "currency": {"eur"}, "payment_method": {"pm_secret_token"}, "payment_method_types[0]": {"card"},
			"capture_method": {"manual"}, "confirmation_method": {"manual"},
			"metadata[order]": {"ord_1"}, "metadata[shop]": {"main"}, "metadata[attempt]": {"1"},
		}},
		{"POST", "/some/path/v1/payment_intents/pi_1/confirm", "key-2", "Bearer sk_1", url.Values{}},
		{"GET", "/some/path/v1/payment_intents/pi_1", "", "Bearer sk_1", url.Values{}},
	}, requests())
}

func TestWhatAStatusMeans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want payment.Intent
	}{
		"nobody confirmed it":            {`"status":"requires_confirmation"`, payment.Intent{Has: payment.Nothing}},
		"the money is held":              {`"status":"requires_capture"`, payment.Intent{Has: payment.Authorized}},
		"the money was taken already":    {`"status":"succeeded"`, payment.Intent{Has: payment.Authorized}},
		"the provider works on it":       {`"status":"processing"`, payment.Intent{Has: payment.Uncertain}},
		"the customer has to act":        {`"status":"requires_action"`, payment.Intent{Has: payment.ActionNeeded}},
		"somebody canceled it":           {`"status":"canceled"`, payment.Intent{Has: payment.Declined, Reason: payment.PaymentCanceled}},
		"a status nobody has heard of":   {`"status":"requires_patience"`, payment.Intent{Has: payment.Uncertain}},
		"no payment method was given":    {`"status":"requires_payment_method"`, payment.Intent{Has: payment.Declined, Reason: payment.PaymentMethodMissing}},
		"the issuer declined":            {`"status":"requires_payment_method","last_payment_error":{"code":"card_declined","decline_code":"lost_card"}`, payment.Intent{Has: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"}},
		"the card was refused as it was": {`"status":"requires_payment_method","last_payment_error":{"code":"expired_card"}`, payment.Intent{Has: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "expired_card"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := fake(t, said{status: 200, body: `{"id":"pi_1",` + c.body + `}`})
			got, err := client.Find(t.Context(), "pi_1")
			require.NoError(t, err)
			c.want.ID = "pi_1"
			assert.Equal(t, c.want, got)
		})
	}
}

func TestWhatAnErrorMeans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said said
		kind fault.Kind
	}{
		"too many requests are throttled":                    {said{status: 429, body: `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`}, fault.Throttled},
		"the same request in progress is for later":          {said{status: 409, body: `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`}, fault.Unavailable},
		"a failure of the provider is for later":             {said{status: 500, body: `{"error":{"type":"api_error"}}`}, fault.Unavailable},
		"a gateway that speaks for itself is for later":      {said{status: 502, body: `{"message":"Internal server error"}`}, fault.Unavailable},
		"an answer that is no JSON is for later":             {said{status: 200, body: `<html>`}, fault.Unavailable},
		"a redirect is for later, and is not followed":       {said{status: 302, body: ``, header: "Location: http://127.0.0.1:1/"}, fault.Unavailable},
		"a key that is refused is a mistake":                 {said{status: 401, body: `{"error":{"type":"invalid_request_error"}}`}, fault.Internal},
		"a request that makes no sense is a mistake":         {said{status: 400, body: `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"capture_method"}}`}, fault.Internal},
		"an intent that the provider never had is a mistake": {said{status: 404, body: `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"intent"}}`}, fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := fake(t, c.said)
			_, created := client.Create(t.Context(), charge(), "key-1")
			_, confirmed := client.Confirm(t.Context(), "pi_1", "key-1")
			_, found := client.Find(t.Context(), "pi_1")
			assert.Equal(t, []fault.Kind{c.kind, c.kind, c.kind}, []fault.Kind{fault.KindOf(created), fault.KindOf(confirmed), fault.KindOf(found)})
		})
	}
}

func TestWhatTheProviderWillNeverHave(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		error  string
		reason string
		code   string
	}{
		"a payment method that it does not know":       {`"type":"invalid_request_error","code":"resource_missing","param":"payment_method"`, payment.PaymentMethodUnknown, "resource_missing"},
		"a payment method that was used up":            {`"type":"invalid_request_error","param":"payment_method"`, payment.PaymentMethodUnknown, ""},
		"an amount below its least":                    {`"type":"invalid_request_error","code":"amount_too_small","param":"amount"`, payment.AmountNotPayable, "amount_too_small"},
		"a currency that it does not take":             {`"type":"invalid_request_error","param":"currency"`, payment.AmountNotPayable, ""},
		"a card that its issuer declines":              {`"type":"card_error","code":"card_declined","decline_code":"lost_card"`, payment.CardDeclined, "lost_card"},
		"a card that is refused without issuer's word": {`"type":"card_error","code":"expired_card"`, payment.CardDeclined, "expired_card"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := fake(t, said{status: 402, body: `{"error":{` + c.error + `}}`})
			created, err := client.Create(t.Context(), charge(), "key-1")
			require.NoError(t, err)
			assert.Equal(t, payment.Intent{Has: payment.Declined, Reason: c.reason, DeclineCode: c.code}, created)
			confirmed, err := client.Confirm(t.Context(), "pi_1", "key-1")
			require.NoError(t, err)
			assert.Equal(t, payment.Intent{ID: "pi_1", Has: payment.Declined, Reason: c.reason, DeclineCode: c.code}, confirmed)
		})
	}
}

func TestAnIntentPastConfirmingIsLookedUp(t *testing.T) {
	t.Parallel()
	client, requests := fake(t,
		said{status: 400, body: `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`},
		said{status: 200, body: `{"id":"pi_1","status":"requires_capture"}`})
	got, err := client.Confirm(t.Context(), "pi_1", "key-1")
	require.NoError(t, err)
	assert.Equal(t, payment.Intent{ID: "pi_1", Has: payment.Authorized}, got)
	assert.Len(t, requests(), 2)
}

func TestAKeyThatLeadsNowhereIsLeft(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]said{
		"the provider remembers a failure of its own under it": {status: 500, body: `{"error":{"type":"api_error"}}`, header: "Idempotent-Replayed: true"},
		"it was used for another request":                      {status: 400, body: `{"error":{"type":"idempotency_error"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, requests := fake(t, first, said{status: 200, body: `{"id":"pi_2","status":"requires_confirmation"}`})
			got, err := client.Create(t.Context(), charge(), "key-1")
			require.NoError(t, err)
			assert.Equal(t, payment.Intent{ID: "pi_2", Has: payment.Nothing}, got)
			require.Len(t, requests(), 2)
			assert.Equal(t, "key-1-again", requests()[1].key)
		})
	}
}

func TestAFailureThatIsNewIsNoReasonForAnotherKey(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, said{status: 500, body: `{"error":{"type":"api_error"}}`})
	_, err := client.Create(t.Context(), charge(), "key-1")
	require.ErrorIs(t, err, fault.Unavailable)
	for _, r := range requests() {
		assert.Equal(t, "key-1", r.key)
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, said{status: 200, body: `{"id":"pi_1","status":"requires_capture"}`, after: 3 * time.Second})
	began := time.Now()
	_, err := client.Confirm(t.Context(), "pi_1", "key-1")
	require.ErrorIs(t, err, fault.Unavailable)
	assert.Less(t, time.Since(began), 4900*time.Millisecond)
	assert.Len(t, requests(), 2, "one retry")
	assert.Equal(t, requests()[0].key, requests()[1].key, "with the same key")
}

func TestAReplacedKeyIsReadAgain(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sk_2" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"type":"invalid_request_error"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"pi_1","status":"requires_capture"}`)
	}))
	t.Cleanup(server.Close)
	reads := 0
	client := provider.New(server.URL, &apikey.Key{Read: func(context.Context) (string, error) {
		reads++
		return fmt.Sprintf("sk_%d", reads), nil
	}}, nil)
	_, err := client.Find(t.Context(), "pi_1")
	require.Error(t, err)
	_, err = client.Find(t.Context(), "pi_1")
	require.NoError(t, err)
}

func TestNothingIsAskedWithoutAKey(t *testing.T) {
	t.Parallel()
	client := provider.New("http://127.0.0.1:1", &apikey.Key{Read: func(context.Context) (string, error) { return "", io.ErrUnexpectedEOF }}, nil)
	require.ErrorIs(t, client.Prepare(t.Context()), apikey.ErrRefused)
	_, err := client.Create(t.Context(), charge(), "key-1")
	require.ErrorIs(t, err, apikey.ErrRefused)
}

func TestPreparingTakesNoPayment(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, said{status: 404, body: `{}`})
	require.NoError(t, client.Prepare(t.Context()))
	require.Len(t, requests(), 1)
	assert.Equal(t, asked{method: "GET", path: "/some/path/", form: url.Values{}}, requests()[0], "not even the key is shown")
}

// TestErrorsAreDiscreet makes sure that neither the payment method nor what the provider says of it is in an error's text,
// and that stripe-go writes nothing of its own. It does not run beside others: it listens to the process's output.
func TestErrorsAreDiscreet(t *testing.T) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	log.SetOutput(write)
	t.Cleanup(func() { os.Stdout, os.Stderr = stdout, stderr; log.SetOutput(stderr) })

	var texts []string
	for _, answer := range []said{
		{status: 400, body: `{"error":{"type":"invalid_request_error","code":"parameter_invalid","param":"metadata","message":"pm_secret_token of jane@example.com","payment_intent":{"id":"pi_1","client_secret":"pm_secret_token"}}}`},
		{status: 500, body: `jane@example.com pm_secret_token`},
		{status: 200, body: `jane@example.com pm_secret_token`},
		{status: 302, header: "Location: http://127.0.0.1:1/pm_secret_token"},
	} {
		client, _ := fake(t, answer)
		_, err := client.Create(t.Context(), charge(), "key-1")
		require.Error(t, err)
		texts = append(texts, err.Error())
	}
	os.Stdout, os.Stderr = stdout, stderr
	require.NoError(t, write.Close())
	printed, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Empty(t, string(printed))
	for _, text := range texts {
		assert.NotContains(t, text, "secret")
		assert.NotContains(t, text, "jane")
		assert.NotContains(t, text, "sk_1")
	}
}
