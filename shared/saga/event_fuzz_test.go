package saga_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// A body is decoded, or refused for good. A decoded event that is encoded and decoded again is the
// same event.
func FuzzDecode(f *testing.F) {
	samples, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	require.NotEmpty(f, samples)
	for _, path := range samples {
		body, err := os.ReadFile(path)
		require.NoError(f, err)
		var e saga.Event
		require.NoError(f, json.Unmarshal(body, &e))
		for _, step := range saga.Routes[e.Type].To {
			f.Add(string(step), string(body))
		}
	}
	f.Add(string(saga.ReserveStock),
		`{"specversion":"1.0","id":"\ud83d","type":"OrderPlaced","subject":"s","shop":"m","data":null}`)
	f.Fuzz(func(t *testing.T, step, body string) {
		e, err := saga.Decode(saga.Step(step), body)
		if err != nil {
			require.ErrorIs(t, err, fault.Malformed)
			return
		}
		require.NotEmpty(t, e.ID)
		require.Contains(t, saga.Routes[e.Type].To, saga.Step(step))
		written, err := json.Marshal(e)
		require.NoError(t, err)
		again, err := saga.Decode(saga.Step(step), string(written))
		require.NoError(t, err)
		require.Equal(t, e.Cause(), again.Cause())
		if e.Data != nil {
			require.JSONEq(t, string(e.Data), string(again.Data))
		}
		contents, err := saga.As[saga.OrderContents](e)
		if err != nil {
			require.ErrorIs(t, err, saga.ErrUnreadable)
			return
		}
		require.Equal(t, [2]any{e.Subject, e.Shop}, [2]any{contents.Order, contents.Shop})
	})
}
