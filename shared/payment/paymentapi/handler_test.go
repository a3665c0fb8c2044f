package paymentapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentapi"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/payment/provider"
	"backroom/shared/saga"
	"backroom/shared/sandbox"
	"backroom/shared/sandbox/sandboxdb"
	"backroom/shared/secret/apikey"
)

const order = "ord_1"

// line is a sandbox with the handler that it calls back.
type line struct {
	t      *testing.T
	cloud  *cloudtest.Cloud
	till   payment.Reconciler
	worker sandbox.Callbacks
	url    string

	mu       sync.Mutex
	tasks    []string // that the sandbox does later
	answered []int    // the status of each callback
}

// Add queues a task of the sandbox and ignores its delay.
func (l *line) Add(_ context.Context, t sandbox.Task, _ time.Duration) error {
	body, err := json.Marshal(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tasks = append(l.tasks, string(body))
	return err
}

func open(t *testing.T) *line {
	t.Helper()
	l := &line{t: t, cloud: cloudtest.New(t)}
	rt := l.cloud.Runtime()
	ledger := sandboxdb.Ledger{DB: rt.DynamoDB(), Name: l.cloud.Table("Sandbox")}
	herald := sandbox.Herald{Tasks: l,
		Courier: sandbox.NewCourier(func(url string) string { return url }, time.Now, nil), Now: time.Now,
		Nonce: rt.Nonce}
	bank := httptest.NewServer(sandbox.Handler{
		Ledger: ledger, Key: paymenttest.Key(), Herald: herald, Now: time.Now, Nonce: rt.Nonce,
		Log: slog.New(slog.DiscardHandler),
	}.Routes())
	t.Cleanup(bank.Close)
	l.url, l.worker = bank.URL, sandbox.Callbacks{Ledger: ledger, Herald: herald}
	l.till = payment.Reconciler{
		Charges:  paymentdb.Store{Table: rt.Table(l.cloud.Table("Charges"))},
		Provider: provider.New(bank.URL, paymenttest.Key(), nil, nil),
	}
	var secret string
	served := paymentapi.Handler{
		Reconciler: l.till, Log: slog.New(slog.DiscardHandler),
		Callbacks: provider.Callbacks{Now: time.Now,
			Secret: apikey.New(func(context.Context) (string, error) { return secret, nil }, time.Now)},
	}.Operation()
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		served.ServeHTTP(answer, r)
		l.mu.Lock()
		l.answered = append(l.answered, answer.Code)
		l.mu.Unlock()
		w.WriteHeader(answer.Code)
	}))
	t.Cleanup(shop.Close)

	registered := struct{ Secret string }{}
	require.NoError(t,
		json.Unmarshal(
			l.post("/v1/webhook_endpoints",
				url.Values{"url": {shop.URL + "/payments/events"}, "enabled_events[0]": {"*"}}), &registered))
	secret = registered.Secret
	return l
}

func (l *line) post(path string, form url.Values) []byte {
	l.t.Helper()
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url+path, strings.NewReader(form.Encode()))
	require.NoError(l.t, err)
	r.Header.Set("Authorization", "Bearer "+cloudtest.SampleSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(l.t, err)
	defer answer.Body.Close()
	require.Equal(l.t, http.StatusOK, answer.StatusCode)
	var body json.RawMessage
	require.NoError(l.t, json.NewDecoder(answer.Body).Decode(&body))
	return body
}

// ring runs the sandbox's pending tasks, the last first, and returns the facts that the charge has recorded.
func (l *line) ring() []saga.Fact {
	l.t.Helper()
	for len(l.tasks) > 0 {
		last := l.tasks[len(l.tasks)-1]
		l.tasks = l.tasks[:len(l.tasks)-1]
		require.NoError(l.t, l.worker.Handle(l.t.Context(), last))
	}
	for _, status := range l.answered {
		assert.Equal(l.t, http.StatusOK, status)
	}
	var all []saga.Fact
	for _, e := range paymenttest.Charge(l.t, l.cloud, order).History.Entries {
		all = append(all, e.Fact)
	}
	return all
}

func (l *line) reserved(card string) {
	l.t.Helper()
	e := paymenttest.Reserved(l.t, "reserved", order, money.Money{Amount: 1250, Currency: "EUR"}, card)
	require.NoError(l.t, payment.AuthorizeStep{Reconciler: l.till}.Handle(l.t.Context(), e))
}

func (l *line) confirmed() {
	l.t.Helper()
	require.NoError(l.t,
		payment.CaptureStep{Reconciler: l.till}.Handle(l.t.Context(),
			paymenttest.About(l.t, saga.CapturePayment, saga.OrderConfirmed, "confirmed", order)))
}

func (l *line) canceled() {
	l.t.Helper()
	require.NoError(l.t,
		payment.ReturnStep{Reconciler: l.till}.Handle(l.t.Context(),
			paymenttest.About(l.t, saga.ReturnPayment, saga.OrderCanceling, "canceling", order)))
}

func TestHandler_CallbacksAreRecordedOnce(t *testing.T) {
	t.Parallel()
	for _, card := range []string{
		"pm_card_visa", "pm_card_callbackEarly", "pm_card_callbackLate", "pm_card_callbackTwice",
		"pm_card_callbackReversed", "pm_card_callbackNone",
	} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.reserved(card)
			l.confirmed()
			assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized, saga.PaymentCaptured}, l.ring())
			l.canceled()
			assert.Equal(t,
				[]saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized, saga.PaymentCaptured, saga.PaymentReturning,
					saga.PaymentReturned}, l.ring())
			assert.Equal(t, card != "pm_card_callbackNone", len(l.answered) > 0)
		})
	}
}

func TestHandler_CallbackReportsTheCustomersAction(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.reserved("pm_card_authenticationRequired")
	c := paymenttest.Charge(t, l.cloud, order)
	assert.NotEmpty(t, c.ClientSecret)
	assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentActionNeeded}, l.ring())
	l.post("/v1/payment_intents/"+c.Intent+"/sandbox_action",
		url.Values{"client_secret": {c.ClientSecret}, "outcome": {"succeed"}})
	assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentActionNeeded, saga.PaymentAuthorized}, l.ring())
	assert.Empty(t, paymenttest.Charge(t, l.cloud, order).ClientSecret)
}
