package sandbox_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/localstack/cloudtest/loopback"
	"backroom/shared/sandbox"
	"backroom/shared/secret/apikey"
)

type answer struct {
	Status   int    `json:"-"`
	Replayed bool   `json:"-"`
	Body     string `json:"-"`
	ID       string `json:"id"`
	State    string `json:"status"`
	Held     int    `json:"sandbox_authorizations"`
	Taken    int    `json:"sandbox_captures"`
	Received int64  `json:"amount_received"`
	Amount   int64  `json:"amount"`
	Secret   string `json:"secret"`
	Client   string `json:"client_secret"`
	Why      string `json:"cancellation_reason"`
	Method   string `json:"payment_method"`
	Error    struct {
		Type, Code, Message, Param string
		DeclineCode                string `json:"decline_code"`
		Intent                     struct {
			ID, Status string
			LastError  struct {
				Code        string
				DeclineCode string `json:"decline_code"`
			} `json:"last_payment_error"`
		} `json:"payment_intent"`
	}
}

func (b bench) ask(method, path, key, form string, change ...func(*http.Request)) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, loopback.URL+path, strings.NewReader(form))
	require.NoError(b.t, err)
	r.Header.Set("Authorization", "Bearer "+cloudtest.SampleSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	for _, c := range change {
		c(r)
	}
	resp, err := b.way.RoundTrip(r)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	a := answer{Status: resp.StatusCode, Replayed: resp.Header.Get("Idempotent-Replayed") == "true", Body: string(body)}
	require.NoError(b.t, json.Unmarshal(body, &a), a.Body)
	assert.Equal(b.t, "application/json", resp.Header.Get("Content-Type"))
	assert.NotEmpty(b.t, resp.Header.Get("Request-Id"))
	return a
}

func (b bench) create(key, method string) answer {
	b.t.Helper()
	return b.ask("POST", "/v1/payment_intents", key, url.Values{
		"amount": {"1250"}, "currency": {"eur"}, "capture_method": {"manual"}, "confirmation_method": {"manual"},
		"payment_method":          {method},
		"payment_method_types[0]": {"card"}, "metadata[order]": {"ord_1"},
	}.Encode())
}

func (b bench) confirm(key, id string) answer {
	b.t.Helper()
	return b.ask("POST", "/v1/payment_intents/"+id+"/confirm", key, "")
}

func (b bench) get(id string) answer {
	b.t.Helper()
	return b.ask("GET", "/v1/payment_intents/"+id, "", "")
}

func TestPayment_IsCreatedConfirmedAndRead(t *testing.T) {
	t.Parallel()
	b := start(t)
	made := b.create("k1", "pm_card_visa")
	require.Equal(t, http.StatusOK, made.Status, made.Body)
	assert.Equal(t, "requires_confirmation", made.State)
	assert.Equal(t, 0, made.Held)
	assert.Regexp(t, `^pi_[a-z0-9]{24}$`, made.ID)
	assert.Contains(t, made.Body, `"metadata":{"order":"ord_1"}`)

	confirmed := b.confirm("k2", made.ID)
	assert.Equal(t, http.StatusOK, confirmed.Status)
	assert.Equal(t, "requires_capture", confirmed.State)
	assert.Contains(t, confirmed.Body, `"amount_capturable":1250`)

	found := b.get(made.ID)
	assert.Equal(t, confirmed.Body, found.Body)
	assert.Equal(t, 1, found.Held)
}

func TestPayment_IsConfirmedAsItIsCreated(t *testing.T) {
	t.Parallel()
	b := start(t)
	made := b.ask("POST", "/v1/payment_intents", "k1",
		"amount=100&currency=eur&confirm=true&payment_method=pm_card_visa")
	assert.Equal(t, "succeeded", made.State)
	refused := b.ask("POST", "/v1/payment_intents", "k2",
		"amount=100&currency=eur&confirm=true&payment_method=pm_card_chargeDeclined")
	assert.Equal(t, http.StatusPaymentRequired, refused.Status)
	assert.Equal(t, "requires_payment_method", b.get(refused.Error.Intent.ID).State)
}

