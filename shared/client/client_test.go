package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest/loopback"
	"backroom/shared/client"
)

// request is a request that a server received.
type request struct {
	line, auth, key, media, body string
	header                       http.Header
	at                           time.Time
}

// server gives prepared answers, and records its requests.
type server struct {
	mu     sync.Mutex
	sent   []request
	answer func(w http.ResponseWriter, r *http.Request, n int) // n counts from 1
}

// ServeHTTP records a request and answers it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.sent = append(s.sent, request{
		r.Method + " " + r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"),
		r.Header.Get("Content-Type"), string(body), r.Header, time.Now(),
	})
	n := len(s.sent)
	s.mu.Unlock()
	s.answer(w, r, n)
}

// say answers with a JSON document.
func say(w http.ResponseWriter, status int, document string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, document)
}

// refuse answers with a problem.
func refuse(w http.ResponseWriter, status int, slug, retryAfter string) {
	w.Header().Set("Content-Type", "application/problem+json")
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"type":"https://api.example/problems#%[1]s","code":"%[1]s","title":"T","status":%[2]d,"detail":"D.","request_id":"r-1"}`, slug, status)
}

// dial starts the server and returns a client of it.
func dial(t *testing.T, s *server, settings client.Settings) *client.ClientWithResponses {
	t.Helper()
	listening := httptest.NewServer(s)
	t.Cleanup(listening.Close)
	api, err := client.New(listening.URL+"/v1", settings)
	require.NoError(t, err)
	return api
}

// near is dial for a synctest bubble.
func near(t *testing.T, s *server, settings client.Settings) *client.ClientWithResponses {
	t.Helper()
	settings.HTTP = &http.Client{Transport: loopback.Serve(t, s)}
	api, err := client.New(loopback.URL, settings)
	require.NoError(t, err)
	return api
}

var mug = client.OrderRequest{Lines: []client.LineRequest{{SKU: "MUG-1", Quantity: 2}}, PaymentMethod: "pm_card_visa"}

const receipt = `{"id":"ord_1","placed_at":"2026-03-01T12:00:00Z","lines":[],"total":{"amount":2500,"currency":"EUR"}}`

func TestClient_SendsRequestsOfTheDocument(t *testing.T) {
	t.Parallel()
	s := &server{answer: func(w http.ResponseWriter, r *http.Request, _ int) {
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/orders"):
			w.Header().Set("Location", "/v1/orders/ord_1")
			say(w, http.StatusAccepted, receipt)
		case r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
		default:
			say(w, http.StatusOK, `{}`)
		}
	}}
	api, ctx := dial(t, s, client.Settings{}), t.Context()

	placed, err := api.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: "key-1"}, mug)
	require.NoError(t, err)
	assert.Equal(t, "ord_1", placed.JSON202.ID)
	assert.Equal(t, client.Money{Amount: 2500, Currency: "EUR"}, placed.JSON202.Total)
	assert.Equal(t, "/v1/orders/ord_1", placed.HTTPResponse.Header.Get("Location"))
	_, err = api.ListOrdersWithResponse(ctx, &client.ListOrdersParams{Limit: new(int64(10))})
	require.NoError(t, err)
	_, err = api.ListProductsWithResponse(ctx, nil)
	require.NoError(t, err)
	_, err = api.GetStockWithResponse(ctx, "a/b c")
	require.NoError(t, err)
	_, err = api.AdjustStockWithResponse(ctx, "MUG-1", &client.AdjustStockParams{IdempotencyKey: "key-2"}, client.AdjustmentRequest{
		Set: new(int64(0)), IfEquals: new(int64(7)), Reason: "count",
	})
	require.NoError(t, err)
	_, err = api.PutProductWithResponse(ctx, "MUG-1", &client.PutProductParams{}, client.ProductContent{
		Title: "Mug", Prices: []client.MoneyRequest{{Amount: 1, Currency: "EUR"}},
	})
	require.NoError(t, err)
	same, err := api.GetOrderWithResponse(ctx, "ord_1", &client.GetOrderParams{IfNoneMatch: new(`"7"`)})
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotModified, same.StatusCode())
	assert.Nil(t, same.JSON200)

	for i, want := range []request{
		{line: "POST /v1/orders", key: "key-1", media: "application/json",
			body: `{"lines":[{"quantity":2,"sku":"MUG-1"}],"payment_method":"pm_card_visa"}`},
		{line: "GET /v1/orders?limit=10"},
		{line: "GET /v1/products"},
		{line: "GET /v1/stock/a%2Fb%20c"},
		{line: "POST /v1/stock/MUG-1/adjustments", key: "key-2", media: "application/json",
			body: `{"if_equals":7,"reason":"count","set":0}`},
		{line: "PUT /v1/products/MUG-1", media: "application/json",
			body: `{"prices":[{"amount":1,"currency":"EUR"}],"title":"Mug"}`},
		{line: "GET /v1/orders/ord_1"},
	} {
		got := s.sent[i]
		assert.NotContains(t, got.header, "If-Match", "what is not given is not sent")
		got.header, got.at = nil, time.Time{}
		assert.Equal(t, want, got)
	}
}

func TestRefusal_IsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		media, body string
		status      int
		want        client.Problem
		slug, text  string
	}{
		"a problem with all its members": {
			media: "application/problem+json; charset=utf-8", status: 422,
			body: `{"type":"https://api.example/problems#invalid-request","code":"invalid-request","title":"Invalid request","status":422,"detail":"A rule is broken.","request_id":"r-9",
				"errors":[{"detail":"too small","pointer":"#/lines/0/quantity"},{"detail":"too long","parameter":"Idempotency-Key"}]}`,
			want: client.Problem{Type: "https://api.example/problems#invalid-request", Code: "invalid-request",
				Title:  "Invalid request",
				Status: 422, Detail: "A rule is broken.", RequestID: "r-9",
				Errors: []client.ProblemError{{Detail: "too small", Pointer: "#/lines/0/quantity"},
					{Detail: "too long", Parameter: "Idempotency-Key"}}},
			slug: "invalid-request",
			text: "422 invalid-request: A rule is broken. [#/lines/0/quantity: too small] [Idempotency-Key: too " +
				"long] (request r-9)",
		},
		"a problem of another service has no slug": {
			media: "application/problem+json", status: 404,
			body: `{"type":"https://example.com/gone","title":"Gone","detail":"It went."}`,
			want: client.Problem{Type: "https://example.com/gone", Title: "Gone", Status: 404, Detail: "It went.",
				RequestID: "from-header"},
			text: "404 Gone: It went. (request from-header)",
		},
		"a refusal of the token endpoint": {
			media: "application/json", status: 401,
			body: `{"code":"unknown-client","detail":"The secret is wrong.","error":"invalid_client"}`,
			want: client.Problem{Type: "about:blank", Code: "unknown-client", Title: "Unauthorized", Status: 401,
				Detail: "The secret is wrong.", RequestID: "from-header"},
			text: "401 unknown-client: The secret is wrong. (request from-header)",
			slug: "unknown-client",
		},
		"a page of a proxy": {
			media: "text/html", status: 502, body: "<h1>Bad</h1>" + strings.Repeat("é", 300),
			want: client.Problem{Type: "about:blank", Title: "Bad Gateway", Status: 502, Detail: "<h1>Bad</h1>" +
				strings.Repeat("é", 94), RequestID: "from-header"},
			text: "502 Bad Gateway: <h1>Bad</h1>" + strings.Repeat("é", 94) + " (request from-header)",
		},
		"a page of a proxy with status 200": {
			media: "text/html", status: 200, body: "<h1>Welcome</h1>",
			want: client.Problem{Type: "about:blank", Title: "OK", Status: 200, Detail: "<h1>Welcome</h1>",
				RequestID: "from-header"},
			text: "200 OK: <h1>Welcome</h1> (request from-header)",
		},
		"a problem that is not JSON": {
			media: "application/problem+json", status: 500, body: `{"title":"half","detail":`,
			want: client.Problem{Type: "about:blank", Title: "Internal Server Error", Status: 500,
				Detail: `{"title":"half","detail":`, RequestID: "from-header"},
			text: `500 Internal Server Error: {"title":"half","detail": (request from-header)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &server{answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Type", c.media)
				w.Header().Set("X-Request-Id", "from-header")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}}
			_, err := dial(t, s, client.Settings{Patience: time.Minute}).GetOrderWithResponse(t.Context(), "ord_1", nil)
			refused, ok := errors.AsType[*client.Refusal](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, c.want, refused.Problem)
			assert.Equal(t, c.slug, refused.Slug())
			assert.Equal(t, "from-header", refused.Header.Get("X-Request-Id"))
			assert.EqualError(t, err, c.text)
			assert.Len(t, s.sent, 1, "a refusal is not retried")
		})
	}
	t.Run("a response that is cut off is a refusal", func(t *testing.T) {
		s := &server{answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "half")
		}}
		_, err := dial(t, s, client.Settings{}).GetHealthWithResponse(t.Context())
		assert.EqualError(t, err, "500 Internal Server Error: the response was cut off: unexpected EOF")
	})
	t.Run("an unreachable server is another error", func(t *testing.T) {
		unreachable, err := client.New("http://127.0.0.1:1", client.Settings{Patience: time.Minute})
		require.NoError(t, err)
		_, err = unreachable.GetHealthWithResponse(t.Context())
		_, refused := errors.AsType[*client.Refusal](err)
		require.Error(t, err)
		assert.False(t, refused)
	})
}

