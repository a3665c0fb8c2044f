package loopback_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest/loopback"
)

func TestServe_WaitingTakesVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		way := loopback.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "at last")
		}))
		began := time.Now()
		client := http.Client{Transport: way}
		resp, err := client.Get(loopback.URL + "/")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "at last", string(body))
		assert.Equal(t, time.Hour, time.Since(began))

		client.Timeout = time.Minute
		began = time.Now()
		_, err = client.Get(loopback.URL + "/")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(began))
	})
}
