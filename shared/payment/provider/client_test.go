package provider_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest/loopback"
	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/observe"
	"backroom/shared/payment"
	"backroom/shared/payment/provider"
	"backroom/shared/secret/apikey"
)

// answer is an answer of the provider. The last answer is repeated.
type answer struct {
	status int
	body   string
	header string // "Name: value"
	after  time.Duration
}

type request struct {
	method, path, key, authorization string
	form                             url.Values
	query                            string
}

// fake returns the answers and records the requests.
func fake(t *testing.T, answers ...answer) (*provider.Client, func() []request) {
	t.Helper()
	return guarded(t, nil, answers...)
}

// guarded is fake with a guard.
func guarded(t *testing.T, guard provider.Guard, answers ...answer) (*provider.Client, func() []request) {
	t.Helper()
	var mu sync.Mutex
	var all []request
	way := loopback.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		mu.Lock()
		answer := answers[min(len(all), len(answers)-1)]
		all = append(all,
			request{r.Method, r.URL.Path, r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"), r.PostForm,
				r.URL.RawQuery})
		mu.Unlock()
		time.Sleep(answer.after)
		if name, value, ok := strings.Cut(answer.header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	key := apikey.New(func(context.Context) (string, error) { return "sk_1", nil }, time.Now)
	return provider.New(loopback.URL+"/some/path/", key, way, guard), func() []request {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func charge() payment.Charge {
	return payment.Charge{
		Order: "ord_1", Shop: "main", Attempt: 1, Amount: money.Money{Amount: 1250, Currency: "EUR"},
		PaymentMethod: "pm_secret_token",
	}
}

func TestClient_SendsTheRequestsOfAPayment(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, answer{status: 200, body: `{"id":"pi_1","status":"requires_confirmation"}`})
	made, err := client.Create(t.Context(), charge(), "key-1")
	require.NoError(t, err)
	assert.Equal(t, payment.Intent{ID: "pi_1", Observed: payment.Nothing}, made)
	_, err = client.Confirm(t.Context(), "pi_1", "key-2")
	require.NoError(t, err)
	_, err = client.Find(t.Context(), "pi_1")
	require.NoError(t, err)

	assert.Equal(t, []request{
		{"POST", "/some/path/v1/payment_intents", "key-1", "Bearer sk_1", url.Values{
			"amount": {"1250"}, "currency": {"eur"}, "payment_method": {"pm_secret_token"},
			"payment_method_types[0]": {"card"},
			"capture_method":          {"manual"},
			"metadata[order]":         {"ord_1"}, "metadata[shop]": {"main"}, "metadata[attempt]": {"1"},
		}, ""},
		{"POST", "/some/path/v1/payment_intents/pi_1/confirm", "key-2", "Bearer sk_1", url.Values{}, ""},
		{"GET", "/some/path/v1/payment_intents/pi_1", "", "Bearer sk_1", url.Values{}, ""},
	}, requests())
}

func TestFind_MapsTheStatusOfAnIntent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want payment.Intent
	}{
		"it is unconfirmed": {`"status":"requires_confirmation"`,
			payment.Intent{Observed: payment.Nothing}},
		"the money is authorized": {`"status":"requires_capture"`, payment.Intent{Observed: payment.Authorized}},
		"the money was captured":  {`"status":"succeeded"`, payment.Intent{Observed: payment.Captured}},
		"it is in processing":     {`"status":"processing"`, payment.Intent{Observed: payment.Uncertain}},
		"the customer must act": {`"status":"requires_action","client_secret":"pi_1_secret_1"`,
			payment.Intent{Observed: payment.ActionNeeded, ClientSecret: "pi_1_secret_1"}},
		"the customer has acted": {`"status":"requires_capture","client_secret":"pi_1_secret_1"`,
			payment.Intent{Observed: payment.Authorized}},
		"it is ours": {`"status":"requires_capture","metadata":{"shop":"main","order":"ord_1","attempt":"1"}`,
			payment.Intent{Observed: payment.Authorized, Shop: "main", Order: "ord_1", Attempt: 1}},
		"its metadata is not ours": {`"status":"requires_capture","metadata":{"attempt":"first"}`,
			payment.Intent{Observed: payment.Authorized}},
		"it was canceled": {`"status":"canceled"`,
			payment.Intent{Observed: payment.Canceled, Reason: payment.PaymentCanceled}},
		"an unknown status": {`"status":"requires_patience"`, payment.Intent{Observed: payment.Uncertain}},
		"no payment method was given": {`"status":"requires_payment_method"`,
			payment.Intent{Observed: payment.Declined, Reason: payment.PaymentMethodMissing}},
		"the issuer declined":            {`"status":"requires_payment_method","last_payment_error":{"code":"card_declined","decline_code":"lost_card"}`, payment.Intent{Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"}},
		"the card was refused as it was": {`"status":"requires_payment_method","last_payment_error":{"code":"expired_card"}`, payment.Intent{Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "expired_card"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := fake(t, answer{status: 200, body: `{"id":"pi_1",` + c.body + `}`})
			got, err := client.Find(t.Context(), "pi_1")
			require.NoError(t, err)
			c.want.ID = "pi_1"
			assert.Equal(t, c.want, got)
		})
	}
}

func TestClient_GivesErrorsAKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer answer
		kind   fault.Kind
	}{
		"too many requests are throttled": {answer{status: 429,
			body: `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`}, fault.Throttled},
		"the same request in progress is unavailable": {answer{status: 409,
			body: `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`}, fault.Unavailable},
		"a failure of the provider is unavailable": {answer{status: 500, body: `{"error":{"type":"api_error"}}`},
			fault.Unavailable},
		"an error of a gateway is unavailable": {answer{status: 502,
			body: `{"message":"Internal server error"}`}, fault.Unavailable},
		"an answer that is not JSON is unavailable": {answer{status: 200, body: `<html>`}, fault.Unavailable},
		"a redirect is unavailable, and is not followed": {answer{status: 302, body: ``,
			header: "Location: http://127.0.0.1:1/"}, fault.Unavailable},
		"a refused key is internal": {answer{status: 401,
			body: `{"error":{"type":"invalid_request_error"}}`}, fault.Internal},
		"a key without permission is internal": {answer{status: 403,
			body: `{"error":{"type":"invalid_request_error"}}`}, fault.Internal},
		"a locked object is unavailable": {answer{status: 429,
			body: `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`}, fault.Unavailable},
		"an unknown parameter is internal": {answer{status: 400,
			body: `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"capture_method"}}`},
			fault.Internal},
		"an unknown intent is internal": {answer{status: 404,
			body: `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"intent"}}`},
			fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, _ := fake(t, c.answer)
				_, created := client.Create(t.Context(), charge(), "key-1")
				_, confirmed := client.Confirm(t.Context(), "pi_1", "key-1")
				_, found := client.Find(t.Context(), "pi_1")
				assert.Equal(t, []fault.Kind{c.kind, c.kind, c.kind},
					[]fault.Kind{fault.KindOf(created), fault.KindOf(confirmed), fault.KindOf(found)})
			})
		})
	}
}

