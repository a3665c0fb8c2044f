package e2e

import (
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

func TestReference_IsServedWithTheAPI(t *testing.T) {
	parallel(t, func(t conformance.T) {
		get := func(file, has string) (*http.Response, string) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, system.API.URL+"/docs"+file, nil)
			require.NoError(t, err)
			if has != "" {
				request.Header.Set("If-None-Match", has)
			}
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer func() { require.NoError(t, answer.Body.Close()) }()
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			return answer, string(body)
		}
		for file, media := range map[string]string{
			"":                           "text/html; charset=utf-8",
			"?file=page.js":              "text/javascript; charset=utf-8",
			"?file=swagger-ui-bundle.js": "text/javascript; charset=utf-8",
			"?file=swagger-ui.css":       "text/css; charset=utf-8",
		} {
			answer, body := get(file, "")
			require.Equal(t, http.StatusOK, answer.StatusCode, file)
			require.Equal(t, media, answer.Header.Get("Content-Type"), file)
			require.Contains(t, answer.Header.Get("Content-Security-Policy"), "default-src 'none'", file)
			require.NotEmpty(t, body, file)

			again, body := get(file, answer.Header.Get("ETag"))
			require.Equal(t, http.StatusNotModified, again.StatusCode, file)
			require.Empty(t, body, file)
		}
		kept, err := os.ReadFile("../../docs/openapi.yaml")
		require.NoError(t, err)
		_, served := get("?file=openapi.yaml", "")
		require.Equal(t, string(kept), served)
		absent, _ := get("?file=../main.go", "")
		require.Equal(t, http.StatusNotFound, absent.StatusCode)
	})
}
