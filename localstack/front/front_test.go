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
