package front

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProxy_HidesGatewayAndStage(t *testing.T) {
	t.Parallel()
	const base = "/_aws/execute-api/a1b2/v1"
	var location string
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		_, _ = io.WriteString(w, r.URL.EscapedPath()+"?"+r.URL.RawQuery)
	}))
	defer gateway.Close()
	api, err := url.Parse(gateway.URL + base)
	require.NoError(t, err)
	proxy := httptest.NewServer(Proxy(api, "/v1"))
	defer proxy.Close()

	for sent, want := range map[string]string{
		"/v1/orders/ord_1":                       "/orders/ord_1",
		base + "/orders/ord_1":                   "/orders/ord_1",
		gateway.URL + base + "/orders/ord_1?a=b": "/orders/ord_1?a=b",
		"/orders/ord_1":                          "/orders/ord_1",
		"/v1things":                              "/v1things",
		"https://elsewhere.example/v1/x":         "https://elsewhere.example/v1/x",
		"":                                       "",
	} {
		location = sent
		answer, err := http.Get(proxy.URL + "/products/A%2FB?cursor=1")
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, answer.Header.Get("Location"), sent)
		require.Equal(t, base+"/products/A%2FB?cursor=1", string(body))
	}
}

// gateway is a server that answers with the request as it got it, and a link.
func gateway(t *testing.T) (proxy string) {
	t.Helper()
	const base = "/_aws/execute-api/a1b2/v1"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `</v1/products?cursor=1>; rel="next", <https://elsewhere.example/v1/x>; rel="help"`)
		w.Header().Set("Location", "/v1/orders/a%2Fb")
		w.Header().Set("Content-Location", "/v1/orders/a%2Fb")
		_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+" "+r.Header.Get("Upgrade")+r.Header.Get("Http2-Settings"))
	}))
	t.Cleanup(server.Close)
	api, err := url.Parse(server.URL + base)
	require.NoError(t, err)
	front := httptest.NewServer(Proxy(api, "/v1"))
	t.Cleanup(front.Close)
	return front.URL
}

func TestProxy_TakesPathsWithAndWithoutTheStage(t *testing.T) {
	t.Parallel()
	front := gateway(t)
	for path, want := range map[string][3]string{ // what the gateway gets, Location and Link
		"/products?limit=2":    {"/products?limit=2", "/orders/a%2Fb", "</products?cursor=1>"},
		"/v1/products?limit=2": {"/products?limit=2", "/v1/orders/a%2Fb", "</v1/products?cursor=1>"},
		"/v1/products/a%2Fb":   {"/products/a%2Fb", "/v1/orders/a%2Fb", "</v1/products?cursor=1>"},
		"/v1things":            {"/v1things", "/orders/a%2Fb", "</products?cursor=1>"},
		"/products/a%252Fb+c":  {"/products/a%252Fb+c", "/orders/a%2Fb", "</products?cursor=1>"},
		"/products/a%00%3Fb":   {"/products/a%00%3Fb", "/orders/a%2Fb", "</products?cursor=1>"},
		"/products?a;b=%zz&c":  {"/products?a;b=%zz&c", "/orders/a%2Fb", "</products?cursor=1>"},
	} {
		answer, err := http.Get(front + path)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, "GET /_aws/execute-api/a1b2/v1"+want[0]+" ", string(body), path)
		require.Equal(t, want[1], answer.Header.Get("Location"), path)
		require.Equal(t, want[1], answer.Header.Get("Content-Location"), path)
		require.Equal(t, want[2]+`; rel="next", <https://elsewhere.example/v1/x>; rel="help"`,
			answer.Header.Get("Link"), path)
	}
}

func TestProxy_LetsNothingPastTheAPI(t *testing.T) {
	t.Parallel()
	front := gateway(t)
	for _, path := range []string{
		"/../../../_localstack/health", "/v1/../../../../_localstack/health", "/..%2f..%2f..%2f_localstack/health",
		"/%2e%2e/%2e%2e/health", "/%252e%252e/%252e%252e/health", "/a/..", "/..\\..\\health",
		"/@connections/1", "/v1/%40connections/1",
	} {
		target, err := url.Parse(front)
		require.NoError(t, err)
		request := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: target.Host, Opaque: path},
			Header: http.Header{}}
		answer, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err, path)
		require.NoError(t, answer.Body.Close())
		require.Contains(t, []int{http.StatusNotFound, http.StatusBadRequest}, answer.StatusCode, path)
	}
	for _, protocol := range []string{"h2c", "websocket"} {
		request, err := http.NewRequest(http.MethodGet, front+"/products", nil)
		require.NoError(t, err)
		request.Header.Set("Connection", "Upgrade, HTTP2-Settings")
		request.Header.Set("Upgrade", protocol)
		request.Header.Set("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")
		answer, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Equal(t, "GET /_aws/execute-api/a1b2/v1/products ", string(body), protocol)
	}
}

func TestProxy_KeepsHeaderLinesApart(t *testing.T) {
	t.Parallel()
	got := make(chan []string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header["If-None-Match"]
		w.Header()["Vary"] = []string{"Accept", "Authorization"}
	}))
	defer server.Close()
	api, err := url.Parse(server.URL)
	require.NoError(t, err)
	front := httptest.NewServer(Proxy(api, "/v1"))
	defer front.Close()

	request, err := http.NewRequest(http.MethodGet, front.URL+"/products", nil)
	require.NoError(t, err)
	request.Header["If-None-Match"] = []string{`"a"`, `"b"`}
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, []string{`"a"`, `"b"`}, <-got)
	require.Equal(t, []string{"Accept", "Authorization"}, answer.Header["Vary"])
}