func TestClient_RetriesWithinPatience(t *testing.T) {
	t.Parallel()
	always := func(status int, retryAfter string) func(int) (int, string) {
		return func(int) (int, string) { return status, retryAfter }
	}
	for name, c := range map[string]struct {
		patience time.Duration
		says     func(n int) (status int, retryAfter string) // 0: a receipt
		tries    int
		least    time.Duration // the duration
		most     time.Duration
		status   int64 // of the refusal; 0 means success
	}{
		"after Retry-After, until another answer comes": {
			patience: time.Minute, tries: 3, least: 5 * time.Second, most: 5 * time.Second,
			says: func(n int) (int, string) {
				return []int{http.StatusTooManyRequests, http.StatusServiceUnavailable, 0}[n-1],
					[]string{"3", "2", ""}[n-1]
			},
		},
		"not without patience": {patience: 0, says: always(http.StatusTooManyRequests, "1"),
			tries: 1, status: 429},
		"not if Retry-After is longer than patience": {patience: 10 * time.Second,
			says: always(http.StatusServiceUnavailable, "11"), tries: 1, status: 503},
		"no longer than patience in all": {patience: 10 * time.Second,
			says: always(http.StatusTooManyRequests, "4"), tries: 3, least: 8 * time.Second, most: 8 * time.Second,
			status: 429},
		"with growing pauses without Retry-After": {patience: 10 * time.Second,
			says: always(http.StatusServiceUnavailable, ""), tries: 0, least: 3 * time.Second, most: 10 * time.Second,
			status: 503},
		"with growing pauses if it is invalid": {patience: 10 * time.Second,
			says: always(http.StatusServiceUnavailable, "-5"), tries: 0, least: 3 * time.Second, most: 10 * time.Second,
			status: 503},
		"not after a failure": {patience: time.Minute,
			says: always(http.StatusInternalServerError, "1"), tries: 1, status: 500},
		"not after a conflict": {patience: time.Minute, says: always(http.StatusConflict, "1"),
			tries: 1, status: 409},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{answer: func(w http.ResponseWriter, _ *http.Request, n int) {
					if status, retryAfter := c.says(n); status != 0 {
						refuse(w, status, "busy", retryAfter)
						return
					}
					say(w, http.StatusAccepted, receipt)
				}}
				api, began := near(t, s, client.Settings{Patience: c.patience}), time.Now()
				answer,
					err := api.PlaceOrderWithResponse(t.Context(),
					&client.PlaceOrderParams{IdempotencyKey: client.NewKey()}, mug)
				took := time.Since(began)
				assert.True(t, c.least <= took && took <= c.most, "it took %s", took)
				if c.tries > 0 {
					assert.Len(t, s.sent, c.tries)
				} else {
					assert.Greater(t, len(s.sent), 3)
					assert.Less(t, len(s.sent), 30)
				}
				for _, again := range s.sent {
					assert.Equal(t, [2]string{s.sent[0].key, s.sent[0].body}, [2]string{again.key, again.body},
						"a retry is the same request")
					assert.NotEmpty(t, again.body)
				}
				if c.status == 0 {
					require.NoError(t, err)
					assert.Equal(t, "ord_1", answer.JSON202.ID)
					return
				}
				refused, ok := err.(*client.Refusal)
				require.True(t, ok, "the error is not wrapped: %v", err)
				assert.Equal(t, c.status, refused.Status)
			})
		})
	}
	t.Run("not after its context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &server{answer: func(w http.ResponseWriter, _ *http.Request,
				_ int) {
				refuse(w, 503, "unavailable", "30")
			}}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			api, began := near(t, s, client.Settings{Patience: time.Hour}), time.Now()
			_, err := api.GetHealthWithResponse(ctx)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 2*time.Second, time.Since(began))
		})
	})
	t.Run("not if its body can be read only once", func(t *testing.T) {
		s := &server{answer: func(w http.ResponseWriter, _ *http.Request, _ int) { refuse(w, 503, "unavailable", "1") }}
		api := dial(t, s, client.Settings{Patience: time.Minute})
		body := io.MultiReader(strings.NewReader(`{"reason":"late"}`))
		_, err := api.CancelOrderWithBodyWithResponse(t.Context(), "ord_1", "application/json", body)
		require.Error(t, err)
		require.Len(t, s.sent, 1)
		assert.Equal(t, `{"reason":"late"}`, s.sent[0].body)
	})
}

func TestNewKey_IsUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		key := client.NewKey()
		assert.Regexp(t, `^[!-~]{20,255}$`, key)
		seen[key] = true
	}
	assert.Len(t, seen, 1000)
}
