package e2e

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/ops/shop"
)

func TestRateLimit_AnswersWhenToRetry(t *testing.T) {
	serial(t, func(t conformance.T) {
		// The limit is low enough for a slow cloud, on a route that other cases hardly use. Refused requests count.
		system.Configure(t, "resolve-order", "CALLER_RATE", "1")
		system.Configure(t, "resolve-order", "CALLER_BURST", "3")
		call := shop.Call{
			Method: http.MethodPost, Path: "/orders/ord_1/resolution", Token: system.Token(t, system.New("ada")),
			Body: `{"action":"retry","reason":"gift"}`,
		}
		var answer shop.Answer
		system.Until(t, "a request is throttled", func() (any, bool) {
			for range 20 {
				if answer = system.Send(t, call); answer.Status == http.StatusTooManyRequests {
					return nil, true
				}
				require.Equal(t, http.StatusForbidden, answer.Status)
				left, err := strconv.Atoi(answer.Header.Get("RateLimit-Remaining"))
				require.NoError(t, err)
				require.GreaterOrEqual(t, left, 0)
			}
			return answer.Header, false
		})
		Refused(t, answer, http.StatusTooManyRequests, "throttled")
		require.Equal(t, "1", answer.Header.Get("Retry-After"))
		require.Equal(t, "3", answer.Header.Get("RateLimit-Limit"))
		require.Equal(t, "0", answer.Header.Get("RateLimit-Remaining"))
		require.Equal(t, "3;w=3", answer.Header.Get("RateLimit-Policy"))
		require.NotEmpty(t, answer.Header.Get("RateLimit-Reset"))

		call.Token = system.Token(t, system.New("grace"))
		require.Equal(t, http.StatusForbidden, system.Send(t, call).Status, "other callers have a limit of their own")
	})
}
