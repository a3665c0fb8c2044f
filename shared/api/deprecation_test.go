package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
)

func TestOperation_AnnouncesDeprecationAndSunset(t *testing.T) {
	t.Parallel()
	leaving := api.New(api.Route{
		Name: "get-shelf", Method: "GET", Path: "/shelves", Access: api.Public, Tags: []string{"stock"},
		Deprecated: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Sunset: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC),
	}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		w := httptest.NewRecorder()
		leaving.ServeHTTP(w, httptest.NewRequest(method, "/shelves", nil))
		assert.Equal(t, "@1772366400", w.Header().Get("Deprecation"), "a refusal says so, too")
		assert.Equal(t, "Mon, 01 Mar 2027 12:00:00 GMT", w.Header().Get("Sunset"))
	}
	document, _, err := api.Documents(about, nil, leaving)
	require.NoError(t, err)
	assert.Contains(t, string(document), "deprecated: true")
	assert.Contains(t, string(document), "Deprecation:")
	assert.Contains(t, string(document), "Sunset:")

	staying := operations()[1]
	w := httptest.NewRecorder()
	staying.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/shelves/7", nil))
	assert.Empty(t, w.Header().Values("Deprecation"))
}
