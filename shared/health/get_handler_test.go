package health_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/health"
)

func TestGetHandler_ReportsHealth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		check  error
		status int
		body   string
	}{
		"well while what it depends on answers": {status: 200, body: "{\"status\":\"ok\"}\n"},
		"unhealthy while it does not":           {check: errors.New("dial tcp 10.0.0.1: refused"), status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := health.GetHandler{Check: func(context.Context) error { return c.check }}.Operation()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health", nil))
			assert.Equal(t, c.status, w.Code)
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			if c.check == nil {
				assert.Equal(t, c.body, w.Body.String())
				return
			}
			assert.Equal(t, "5", w.Header().Get("Retry-After"))
			assert.NotContains(t, w.Body.String(), "10.0.0.1", "causes are for the log")
		})
	}
}
