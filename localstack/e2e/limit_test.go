package e2e

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/shop"
	"backroom/shared/cloudtest/deviation"
)

func TestWhoAsksTooOftenIsToldWhenToComeBack(t *testing.T) {
	beside(t, func(t deviation.T) {
		call := shop.Call{ // of a route that others hardly use; that it is refused counts, too, and costs the cloud little
			Method: http.MethodPost, Path: "/orders/ord_1/resolution", Token: system.Token(t, system.New("ada")),
			Body: `{"action":"retry","reason":"gift"}`,
		}
		for range 300 { // the suite's burst is half of it
			answer := system.Send(t, call)
			most, err := strconv.Atoi(answer.Header.Get("RateLimit-Limit"))
			require.NoError(t, err)
			left, err := strconv.Atoi(answer.Header.Get("RateLimit-Remaining"))
			require.NoError(t, err)
			require.Less(t, left, most)
			require.NotEmpty(t, answer.Header.Get("RateLimit-Reset"))
			require.Regexp(t, `^\d+;w=\d+$`, answer.Header.Get("RateLimit-Policy"))
			if answer.Status == http.StatusTooManyRequests {
				Refused(t, answer, http.StatusTooManyRequests, "throttled")
				require.Equal(t, "1", answer.Header.Get("Retry-After"))
				call.Token = system.Token(t, system.New("grace"))
				require.Equal(t, http.StatusForbidden, system.Send(t, call).Status, "others have what is theirs")
				return
			}
			require.Equal(t, http.StatusForbidden, answer.Status)
		}
		require.FailNow(t, "nobody was refused")
	})
}