// refusals are the provider's refusals of a payment, and their meaning.
var refusals = map[string]struct {
	answer answer
	reason string
	code   string
}{
	"an unknown payment method": {answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method"}}`},
		payment.PaymentMethodUnknown, "resource_missing"},
	"a payment method of another account": {answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","param":"payment_method"}}`}, payment.PaymentMethodUnknown, ""},
	"a payment method that was used up": {answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","message":"It may not be used again."}}`},
		payment.PaymentRefused, ""},
	"an unknown reason": {answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","code":"too_blue","param":"metadata"}}`},
		payment.PaymentRefused, "too_blue"},
	"an amount below the minimum": {answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","code":"amount_too_small","param":"amount"}}`},
		payment.AmountNotPayable, "amount_too_small"},
	"an unsupported currency": {answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","param":"currency"}}`}, payment.AmountNotPayable, ""},
	"a card that its issuer declines": {answer{status: 402,
		body: `{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card"}}`},
		payment.CardDeclined, "lost_card"},
	"a card that is refused without an issuer's code": {answer{status: 402,
		body: `{"error":{"type":"card_error","code":"expired_card"}}`}, payment.CardDeclined, "expired_card"},
}

func TestCreate_ReturnsARefusalAsADecline(t *testing.T) {
	t.Parallel()
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, requests := fake(t, c.answer)
			created, err := client.Create(t.Context(), charge(), "key-1")
			require.NoError(t, err)
			assert.Equal(t, payment.Intent{Observed: payment.Declined, Reason: c.reason, DeclineCode: c.code}, created)
			assert.Len(t, requests(), 1)
		})
	}
}