func TestDecline_IsAnErrorWithTheIntent(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.create("k1", "pm_card_chargeDeclinedInsufficientFunds").ID
	refused := b.confirm("k2", id)
	assert.Equal(t, http.StatusPaymentRequired, refused.Status)
	assert.Equal(t, []string{"card_error", "card_declined", "insufficient_funds"},
		[]string{refused.Error.Type, refused.Error.Code, refused.Error.DeclineCode})
	assert.Equal(t, id, refused.Error.Intent.ID)
	assert.Equal(t, "requires_payment_method", refused.Error.Intent.Status)
	assert.Equal(t, "insufficient_funds", refused.Error.Intent.LastError.DeclineCode)

	late := b.confirm("k3", id)
	assert.Equal(t, http.StatusBadRequest, late.Status, "a late confirmation charges nothing")
	assert.Equal(t, "payment_intent_unexpected_state", late.Error.Code)
	found := b.get(id)
	assert.Empty(t, found.Method)
	assert.Equal(t, 0, found.Held)
}

func TestConfirm_RefusesConfirmedAndCanceledIntents(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.create("k1", "pm_card_visa").ID
	b.confirm("k2", id)
	again := b.confirm("k3", id)
	assert.Equal(t, http.StatusBadRequest, again.Status)
	assert.Equal(t, "payment_intent_unexpected_state", again.Error.Code)
	assert.Equal(t, "requires_capture", again.Error.Intent.Status)
	assert.Equal(t, 1, b.get(id).Held)

	other := b.create("k4", "pm_card_visa").ID
	canceled := b.ask("POST", "/v1/payment_intents/"+other+"/cancel", "k5", "")
	assert.Equal(t, "canceled", canceled.State)
	late := b.confirm("k6", other)
	assert.Equal(t, "payment_intent_unexpected_state", late.Error.Code)
	assert.Equal(t, 0, b.get(other).Held)
}

func TestIdempotencyKey_IsValidForADay(t *testing.T) {
	t.Parallel()
	b := start(t)
	made := b.create("k1", "pm_card_visa")
	again := b.create("k1", "pm_card_visa")
	assert.True(t, again.Replayed)
	assert.Equal(t, made.Body, again.Body)

	other := b.create("k1", "pm_card_mastercard")
	assert.Equal(t, http.StatusBadRequest, other.Status)
	assert.Equal(t, "idempotency_error", other.Error.Type)
	elsewhere := b.confirm("k1", made.ID)
	assert.Equal(t, "idempotency_error", elsewhere.Error.Type)

	declined := b.create("k2", "pm_card_chargeDeclined").ID
	first, second := b.confirm("k3", declined), b.confirm("k3", declined)
	assert.Equal(t, http.StatusPaymentRequired, second.Status)
	assert.Equal(t, first.Body, second.Body)
	assert.True(t, second.Replayed)

	lost := b.create("k4", "pm_sandbox_lost").ID
	first, second = b.confirm("k5", lost), b.confirm("k5", lost)
	assert.Equal(t, http.StatusInternalServerError, first.Status)
	assert.Equal(t, http.StatusInternalServerError, second.Status, "a failure is stored too")
	assert.Equal(t, "requires_capture", b.get(lost).State)

	b.later(24*time.Hour - time.Minute)
	assert.True(t, b.create("k1", "pm_card_visa").Replayed)
	b.later(2 * time.Minute)
	fresh := b.create("k1", "pm_card_visa")
	assert.False(t, fresh.Replayed)
	assert.NotEqual(t, made.ID, fresh.ID)
	assert.True(t, b.create("k1", "pm_card_visa").Replayed, "and then stored again")
}

func TestCardThatPaysOnce_IsUsedUpByTheFirstConfirmation(t *testing.T) {
	t.Parallel()
	b := start(t)
	first, second := b.create("k1", "pm_sandbox_once_a").ID, b.create("k2", "pm_sandbox_once_a").ID
	require.NotEmpty(t, second, "creating an intent does not use up the card")
	assert.Equal(t, "requires_capture", b.confirm("k3", second).State)

	refused := b.confirm("k4", first)
	assert.Equal(t, http.StatusBadRequest, refused.Status)
	assert.JSONEq(t, `{"error": {"type": "invalid_request_error", "message": "`+refused.Error.Message+`"}}`,
		refused.Body, "neither code nor parameter")
	assert.Contains(t, refused.Error.Message, "may not be used again")
	assert.Equal(t, "requires_confirmation", b.get(first).State)
	assert.Equal(t, 0, b.get(first).Held)
	assert.True(t, b.confirm("k3", second).Replayed)
	assert.Equal(t, "payment_intent_unexpected_state", b.confirm("k5", second).Error.Code)

	assert.Equal(t, http.StatusBadRequest,
		b.ask("POST", "/v1/payment_intents", "k6",
			"amount=100&currency=eur&confirm=true&payment_method=pm_sandbox_once_a").Status)
	assert.Equal(t, "succeeded",
		b.ask("POST", "/v1/payment_intents", "k7",
			"amount=100&currency=eur&confirm=true&payment_method=pm_sandbox_once_b").State)
	assert.Equal(t, http.StatusBadRequest, b.create("k8", "pm_sandbox_once_").Status, "the card needs a name")
}

