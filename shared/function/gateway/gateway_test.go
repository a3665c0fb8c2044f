package gateway_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/function/gateway"
)

// seen is the request that a handler behind the gateway receives.
type seen struct {
	request *http.Request
	body    string
	gateway gateway.Request
}

func call(t *testing.T, e events.APIGatewayProxyRequest, answer http.HandlerFunc) (seen,
	events.APIGatewayProxyResponse) {
	t.Helper()
	var s seen
	if e.HTTPMethod == "" {
		e.HTTPMethod = "GET"
	}
	resp, err := gateway.Lambda(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		s = seen{r, string(body), gateway.From(r.Context())}
		answer(w, r)
	}), slog.Default())(t.Context(), e)
	require.NoError(t, err)
	return s, resp
}

func fine(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func TestLambda_PassesARequestWithoutABody(t *testing.T) {
	s, resp := call(t, events.APIGatewayProxyRequest{Path: "/orders", RequestContext: events.APIGatewayProxyRequestContext{
		RequestID: "r-1", Path: "/v1/orders", DomainName: "x.execute-api.eu-central-1.amazonaws.com"}}, fine)
	assert.Equal(t, "GET", s.request.Method)
	assert.Equal(t, "/orders", s.request.URL.Path, "without the stage")
	assert.Empty(t, s.body)
	assert.Zero(t, s.request.ContentLength)
	assert.Equal(t, "r-1", s.gateway.ID)
	assert.Equal(t, "/v1/orders", s.gateway.Path, "with the stage")
	assert.NotNil(t, s.gateway.Log)
	assert.Equal(t, 204, resp.StatusCode)
	assert.Empty(t, resp.Body)
	assert.False(t, resp.IsBase64Encoded)
}

func TestLambda_DecodesPathParameters(t *testing.T) {
	for path, want := range map[string]string{ // the path from the gateway, and {sku}
		"/products/mug":           "mug",
		"/products/a%2Fb":         "a/b",
		"/products/a%20b":         "a b",
		"/products/a b":           "a b",
		"/products/50%":           "50%",
		"/products/50%25":         "50%",
		"/products/a?b#c":         "a?b#c",
		"/products/é":             "é",
		"/products/a\nb":          "a\nb",
		"/products/a;b":           "a;b",
		"/products/%C3%A9%2F%3F%": "%C3%A9%2F%3F%", // "%" at the end does not begin an escape
	} {
		var sku string
		mux := http.NewServeMux()
		mux.HandleFunc("GET /products/{sku}", func(w http.ResponseWriter, r *http.Request) {
			sku = r.PathValue("sku")
			fine(w, r)
		})
		_, resp := call(t, events.APIGatewayProxyRequest{Path: path}, mux.ServeHTTP)
		assert.Equal(t, 204, resp.StatusCode, path)
		assert.Equal(t, want, sku, path)
	}
}

func TestLambda_UsesTheEventsPathWithoutARequestContext(t *testing.T) {
	s, _ := call(t, events.APIGatewayProxyRequest{Path: "/orders"}, fine)
	assert.Equal(t, "/orders", s.gateway.Path)
	assert.Empty(t, s.gateway.ID)
	assert.Zero(t, gateway.From(t.Context()))
}

func TestLambda_RemovesTheBasePath(t *testing.T) {
	for name, c := range map[string]struct{ path, resource, routed string }{
		"behind a base path":                     {"/shop/v2/orders/ord_1", "/orders/{id}", "/orders/ord_1"},
		"without a base path":                    {"/orders/ord_1", "/orders/{id}", "/orders/ord_1"},
		"an id with a slash is not a base path":  {"/orders/a/b", "/orders/{id}", "/orders/a/b"},
		"a slash at the end is not a base path":  {"/orders/", "/orders", "/orders"},
		"a slash behind a base path and a route": {"/shop/v2/orders/", "/orders", "/orders"},
		"a slash may belong to an id":            {"/orders/a/", "/orders/{id}", "/orders/a/"},
		"a greedy resource changes nothing":      {"/shop/a/b", "/{rest+}", "/shop/a/b"},
		"an empty resource changes nothing":      {"/shop/orders", "", "/shop/orders"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := call(t, events.APIGatewayProxyRequest{Path: c.path, Resource: c.resource}, fine)
			assert.Equal(t, c.routed, s.request.URL.Path)
		})
	}
}

