// Package notifytest has the suite that a store of notices must pass on every DynamoDB.
package notifytest

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/notify"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// Exercise tests a store. Each call of open returns an empty one.
func Exercise(t *testing.T, open func(t *testing.T) notify.Notices) {
	confirmed := notify.Notice{Shop: "main", Order: "ord_1", Template: notify.Confirmed}
	sent := notify.Outcome{Status: notify.Sent, At: noon, Recipient: notify.RecipientOf("ada@example.com"),
		Message: "m-1"}
	claim := func(t *testing.T, s notify.Notices, n notify.Notice, now time.Time) notify.Claim {
		t.Helper()
		c, err := s.Claim(t.Context(), n, now, now.Add(time.Minute))
		require.NoError(t, err)
		return c
	}
	refused := func(t *testing.T, s notify.Notices, n notify.Notice, now time.Time, why error) {
		t.Helper()
		_, err := s.Claim(t.Context(), n, now, now.Add(time.Minute))
		require.ErrorIs(t, err, why)
	}

	t.Run("a notice that was sent is never claimed again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		c := claim(t, s, confirmed, noon)
		assert.Equal(t, confirmed, c.Notice)
		require.NoError(t, s.Settle(t.Context(), c, sent))
		refused(t, s, confirmed, noon.Add(100*time.Hour), notify.ErrSettled)
	})

	t.Run("a suppressed notice is never claimed again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		c := claim(t, s, confirmed, noon)
		require.NoError(t,
			s.Settle(t.Context(), c, notify.Outcome{Status: notify.Suppressed, At: noon, Recipient: sent.Recipient}))
		refused(t, s, confirmed, noon.Add(100*time.Hour), notify.ErrSettled)
	})

	t.Run("a claim excludes others until its lease ends", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		first := claim(t, s, confirmed, noon)
		refused(t, s, confirmed, noon.Add(time.Minute-time.Millisecond), notify.ErrBeingSent)
		second := claim(t, s, confirmed, noon.Add(time.Minute))
		assert.NotEqual(t, first.Token, second.Token)
		require.ErrorIs(t, s.Settle(t.Context(), first, sent), fault.Conflict, "the first claim lapsed")
		require.ErrorIs(t, s.Release(t.Context(), first), fault.Conflict)
		refused(t, s, confirmed, noon.Add(time.Minute), notify.ErrBeingSent)
		require.NoError(t, s.Settle(t.Context(), second, sent))
	})

	t.Run("a claim whose lease ended is still valid if the notice was not claimed again", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		require.NoError(t, s.Settle(t.Context(), claim(t, s, confirmed, noon), sent))
	})

	t.Run("a released notice can be claimed at once", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		require.NoError(t, s.Release(t.Context(), claim(t, s, confirmed, noon)))
		claim(t, s, confirmed, noon)
		refused(t, s, confirmed, noon, notify.ErrBeingSent)
	})

	t.Run("releasing twice succeeds, because an answer may be lost", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		c := claim(t, s, confirmed, noon)
		require.NoError(t, s.Release(t.Context(), c))
		require.NoError(t, s.Release(t.Context(), c))
	})

	t.Run("a notice is settled once it is final, and awaited while its claim is valid", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		settled := func(now time.Time, want bool) {
			t.Helper()
			is, err := s.Settled(t.Context(), confirmed, now)
			require.NoError(t, err)
			assert.Equal(t, want, is)
		}
		settled(noon, false)
		c := claim(t, s, confirmed, noon)
		assert.Equal(t, noon.Add(time.Minute), c.Until)
		_, err := s.Settled(t.Context(), confirmed, noon.Add(time.Minute-time.Millisecond))
		require.ErrorIs(t, err, notify.ErrBeingSent)
		settled(noon.Add(time.Minute), false)
		require.NoError(t, s.Settle(t.Context(), c, sent))
		settled(noon, true)
		settled(noon.Add(time.Hour), true)
	})

	t.Run("one of many concurrent claims succeeds", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		var all sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 8 {
			all.Go(func() {
				_, err := s.Claim(t.Context(), confirmed, noon, noon.Add(time.Minute))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else {
					assert.ErrorIs(t, err, fault.Conflict)
				}
			})
		}
		all.Wait()
		assert.Equal(t, 1, won)
	})

	t.Run("settling twice succeeds, because an answer may be lost", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		c := claim(t, s, confirmed, noon)
		require.NoError(t, s.Settle(t.Context(), c, sent))
		require.NoError(t, s.Settle(t.Context(), c, sent))
	})

	t.Run("notices differ by shop, order, template and refund", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		claim(t, s, confirmed, noon)
		for _, other := range []notify.Notice{
			{Shop: "other", Order: "ord_1", Template: notify.Confirmed},
			{Shop: "main", Order: "ord_2", Template: notify.Confirmed},
			{Shop: "main", Order: "ord_1", Template: notify.Canceled},
			{Shop: "main", Order: "ord_1", Template: notify.Refunded, Refund: "r1"},
			{Shop: "main", Order: "ord_1", Template: notify.Refunded, Refund: "r2"},
		} {
			claim(t, s, other, noon)
		}
	})

	t.Run("only the suppressed recipient is suppressed, and permanently", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		ada, bob := notify.RecipientOf("ada@example.com"), notify.RecipientOf(rand.Text()+"@example.com")
		for range 2 {
			require.NoError(t, s.Suppress(t.Context(), ada, noon))
		}
		for r, want := range map[notify.Recipient]bool{ada: true, bob: false} {
			suppressed, err := s.Suppressed(t.Context(), r)
			require.NoError(t, err)
			assert.Equal(t, want, suppressed)
		}
	})
}
