package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/function/gateway"
	"backroom/shared/identity"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// tokens is a verifier with the caller of each token.
type tokens map[string]identity.Caller

func (t tokens) Verify(_ context.Context, token string) (identity.Caller, error) {
	if token == "unlucky" {
		return identity.Caller{}, fault.New(fault.Unavailable, "keys-unreadable", "The keys cannot be read.")
	}
	c, ok := t[token]
	if !ok {
		return identity.Caller{}, identity.ErrNotAuthenticated
	}
	return c, nil
}

var callers = tokens{
	"writer": {Shop: "s", Subject: "ann", Client: "till-1", Scopes: []string{"orders:write"}},
	"reader": {Shop: "s", Subject: "bob", Client: "till-2", Scopes: []string{"orders:read"}},
}

type line struct {
	SKU      string `json:"sku" minLength:"1" maxLength:"32"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"999"`
}

type order struct {
	Lines []line            `json:"lines" minItems:"1" maxItems:"3"`
	Note  string            `json:"note,omitempty" maxLength:"10"`
	Email string            `json:"email,omitempty" format:"email"`
	Small int8              `json:"small,omitempty"`
	Share float64           `json:"share,omitempty"`
	Odd   string            `json:"a/b~c,omitempty" maxLength:"3"`
	Tags  map[string]string `json:"tags,omitempty"`
}

type placeInput struct {
	api.Keyed
	Shelf string `path:"shelf" maxLength:"8"`
	Limit int    `query:"limit" minimum:"1"`
	Body  order
}

type placeOutput struct {
	api.Replay
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     struct {
		ID     string `json:"id"`
		Caller string `json:"caller"`
	}
}

func place(answer func(context.Context, *placeInput) (*placeOutput, error)) api.Operation {
	return api.New(api.Route{
		Name: "place-order", Method: http.MethodPost, Path: "/shelves/{shelf}/orders",
		DefaultStatus: http.StatusAccepted,
		Access:        api.Needs(callers, "orders:write"),
	}, answer)
}

func accept(ctx context.Context, in *placeInput) (*placeOutput, error) {
	out := &placeOutput{Location: api.Location(ctx, "o 1"), ETag: api.ETag(1), Replay: api.Replayed(in.Key == "again")}
	out.Body.ID, out.Body.Caller = "o 1", identity.From(ctx).Subject
	return out, nil
}

const good = `{"lines":[{"sku":"mug","quantity":2}]}`

func request(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/shelves/top/orders", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer writer")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k1")
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problem decodes the answer and checks what holds for every problem.
func problem(t *testing.T, w *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	var p api.Problem
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), w.Body.String())
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	assert.Equal(t, w.Code, p.Status)
	assert.NotEmpty(t, p.RequestID)
	assert.Equal(t, w.Header().Get("X-Request-Id"), p.RequestID)
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.NotEmpty(t, p.Title)
	assert.NotEmpty(t, p.Detail)
	assert.Equal(t, api.ProblemsPath+"#"+p.Code, p.Type)
	return p
}

func TestOperation_AcceptsAnOrder(t *testing.T) {
	w := serve(place(accept), request(good))
	assert.Equal(t, 202, w.Code)
	assert.JSONEq(t, `{"id":"o 1","caller":"ann"}`, w.Body.String())
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(t, "/shelves/top/orders/o%201", w.Header().Get("Location"))
	assert.Equal(t, `"v1"`, w.Header().Get("ETag"))
	assert.NotEmpty(t, w.Header().Get("X-Request-Id"))
	assert.NotContains(t, w.Header(), "Idempotent-Replayed")
	assert.NotContains(t, w.Header(), "Link")
	assert.NotContains(t, w.Header(), "Cache-Control")
}

func TestReplay_MarksARepetition(t *testing.T) {
	r := request(good)
	r.Header.Set("Idempotency-Key", "again")
	assert.Equal(t, "true", serve(place(accept), r).Header().Get("Idempotent-Replayed"))
}

func TestBody_ReturnsTheBytesOfATypedBody(t *testing.T) {
	var seen []byte
	serve(place(func(ctx context.Context, in *placeInput) (*placeOutput, error) {
		seen = api.Body(ctx)
		return accept(ctx, in)
	}), request(good))
	assert.Equal(t, good, string(seen))
}

