package contract_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/contract"
)

const placed = `{"id":"ord_1","placed_at":"2026-03-01T12:00:00Z","lines":[{"sku":"MUG-1","quantity":2,"price":{"amount":1250,"currency":"EUR"}}],"total":{"amount":2500,"currency":"EUR"}}`

func TestCheck_FindsWhatBreaksTheContract(t *testing.T) {
	t.Parallel()
	promised, err := contract.Promised()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		method, path string
		status       int
		media, body  string
		header       string
		wrong        string // a part of the error; empty: no error
	}{
		"an order that is accepted": {"POST", "/orders", 202, "application/json", placed, "Location",
			""},
		"a member that the document does not name": {"POST", "/orders", 202, "application/json",
			strings.Replace(placed, `{"id"`, `{"cost":1,"id"`, 1), "Location", "cost"},
		"a member that is missing": {"POST", "/orders", 202, "application/json",
			strings.Replace(placed, `"id":"ord_1",`, ``, 1), "Location", "id"},
		"a member of another type": {"POST", "/orders", 202, "application/json",
			strings.Replace(placed, `2500`, `"2500"`, 1), "Location", "amount"},
		"a status that the document does not name": {"POST", "/orders", 201, "application/json", placed, "Location",
			"answers 201"},
		"a header that the document does not name": {"POST", "/orders", 202, "application/json", placed, "X-Cost",
			"X-Cost"},
		"a media type that the document does not name": {"POST", "/orders", 202, "text/html", placed, "Location",
			"text/html"},
		"a path that the document does not name": {"POST", "/baskets", 202, "application/json", placed,
			"Location", "no operation"},
		"a method that the document does not name": {"PATCH", "/orders", 202, "application/json", placed,
			"Location", "no operation"},
		"a body that the document does not name": {"DELETE", "/products/MUG-1", 204, "application/json", placed,
			"Date", "with a body"},
		"a problem of the gateway": {"PATCH", "/orders", 404, "application/problem+json",
			`{"type":"https://x.example/v1/problems#no-such-route","code":"no-such-route","title":"Not found","status":404,"detail":"There is no such route.","request_id":"1"}`, "Date", ""},
		"a problem of the gateway without a request id": {"PATCH", "/orders", 404, "application/problem+json",
			`{"type":"https://x.example/v1/problems#no-such-route","code":"no-such-route","title":"Not found","status":404,"detail":"There is no such route."}`, "Date", "request_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := promised.Check(httptest.NewRequest(c.method, "https://api.example/v1"+c.path, nil), c.path,
				contract.Answer{
					Status: c.status, Body: []byte(c.body),
					Header: http.Header{"Content-Type": {c.media}, "X-Request-Id": {"1"}, c.header: {"x"}},
				})
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wrong)
		})
	}
}

// served returns a client that checks the answers of handle below base, and the server's URL.
func served(t *testing.T, base string, handle http.HandlerFunc) (client http.Client, url string) {
	t.Helper()
	promised, err := contract.Promised()
	require.NoError(t, err)
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return http.Client{Transport: promised.Checked(http.DefaultTransport, server.URL+base)}, server.URL
}

func TestChecked_AForbiddenRequestThatIsAcceptedIsAnError(t *testing.T) {
	t.Parallel()
	client, url := served(t, "/v1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "1")
		w.Header().Set("Location", "/v1/orders/ord_1")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, placed)
	})
	for body, wrong := range map[string]string{
		`{"lines":[{"sku":"MUG-1","quantity":2}],"payment_method":"pm_card_visa"}`: "",
		`{"lines":[{"sku":"MUG-1","quantity":0}],"payment_method":"pm_card_visa"}`: "place-order accepts what the " +
			"document forbids",
	} {
		r, err := http.NewRequest(http.MethodPost, url+"/v1/orders", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k-1")
		response, err := client.Do(r)
		if wrong != "" {
			require.ErrorContains(t, err, wrong)
			continue
		}
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
}

func TestChecked_AnAnswerThatBreaksTheContractIsAnError(t *testing.T) {
	t.Parallel()
	client, url := served(t, "/v1/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/v1/gateway":
			w.WriteHeader(http.StatusForbidden)
		case "/v1/stock/MUG-1":
		default:
			w.Header().Set("X-Request-Id", "1")
		}
		_, _ = io.WriteString(w, `{"status":"`+r.URL.Query().Get("status")+`"}`)
	})
	for path, wrong := range map[string]string{
		"/v1/health?status=ok":    "",
		"/v1/health?status=weary": "get-health answers 200 with another body than the document describes",
		"/v1/elsewhere":           "no operation of the document",
		"/v1/gateway":             "",
		"/v1/stock/MUG-1":         "X-Request-Id", // with X-Request-Id it counts as an operation's answer
		"/sandbox/payments":       "",
	} {
		response, err := client.Get(url + path)
		if wrong != "" {
			require.ErrorContains(t, err, wrong, path)
			continue
		}
		require.NoError(t, err, path)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Contains(t, string(body), "status")
	}
}

func TestCheckAccepted_FindsForbiddenRequests(t *testing.T) {
	t.Parallel()
	promised, err := contract.Promised()
	require.NoError(t, err)
	const order = `{"lines":[{"sku":"MUG-1","quantity":2}],"payment_method":"pm_card_visa"}`
	for name, c := range map[string]struct {
		path, key, body string
		wrong           string // a part of the error; empty: no error
	}{
		"an order": {"/orders", "k-1", order, ""},
		"a member that the document does not name": {"/orders", "k-1",
			strings.Replace(order, `{"lines"`, `{"gift":true,"lines"`, 1), "gift"},
		"a quantity below the minimum": {"/orders", "k-1", strings.Replace(order, `:2`, `:0`, 1),
			"quantity"},
		"a missing idempotency key":              {"/orders", "", order, "Idempotency-Key"},
		"a path that the document does not name": {"/baskets", "k-1", order, "no operation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "https://api.example/v1"+c.path, strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/json")
			if c.key != "" {
				r.Header.Set("Idempotency-Key", c.key)
			}
			err := promised.CheckAccepted(r, c.path)
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wrong)
		})
	}
}

func TestRead_AnInvalidDocumentIsAnError(t *testing.T) {
	t.Parallel()
	_, err := contract.Read([]byte("openapi: 3.1.0\npaths: {/orders: {post: {operationId: 7}}}"))
	assert.Error(t, err)
}
