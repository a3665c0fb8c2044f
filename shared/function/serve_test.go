package function_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/function"
	"backroom/shared/function/limit"
)

// counter is a route with a rate limit.
type counter struct {
	http.Handler
	limited  *bool
	problems *string
}

func (c counter) Deployed(_ *limit.Limiter, problems string) http.Handler {
	*c.limited, *c.problems = true, problems
	return c
}

func TestServing_ReadsTheRateLimitOfALimitedRoute(t *testing.T) {
	limited, problems := false, ""
	build := function.Serving(
		func(function.Runtime, Shared) counter { return counter{http.NotFoundHandler(), &limited, &problems} })
	for _, nonsense := range []string{"", "0", "-1", "1.5", "many"} {
		_, err := build(newBench().runtime(), map[string]string{"CALLER_RATE": nonsense, "CALLER_BURST": "0"})
		require.Error(t, err, nonsense)
		for _, wrong := range []string{"TABLE", "Burst"} {
			assert.ErrorContains(t, err, wrong, nonsense)
		}
		assert.Regexp(t, "CALLER_RATE|Rate", err.Error(), nonsense)
		assert.False(t, limited)
	}
	_, err := build(newBench().runtime(), map[string]string{"TABLE": "t", "CALLER_RATE": "1",
		"CALLER_BURST": "2", "PROBLEMS_URL": "https://shop.example/problems"})
	require.NoError(t, err)
	assert.True(t, limited)
	assert.Equal(t, "https://shop.example/problems", problems)
}

// early is a route with work to do before its first request.
type early struct {
	http.Handler
	prepared *bool
}

func (e early) Prepare(context.Context) error {
	*e.prepared = true
	return nil
}

func TestServing_PreparesARouteDuringINIT(t *testing.T) {
	prepared := false
	rt := newBench().runtime()
	build := function.Serving(
		func(function.Runtime, Shared) http.Handler { return early{http.NotFoundHandler(), &prepared} })
	_, err := build(rt, map[string]string{"TABLE": "t"})
	require.NoError(t, err)
	assert.False(t, prepared, "not while it is built")
	require.NoError(t, rt.Warm(t.Context()))
	assert.True(t, prepared)
}

func TestServing_NeedsNoRateLimitForOtherRoutes(t *testing.T) {
	build := function.Serving(func(function.Runtime, Shared) http.Handler { return http.NotFoundHandler() })
	_, err := build(newBench().runtime(), map[string]string{"TABLE": "t"})
	require.NoError(t, err)
}