// The statuses are those of the table in package fault.
func TestProblem_EveryKindHasItsStatus(t *testing.T) {
	declared := func(k fault.Kind) error { return fault.New(k, "some-slug", "Some detail.") }
	for name, c := range map[string]struct {
		err    error
		status int
		slug   string
		detail string
		level  string
	}{
		"unreadable":              {declared(fault.Malformed), 400, "some-slug", "Some detail.", "INFO"},
		"breaks a rule":           {declared(fault.Invalid), 422, "some-slug", "Some detail.", "INFO"},
		"nobody we know":          {declared(fault.Unauthenticated), 401, "some-slug", "Some detail.", "INFO"},
		"not allowed":             {declared(fault.Forbidden), 403, "some-slug", "Some detail.", "INFO"},
		"absent, or another's":    {declared(fault.NotFound), 404, "some-slug", "Some detail.", "INFO"},
		"too large":               {declared(fault.TooLarge), 413, "some-slug", "Some detail.", "INFO"},
		"wrong method":            {declared(fault.WrongMethod), 405, "some-slug", "Some detail.", "INFO"},
		"wrong media type":        {declared(fault.WrongMedia), 415, "some-slug", "Some detail.", "INFO"},
		"lost a race":             {declared(fault.Conflict), 409, "some-slug", "Some detail.", "INFO"},
		"If-Match does not hold":  {declared(fault.PreconditionFailed), 412, "some-slug", "Some detail.", "INFO"},
		"If-Match is needed":      {declared(fault.PreconditionNeeded), 428, "some-slug", "Some detail.", "INFO"},
		"too many":                {declared(fault.Throttled), 429, "some-slug", "Some detail.", "WARN"},
		"later":                   {declared(fault.Unavailable), 503, "some-slug", "Some detail.", "WARN"},
		"a kind and nothing else": {fault.Conflict, 409, "conflict", "Conflict.", "INFO"},
		"wrapped on its way": {errors.Join(errors.New("while saving"), declared(fault.Conflict)), 409,
			"some-slug", "Some detail.", "INFO"},
		"declared as internal": {declared(fault.Internal), 500, "internal-error", api.ErrInternal.Detail, "ERROR"},
		"no fault at all": {errors.New("dial tcp 10.0.0.1: secret"), 500, "internal-error",
			api.ErrInternal.Detail, "ERROR"},
		"a duplicate that got out": {declared(fault.Duplicate), 500, "internal-error", api.ErrInternal.Detail, "ERROR"},
		"a kind nobody knows":      {declared("strange"), 500, "internal-error", api.ErrInternal.Detail, "ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			w, log := logged(t, place(func(context.Context, *placeInput) (*placeOutput, error) { return nil, c.err }), request(good))
			p := problem(t, w)
			assert.Equal(t, c.status, w.Code)
			assert.Equal(t, c.slug, p.Code)
			assert.Equal(t, c.detail, p.Detail)
			assert.NotContains(t, w.Body.String(), "secret")
			assert.Equal(t, c.level, log["level"])
			assert.Contains(t, log["error"], c.err.Error())
		})
	}
}

func TestProblem_ThrottledAndUnavailableHaveRetryAfter(t *testing.T) {
	for after, want := range map[string]string{"0s": "1", "10ms": "1", "1.2s": "2", "1m": "60"} {
		w := serve(place(func(context.Context, *placeInput) (*placeOutput, error) {
			return nil, fault.New(fault.Unavailable, "later", "Later.").After(duration(t, after))
		}), request(good))
		assert.Equal(t, want, w.Header().Get("Retry-After"), after)
	}
}

func TestOperation_PanicIsAnInternalError(t *testing.T) {
	w, log := logged(t, place(func(context.Context, *placeInput) (*placeOutput, error) { panic("secret") }), request(good))
	assert.Equal(t, 500, problem(t, w).Status)
	assert.NotContains(t, w.Body.String(), "secret")
	assert.Equal(t, "ERROR", log["level"])
	assert.Contains(t, log["error"], "panic: secret")
	assert.Contains(t, log["stack"], "api_test")
}

func TestProblem_NamesThePlaceOfABrokenRule(t *testing.T) {
	w := serve(place(func(context.Context, *placeInput) (*placeOutput, error) {
		return nil, fault.New(fault.Invalid, "unknown-sku", "No such product.").
			At("/lines/0/sku", "unknown").At("/a~1b c", "odd").At("", "the whole").In("limit", "too high")
	}), request(good))
	assert.Equal(t, []api.ProblemError{
		{Detail: "unknown", Pointer: "#/lines/0/sku"}, {Detail: "odd", Pointer: "#/a~1b%20c"},
		{Detail: "the whole", Pointer: "#"},
		{Detail: "too high", Parameter: "limit"},
	}, problem(t, w).Errors)
}

