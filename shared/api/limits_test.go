package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
	"backroom/shared/function/gateway"
	"backroom/shared/function/limit"
	"backroom/shared/identity"
)

// verifier counts its calls.
type verifier struct {
	tokens
	asked int
}

func (v *verifier) Verify(ctx context.Context, token string) (identity.Caller, error) {
	v.asked++
	return v.tokens.Verify(ctx, token)
}

// door is a limited route behind the gateway, with its clock.
type door struct {
	t       *testing.T
	now     time.Time
	handler func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error)
}

func open(t *testing.T, access api.Access, perSecond, burst int) *door {
	t.Helper()
	d := &door{t: t, now: time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)}
	op := api.New(api.Route{Name: "put-thing", Method: http.MethodPut, Path: "/thing", Access: access},
		func(context.Context, *struct{ Body line }) (*struct{}, error) { return nil, nil })
	d.handler = gateway.Lambda(op.Deployed(limit.New(perSecond, burst, func() time.Time { return d.now }), ""), nil)
	return d
}

// ask sends a request and returns its status and its headers.
func (d *door) ask(source, token, body string) (int, http.Header) {
	d.t.Helper()
	e := events.APIGatewayProxyRequest{HTTPMethod: http.MethodPut, Path: "/thing", Body: body,
		Headers: map[string]string{"Content-Type": "application/json"}}
	if token != "" {
		e.Headers["Authorization"] = "Bearer " + token
	}
	e.RequestContext.Identity.SourceIP = source
	answer, err := d.handler(d.t.Context(), e)
	require.NoError(d.t, err)
	return answer.StatusCode, http.Header(answer.MultiValueHeaders)
}

const thing = `{"sku":"mug","quantity":1}`

func limits(h http.Header) []string {
	return []string{h.Get("RateLimit-Limit"), h.Get("RateLimit-Remaining"), h.Get("RateLimit-Reset"),
		h.Get("RateLimit-Policy"), h.Get("Retry-After")}
}

func TestLimit_EveryAnswerHasTheRateLimitHeaders(t *testing.T) {
	d := open(t, api.Public, 2, 5)
	for what, want := range []struct {
		body   string
		status int
		limits []string
	}{
		{thing, 204, []string{"5", "4", "1", "5;w=3", ""}},
		{`{`, 400, []string{"5", "3", "1", "5;w=3", ""}},
		{`{"sku":""}`, 422, []string{"5", "2", "2", "5;w=3", ""}},
		{thing, 204, []string{"5", "1", "2", "5;w=3", ""}},
		{thing, 204, []string{"5", "0", "3", "5;w=3", ""}},
		{`{`, 429, []string{"5", "0", "3", "5;w=3", "1"}}, // before the body is read
	} {
		status, header := d.ask("192.0.2.1", "", want.body)
		assert.Equal(t, want.status, status, what)
		assert.Equal(t, want.limits, limits(header), what)
	}
	d.now = d.now.Add(500 * time.Millisecond)
	status, header := d.ask("192.0.2.1", "", thing)
	assert.Equal(t, 204, status, "a token is there")
	assert.Equal(t, []string{"5", "0", "3", "5;w=3", ""}, limits(header))
	status, _ = d.ask("192.0.2.2", "", thing)
	assert.Equal(t, 204, status, "another address")
}

func TestLimit_CountsACallerByItsTokenFromEveryAddress(t *testing.T) {
	d := open(t, api.Needs(callers), 1, 2)
	for _, source := range []string{"192.0.2.1", "192.0.2.2"} {
		status, _ := d.ask(source, "writer", thing)
		assert.Equal(t, 204, status)
	}
	status, header := d.ask("192.0.2.3", "writer", thing)
	assert.Equal(t, 429, status)
	assert.Equal(t, []string{"2", "0", "2", "2;w=2", "1"}, limits(header))
	for range 2 {
		status, _ = d.ask("192.0.2.3", "reader", thing)
		assert.Equal(t, 204, status, "other callers at its address have their own quota")
	}
}

func TestLimit_CountsRequestsWithoutTheScope(t *testing.T) {
	d := open(t, api.Needs(callers, "orders:write"), 1, 1)
	status, _ := d.ask("192.0.2.1", "reader", thing)
	assert.Equal(t, 403, status)
	status, _ = d.ask("192.0.2.1", "reader", thing)
	assert.Equal(t, 429, status)
}

func TestLimit_BadTokensAreCountedPerAddress(t *testing.T) {
	v := &verifier{tokens: callers}
	d := open(t, api.Needs(v), 1, 3)
	for i, want := range []int{401, 401, 401, 429, 429, 429} {
		status, header := d.ask("192.0.2.1", "guess", thing)
		assert.Equal(t, want, status)
		assert.Equal(t, []string{"2", "1", "0", "0", "0", "0"}[i], header.Get("RateLimit-Remaining"))
	}
	assert.Equal(t, 3, v.asked, "later tokens are not verified")
	status, _ := d.ask("192.0.2.2", "writer", thing)
	assert.Equal(t, 204, status, "other addresses are not limited")
	d.now = d.now.Add(time.Second)
	status, _ = d.ask("192.0.2.1", "", thing)
	assert.Equal(t, 401, status, "a missing token counts as a bad one")
	status, _ = d.ask("192.0.2.1", "", thing)
	assert.Equal(t, 429, status)
}

func TestLimit_UnreadableKeysAreNotCounted(t *testing.T) {
	d := open(t, api.Needs(callers), 1, 1)
	for range 3 {
		status, header := d.ask("192.0.2.1", "unlucky", thing)
		assert.Equal(t, 503, status)
		assert.Equal(t, "1", header.Get("RateLimit-Remaining"), "unreadable keys do not count against the address")
	}
}

func TestLimit_ThrottledCallerGetsAProblem(t *testing.T) {
	op := api.New(api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/thing", Access: api.Public},
		func(context.Context, *struct{}) (*struct{}, error) { return nil, nil }).Deployed(
		limit.New(1, 1, time.Now().UTC), "")
	assert.Equal(t, 204, serve(op, httptest.NewRequest(http.MethodGet, "/thing", nil)).Code)
	w := serve(op, httptest.NewRequest(http.MethodGet, "/thing", nil))
	p := problem(t, w)
	assert.Equal(t, 429, p.Status)
	assert.Equal(t, "throttled", p.Code)
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
}