// After a refusal, a request in flight may still confirm the intent. The refusal is a decline only
// when that is impossible.
func TestConfirm_FencesARefusalBeforeItIsADecline(t *testing.T) {
	t.Parallel()
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, requests := fake(t, c.answer,
				answer{status: 200, body: `{"id":"pi_1","status":"requires_confirmation"}`},
				answer{status: 200, body: `{"id":"pi_1","status":"canceled"}`})
			confirmed, err := client.Confirm(t.Context(), "pi_1", "key-1")
			require.NoError(t, err)
			assert.Equal(t,
				payment.Intent{ID: "pi_1", Observed: payment.Declined, Reason: c.reason, DeclineCode: c.code},
				confirmed)
			assert.Equal(t,
				[]string{"POST /v1/payment_intents/pi_1/confirm", "GET /v1/payment_intents/pi_1",
					"POST /v1/payment_intents/pi_1/cancel"}, lines(requests()))
		})
	}
}

func TestConfirm_ResolvesARefusal(t *testing.T) {
	t.Parallel()
	refused := answer{status: 400, body: `{"error":{"type":"invalid_request_error"}}`}
	current := func(status string) answer {
		return answer{status: 200, body: `{"id":"pi_1","status":"` + status + `"}`}
	}
	past := answer{status: 400,
		body: `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`}
	for name, c := range map[string]struct {
		answers []answer
		want    payment.Intent
		kind    fault.Kind
		request int
	}{
		"a decline whose intent no longer has a payment method": {
			[]answer{{status: 402,
				body: `{"error":{"type":"card_error","code":"card_declined","payment_intent":{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"card_declined"}}}}`}},
			payment.Intent{ID: "pi_1", Observed: payment.Declined, Reason: payment.CardDeclined,
				DeclineCode: "card_declined"}, "", 1,
		},
		"a decline that leaves the intent as it was": {
			[]answer{{status: 402,
				body: `{"error":{"type":"card_error","code":"card_declined","payment_intent":{"id":"pi_1","status":"requires_confirmation"}}}`}, current("requires_confirmation"), current("canceled")},
			payment.Intent{ID: "pi_1", Observed: payment.Declined, Reason: payment.CardDeclined,
				DeclineCode: "card_declined"}, "", 3,
		},
		"another confirmation authorized the money, which is not released": {
			[]answer{refused, current("requires_capture")}, payment.Intent{ID: "pi_1", Observed: payment.Authorized},
			"", 2,
		},
		"another confirmation is in processing": {
			[]answer{refused, current("processing")}, payment.Intent{ID: "pi_1", Observed: payment.Uncertain}, "", 2,
		},
		"another request canceled it": {
			[]answer{refused, current("canceled")},
			payment.Intent{ID: "pi_1", Observed: payment.Declined, Reason: payment.PaymentRefused}, "", 2,
		},
		"another confirmation captured the money between look and fence": {
			[]answer{refused, current("requires_confirmation"), past, current("succeeded")},
			payment.Intent{ID: "pi_1", Observed: payment.Captured}, "", 4,
		},
		"its state is unknown": {
			[]answer{refused, {status: 500, body: `{"error":{"type":"api_error"}}`}}, payment.Intent{},
			fault.Unavailable, 2,
		},
		"the result of the fence is unknown": {
			[]answer{refused, current("requires_confirmation"), {status: 500, body: `{"error":{"type":"api_error"}}`}},
			payment.Intent{}, fault.Unavailable, 3,
		},
		"our key is refused at the look": {
			[]answer{refused, {status: 403, body: `{"error":{"type":"invalid_request_error"}}`}}, payment.Intent{},
			fault.Internal, 2,
		},
		"our key is refused at the fence": {
			[]answer{refused, current("requires_confirmation"),
				{status: 403, body: `{"error":{"type":"invalid_request_error"}}`}}, payment.Intent{}, fault.Internal, 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, requests := fake(t, c.answers...)
				got, err := client.Confirm(t.Context(), "pi_1", "key-1")
				assert.Equal(t, c.kind, fault.KindOf(err))
				assert.Equal(t, c.want, got)
				assert.Len(t, requests(), c.request)
			})
		})
	}
}