func TestAccess_AcceptsValidTokensWithTheScopes(t *testing.T) {
	for name, c := range map[string]struct {
		authorization []string
		status        int
		challenge     string
	}{
		"a caller with the scope":    {[]string{"Bearer writer"}, 202, ""},
		"whatever the scheme's case": {[]string{"bearer writer"}, 202, ""},
		"no token":                   {nil, 401, `Bearer realm="backroom"`},
		"another scheme":             {[]string{"Basic writer"}, 401, `Bearer realm="backroom"`},
		"an empty token":             {[]string{"Bearer "}, 401, `Bearer realm="backroom"`},
		"two headers":                {[]string{"Bearer writer", "Bearer reader"}, 401, `Bearer realm="backroom"`},
		"a token that nobody gave": {[]string{"Bearer forged"}, 401,
			`Bearer realm="backroom", error="invalid_token"`},
		"a token that grants less": {[]string{"Bearer reader"}, 403,
			`Bearer realm="backroom", error="insufficient_scope", scope="orders:write"`},
		"a token that cannot be checked": {[]string{"Bearer unlucky"}, 503, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{good, `{"not json`, strings.Repeat("x", api.MaxBody+1)} {
				r := request(body)
				r.Header["Authorization"] = c.authorization
				w := serve(place(accept), r)
				if body == good || c.status != 202 {
					assert.Equal(t, c.status, w.Code, "whatever the body is")
				}
				assert.Equal(t, c.challenge, w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

func TestNew_PanicsOnAnIncompleteRoute(t *testing.T) {
	handle := func(context.Context, *struct{}) (*struct{}, error) { return nil, nil }
	route := api.Route{Name: "x", Method: "GET", Path: "/x"}
	assert.PanicsWithValue(t, `api: the route "x" has no Access: set api.Public, or api.Needs with a verifier`,
		func() { api.New(route, handle) })
	route.Access = api.Needs(nil)
	assert.Panics(t, func() { api.New(route, handle) })
	route.Access, route.Path = api.Public, ""
	assert.Panics(t, func() { api.New(route, handle) })
}

func TestOperation_RefusesOtherPathsAndMethods(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		status       int
		slug, allow  string
	}{
		"another path":   {"POST", "/elsewhere", 404, "no-such-route", ""},
		"another method": {"GET", "/shelves/top/orders", 405, "method-not-allowed", "POST"},
		"an unclean one": {"POST", "//shelves/top/orders", 404, "no-such-route", ""},
	} {
		w := serve(place(accept), httptest.NewRequest(c.method, c.path, nil))
		assert.Equal(t, c.status, w.Code, name)
		assert.Equal(t, c.slug, problem(t, w).Code, name)
		assert.Equal(t, c.allow, w.Header().Get("Allow"), name)
		assert.Empty(t, w.Header().Get("Location"), name)
	}
}

func TestOperation_LogsOneLinePerRequest(t *testing.T) {
	_, log := logged(t, place(accept), request(good))
	assert.Equal(t, "INFO", log["level"])
	assert.Equal(t, "done", log["outcome"])
	assert.Equal(t, "POST", log["method"])
	assert.Equal(t, "POST /shelves/{shelf}/orders", log["route"])
	assert.Equal(t, 202.0, log["status"])
	assert.Equal(t, "till-1", log["client"])
	assert.Equal(t, "gw-1", log["requestId"])
	assert.Contains(t, log, "ms")
	assert.NotContains(t, log, "error")

	_, log = logged(t, place(accept), request(`{"lines":[{"sku":"secret-value-that-is-far-too-long-to-be-one","quantity":0}],"email":"secret"}`))
	assert.Equal(t, "refused", log["outcome"])
	assert.Equal(t, "invalid", log["kind"])
	assert.NotContains(t, log["error"], "secret")
}

// logged serves the request as the gateway does, and returns its only log line.
func logged(t *testing.T, h http.Handler, r *http.Request) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	var log bytes.Buffer
	w := httptest.NewRecorder()
	lambda := gateway.Lambda(http.HandlerFunc(func(done http.ResponseWriter, viaGateway *http.Request) {
		done.WriteHeader(http.StatusOK)
		h.ServeHTTP(w, r.WithContext(viaGateway.Context()))
	}), slog.New(slog.NewJSONHandler(&log, nil)))
	_, err := lambda(t.Context(), events.APIGatewayProxyRequest{
		RequestContext: events.APIGatewayProxyRequestContext{RequestID: "gw-1"},
	})
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &fields), "one line: %s", log.String())
	assert.Equal(t, "gw-1", w.Header().Get("X-Request-Id"))
	return w, fields
}