func TestCardThatPaysOnce_ConcurrentConfirmationsUseItOnce(t *testing.T) {
	t.Parallel()
	b := start(t)
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for n := range 8 {
		id := b.create(fmt.Sprint("create-", n), "pm_sandbox_once_a").ID
		all.Go(func() {
			status := b.confirm(fmt.Sprint("confirm-", n), id).Status
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	all.Wait()
	assert.Equal(t, 1, statuses[http.StatusOK], "%v", statuses)
}

func TestKey_WrongKeyCausesOneReadAMinute(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	key := apikey.New(func(context.Context) (string, error) { reads.Add(1); return cloudtest.SampleSecret, nil },
		time.Now)
	b := bench{t: t,
		way: loopback.Serve(t,
			sandbox.Handler{Key: key, Now: time.Now, Nonce: rand.Text, Log: slog.New(slog.DiscardHandler)}.Routes())}
	for range 20 {
		got := b.ask("GET", "/v1/payment_intents/pi_1", "", "",
			func(r *http.Request) { r.Header.Set("Authorization", "Bearer sk_other") })
		assert.Equal(t, http.StatusUnauthorized, got.Status)
	}
	assert.Equal(t, int64(2), reads.Load())
}

func TestIdempotencyKey_InvalidRequestIsNotStored(t *testing.T) {
	t.Parallel()
	b := start(t)
	assert.Equal(t, http.StatusBadRequest, b.create("k1", "pm_nonsense").Status)
	assert.Equal(t, http.StatusOK, b.create("k1", "pm_card_visa").Status)
	assert.Equal(t, http.StatusNotFound, b.confirm("k2", "pi_none").Status)
}

func TestSlowCard_IsAuthorizedBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	cloudtest.Patiently(t, func(t *testing.T) {
		b := start(t)
		id := b.create("k1", "pm_sandbox_slow_3000").ID
		var first answer
		var slow sync.WaitGroup
		began := time.Now()
		slow.Go(func() { first = b.confirm("k2", id) })
		require.Eventually(t, func() bool { return b.get(id).State == "requires_capture" }, 2500*time.Millisecond,
			20*time.Millisecond)
		assert.Equal(t, http.StatusConflict, b.confirm("k2", id).Status, "the first request is still being answered")
		slow.Wait()
		assert.GreaterOrEqual(t, time.Since(began), 3*time.Second)
		assert.Equal(t, http.StatusOK, first.Status)
		assert.Equal(t, first.Body, b.confirm("k2", id).Body)
		assert.Equal(t, 1, b.get(id).Held)
	})
}

func TestConfirm_ConcurrentRequestsAuthorizeOnce(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, keys := range []string{"one", "each its own"} {
		id := b.create("create "+keys, "pm_card_visa").ID
		var mu sync.Mutex
		statuses := map[int]int{}
		var all sync.WaitGroup
		for n := range 10 {
			key := keys
			if keys != "one" {
				key = fmt.Sprint(keys, n)
			}
			all.Go(func() {
				status := b.confirm(key, id).Status
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
			})
		}
		all.Wait()
		assert.Equal(t, 1, b.get(id).Held, keys)
		if keys == "one" {
			assert.Equal(t, 10, statuses[http.StatusOK], "%v", statuses)
		} else {
			assert.Equal(t, 1, statuses[http.StatusOK], "%v", statuses)
		}
	}
}

// overtaken runs a function after each read of the setup or of an answer.
type overtaken struct {
	sandbox.Ledger
	setup, answer func()
}

func (o overtaken) Setup(ctx context.Context) (sandbox.Setup, error) {
	s, err := o.Ledger.Setup(ctx)
	o.setup()
	return s, err
}

func (o overtaken) Answer(ctx context.Context, key string) (sandbox.Answer, error) {
	a, err := o.Ledger.Answer(ctx, key)
	o.answer()
	return a, err
}

func TestIdempotencyKey_OvertakenRequestGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	begun := func(l sandbox.Ledger, twin func()) sandbox.Ledger { return overtaken{l, twin, func() {}} }
	asked := func(l sandbox.Ledger, twin func()) sandbox.Ledger { return overtaken{l, func() {}, twin} }
	confirm := func(b bench, id string) answer { return b.confirm("k2", id) }
	for name, c := range map[string]struct {
		overtake func(l sandbox.Ledger, twin func()) sandbox.Ledger
		ask      func(b bench, id string) answer
	}{
		"when it has begun":           {begun, confirm},
		"when it has found no answer": {asked, confirm},
		"when a card that pays once is used up": {asked, func(b bench, _ string) answer {
			return b.ask("POST", "/v1/payment_intents", "k2",
				"amount=100&currency=eur&confirm=true&payment_method=pm_sandbox_once_a")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			id := b.create("k1", "pm_card_visa").ID
			var first answer
			var once sync.Once
			twin := func() {
				once.Do(func() {
					b.later(time.Millisecond) // answers are stored to the millisecond
					first = c.ask(b, id)
				})
			}
			second := c.ask(bench{t, b.serve(t, c.overtake(b.ledger, twin)), b.works}, id)
			require.Equal(t, http.StatusOK, first.Status, first.Body)
			assert.Equal(t, http.StatusOK, second.Status, second.Body)
			assert.Equal(t, first.Body, second.Body)
			assert.True(t, second.Replayed)
			assert.Equal(t, 1, b.get(first.ID).Held)
		})
	}
}

func TestKey_IsRequired(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.create("k1", "pm_card_visa").ID
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"a bearer of the key": {func(*http.Request) {}, http.StatusOK},
		"the key as user, without password": {func(r *http.Request) { r.SetBasicAuth(cloudtest.SampleSecret, "") },
			http.StatusOK},
		"no key": {func(r *http.Request) { r.Header.Del("Authorization") },
			http.StatusUnauthorized},
		"another key": {func(
			r *http.Request) {
			r.Header.Set("Authorization", "Bearer sk_other")
		}, http.StatusUnauthorized},
		"another scheme": {func(
			r *http.Request) {
			r.Header.Set("Authorization", "Digest "+cloudtest.SampleSecret)
		}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.as(t).ask("GET", "/v1/payment_intents/"+id, "", "", c.change)
			assert.Equal(t, c.status, got.Status)
			if c.status != http.StatusOK {
				assert.Equal(t, "invalid_request_error", got.Error.Type)
			}
		})
	}
}