func lines(all []request) []string {
	var short []string
	for _, r := range all {
		short = append(short, r.method+" "+strings.TrimPrefix(r.path, "/some/path"))
	}
	return short
}

func TestConfirm_LooksUpAConfirmedIntent(t *testing.T) {
	t.Parallel()
	client, requests := fake(t,
		answer{status: 400,
			body: `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`},
		answer{status: 200, body: `{"id":"pi_1","status":"requires_capture"}`})
	got, err := client.Confirm(t.Context(), "pi_1", "key-1")
	require.NoError(t, err)
	assert.Equal(t, payment.Intent{ID: "pi_1", Observed: payment.Authorized}, got)
	assert.Len(t, requests(), 2)
}

func TestCreate_ReplacesABlockedIdempotencyKey(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]answer{
		"the provider replays its own failure": {status: 500, body: `{"error":{"type":"api_error"}}`,
			header: "Idempotent-Replayed: true"},
		"the key was used for another request": {status: 400, body: `{"error":{"type":"idempotency_error"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client,
				requests := fake(t, first, answer{status: 200, body: `{"id":"pi_2","status":"requires_confirmation"}`})
			got, err := client.Create(t.Context(), charge(), "key-1")
			require.NoError(t, err)
			assert.Equal(t, payment.Intent{ID: "pi_2", Observed: payment.Nothing}, got)
			require.Len(t, requests(), 2)
			assert.Equal(t, "key-1-again", requests()[1].key)
		})
	}
}

func TestCreate_KeepsTheKeyAfterANewFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, requests := fake(t, answer{status: 500, body: `{"error":{"type":"api_error"}}`})
		_, err := client.Create(t.Context(), charge(), "key-1")
		require.ErrorIs(t, err, fault.Unavailable)
		for _, r := range requests() {
			assert.Equal(t, "key-1", r.key)
		}
	})
}

func TestClient_LimitsTheTimeOfEachCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after    time.Duration
		ask      func(context.Context, *provider.Client) error
		least    time.Duration
		most     time.Duration
		requests int
	}{
		"a look-up has two seconds, and one retry": {
			3 * time.Second,
			func(ctx context.Context, c *provider.Client) error { _, err := c.Find(ctx, "pi_1"); return err },
			4 * time.Second, 4900 * time.Millisecond, 2,
		},
		"a new intent has two seconds, and one retry": {
			3 * time.Second, func(ctx context.Context, c *provider.Client) error {
				_, err := c.Create(ctx, charge(), "key-1")
				return err
			}, 4 * time.Second, 4900 * time.Millisecond, 2,
		},
		"a confirmation has six seconds, and no retry": {
			7 * time.Second, func(ctx context.Context, c *provider.Client) error {
				_, err := c.Confirm(ctx, "pi_1", "key-1")
				return err
			}, 5900 * time.Millisecond, 6900 * time.Millisecond, 1,
		},
		"no call outlasts its handler": {
			3 * time.Second, func(ctx context.Context, c *provider.Client) error {
				ctx, end := context.WithTimeout(ctx, time.Second)
				defer end()
				_, err := c.Confirm(ctx, "pi_1", "key-1")
				return err
			}, 0, 1900 * time.Millisecond, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client,
					requests := fake(t,
					answer{status: 200, body: `{"id":"pi_1","status":"requires_capture"}`, after: c.after})
				began := time.Now()
				require.ErrorIs(t, c.ask(t.Context(), client), fault.Unavailable)
				assert.GreaterOrEqual(t, time.Since(began), c.least)
				assert.Less(t, time.Since(began), c.most)
				require.Len(t, requests(), c.requests)
				assert.Equal(t, requests()[0].key, requests()[c.requests-1].key, "with the same key")
			})
		})
	}
}

func TestConfirm_WaitsForBanks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client,
			_ := fake(t, answer{status: 200, body: `{"id":"pi_1","status":"requires_capture"}`, after: 3 * time.Second})
		got, err := client.Confirm(t.Context(), "pi_1", "key-1")
		require.NoError(t, err)
		assert.Equal(t, payment.Authorized, got.Observed)
	})
}

// replacing returns a client whose API key changes with each read, and a provider that accepts one
// of them.
func replacing(t *testing.T, accepted string) (client *provider.Client, reads func() int) {
	t.Helper()
	way := loopback.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+accepted {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"type":"invalid_request_error"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"pi_1","status":"requires_capture"}`)
	}))
	n := 0
	return provider.New(loopback.URL, apikey.New(func(context.Context) (string, error) {
		n++
		return fmt.Sprintf("sk_%d", n), nil
	}, time.Now), way, nil), func() int { return n }
}