func TestLambda_PassesAllHeaders(t *testing.T) {
	s, _ := call(t, events.APIGatewayProxyRequest{
		Headers: map[string]string{"x-tag": "b"},
		MultiValueHeaders: map[string][]string{
			"x-tag": {"a", "b"}, "AUTHORIZATION": {"Bearer t"}, "Cookie": {"a=1; b=2"},
		},
	}, fine)
	assert.Equal(t, []string{"a", "b"}, s.request.Header.Values("X-Tag"))
	assert.Equal(t, "Bearer t", s.request.Header.Get("authorization"))
	b, err := s.request.Cookie("b")
	require.NoError(t, err)
	assert.Equal(t, "2", b.Value)

	s, _ = call(t, events.APIGatewayProxyRequest{
		Headers: map[string]string{"x-tag": "b"}, MultiValueHeaders: map[string][]string{},
	}, fine)
	assert.Equal(t, "b", s.request.Header.Get("X-Tag"), "an empty list of headers does not hide the others")
}

func TestLambda_PassesQueryParameters(t *testing.T) {
	s, _ := call(t, events.APIGatewayProxyRequest{
		QueryStringParameters:           map[string]string{"tag": "b", "q": "a&b=c +é"},
		MultiValueQueryStringParameters: map[string][]string{"tag": {"a", "b"}, "q": {"a&b=c +é"}},
	}, fine)
	assert.Equal(t, []string{"a", "b"}, s.request.URL.Query()["tag"])
	assert.Equal(t, "a&b=c +é", s.request.URL.Query().Get("q"))

	s, _ = call(t, events.APIGatewayProxyRequest{QueryStringParameters: map[string]string{"tag": "b"}}, fine)
	assert.Equal(t, []string{"b"}, s.request.URL.Query()["tag"])
}

func TestLambda_DecodesBodies(t *testing.T) {
	binary := string([]byte{0xff, 0, 1})
	for _, e := range []events.APIGatewayProxyRequest{
		{HTTPMethod: "post", Body: "{}"},
		{HTTPMethod: "POST", Body: base64.StdEncoding.EncodeToString([]byte("{}")), IsBase64Encoded: true},
	} {
		s, _ := call(t, e, fine)
		assert.Equal(t, "POST", s.request.Method)
		assert.Equal(t, "{}", s.body)
		assert.EqualValues(t, 2, s.request.ContentLength)
	}
	s, _ := call(t, events.APIGatewayProxyRequest{HTTPMethod: "POST", Body: base64.StdEncoding.EncodeToString([]byte(binary)), IsBase64Encoded: true}, fine)
	assert.Equal(t, binary, s.body)
}

func TestLambda_EncodesAnswers(t *testing.T) {
	_, resp := call(t, events.APIGatewayProxyRequest{}, func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"é":1}`)
	})
	assert.Equal(t, 202, resp.StatusCode)
	assert.Equal(t, []string{"a=1", "b=2"}, resp.MultiValueHeaders["Set-Cookie"])
	assert.Equal(t, []string{"application/json"}, resp.MultiValueHeaders["Content-Type"])
	assert.Equal(t, `{"é":1}`, resp.Body)
	assert.False(t, resp.IsBase64Encoded)

	binary := []byte{0xff, 0, 1}
	_, resp = call(t, events.APIGatewayProxyRequest{}, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(binary) })
	assert.True(t, resp.IsBase64Encoded)
	decoded, err := base64.StdEncoding.DecodeString(resp.Body)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(binary, decoded))
}

// Queue steps start through the same package as routes, so gateway must not link huma.
func TestGateway_LinksNoOperations(t *testing.T) {
	module := strings.TrimSuffix(reflect.TypeFor[gateway.Request]().PkgPath(), "shared/function/gateway")
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "danielgtaylor"+"/huma", f)
		if !strings.HasSuffix(f, "_test.go") {
			assert.NotContains(t, string(text), `"`+module, f)
		}
	}
}