func TestRoutes_RefuseBadRequests(t *testing.T) {
	t.Parallel()
	b := start(t)
	for name, c := range map[string]struct {
		method, path, form string
		status             int
		code               string
	}{
		"an unknown intent": {"GET", "/v1/payment_intents/pi_none", "", http.StatusNotFound,
			"resource_missing"},
		"an unknown route": {"GET", "/v1/charges", "", http.StatusNotFound, ""},
		"another method": {"DELETE", "/v1/payment_intents/pi_none", "", http.StatusNotFound,
			""},
		"a form that cannot be read": {"POST", "/v1/payment_intents", "amount=%zz", http.StatusBadRequest,
			""},
		"a form that is too large": {"POST", "/v1/payment_intents", "metadata[a]=" +
			strings.Repeat("a", 64<<10), http.StatusRequestEntityTooLarge, ""},
		"a parameter that confirm does not have": {"POST", "/v1/payment_intents/pi_none/confirm", "amount=1",
			http.StatusBadRequest, "parameter_unknown"},
		"a parameter that cancel does not have": {"POST", "/v1/payment_intents/pi_none/cancel", "amount=1",
			http.StatusBadRequest, "parameter_unknown"},
		"an amount that is missing from a payment": {"POST", "/v1/payment_intents", "currency=eur",
			http.StatusBadRequest, "parameter_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.as(t).ask(c.method, c.path, "key-"+name, c.form)
			assert.Equal(t, c.status, got.Status, got.Body)
			assert.Equal(t, c.code, got.Error.Code)
			assert.Equal(t, "invalid_request_error", got.Error.Type)
		})
	}
}