func TestClient_ReadsAReplacedAPIKeyAgain(t *testing.T) {
	t.Parallel()
	client, reads := replacing(t, "sk_2")
	for range 3 {
		got, err := client.Confirm(t.Context(), "pi_1", "key-1")
		require.NoError(t, err)
		assert.Equal(t, payment.Authorized, got.Observed)
	}
	assert.Equal(t, 2, reads())
}

func TestClient_DoesNotReadARefusedAPIKeyForEveryPayment(t *testing.T) {
	t.Parallel()
	client, reads := replacing(t, "none")
	for range 5 {
		_, err := client.Create(t.Context(), charge(), "key-1")
		assert.Equal(t, fault.Internal, fault.KindOf(err))
	}
	assert.Equal(t, 2, reads())
}

func TestClient_NeedsAnAPIKey(t *testing.T) {
	t.Parallel()
	client := provider.New("http://127.0.0.1:1",
		apikey.New(func(context.Context) (string, error) { return "", io.ErrUnexpectedEOF }, time.Now), nil, nil)
	require.ErrorIs(t, client.Prepare(t.Context()), apikey.ErrUnreadable)
	_, err := client.Create(t.Context(), charge(), "key-1")
	require.ErrorIs(t, err, apikey.ErrUnreadable)
}

func TestPrepare_OnlyConnects(t *testing.T) {
	t.Parallel()
	client, requests := fake(t, answer{status: 404, body: `{}`})
	require.NoError(t, client.Prepare(t.Context()))
	require.Len(t, requests(), 1)
	assert.Equal(t, request{method: "GET", path: "/some/path/", form: url.Values{}}, requests()[0],
		"the key is not sent")
}

func TestClient_LogsARefusalWithoutPrivateData(t *testing.T) {
	t.Parallel()
	client,
		_ := fake(t,
		answer{status: 400,
			body: `{"error":{"type":"invalid_request_error","message":"pm_secret_token of jane@example.com may not be used again"}}`})
	var log strings.Builder
	ctx, line := observe.Begin(t.Context(), slog.New(slog.NewJSONHandler(&log, nil)))
	_, err := client.Create(ctx, charge(), "key-1")
	require.NoError(t, err)
	line.Done(ctx, "done", nil, true)
	assert.Contains(t, log.String(),
		`"providerSaid":"provider: status 400, invalid_request_error, code \"\", parameter \"\", request req_1"`)
	assert.NotContains(t, log.String(), "secret")
	assert.NotContains(t, log.String(), "jane")
}

// TestClient_ErrorsHaveNoPrivateData checks that an error's text contains neither the payment
// method nor the provider's message, and that stripe-go prints nothing. It is not parallel: it
// captures the process's output.
func TestClient_ErrorsHaveNoPrivateData(t *testing.T) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	log.SetOutput(write)
	t.Cleanup(func() { os.Stdout, os.Stderr = stdout, stderr; log.SetOutput(stderr) })

	var texts []string
	for _, answer := range []answer{
		{status: 400,
			body: `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"metadata","message":"pm_secret_token of jane@example.com","payment_intent":{"id":"pi_1","client_secret":"pm_secret_token"}}}`},
		{status: 500, body: `jane@example.com pm_secret_token`},
		{status: 200, body: `jane@example.com pm_secret_token`},
		{status: 302, header: "Location: http://127.0.0.1:1/pm_secret_token"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := fake(t, answer)
			_, err := client.Create(t.Context(), charge(), "key-1")
			require.Error(t, err)
			texts = append(texts, err.Error())
		})
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
