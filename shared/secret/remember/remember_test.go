package remember_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/secret/remember"
)

// source counts its reads.
type source struct {
	reads int
	away  error
}

func (s *source) read(context.Context) (int, error) {
	s.reads++
	if s.away != nil {
		return -1, s.away
	}
	return s.reads, nil
}

var errUnavailable = errors.New("unavailable")

func value(s *source) *remember.Value[int] {
	return &remember.Value[int]{Read: s.read, Now: time.Now, MaxAge: time.Hour, Patience: time.Minute}
}

func TestGet_ReadsOnceUntilMaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := value(s)
		for range 3 {
			n, err := v.Get(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 1, n)
		}
		time.Sleep(time.Hour)
		n, err := v.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, n)
	})
}

func TestGet_RetriesAFailedFirstRead(t *testing.T) {
	t.Parallel()
	s := &source{away: errUnavailable}
	v := value(s)
	_, err := v.Get(t.Context())
	require.ErrorIs(t, err, errUnavailable)
	s.away = nil
	n, err := v.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}

func TestGet_ReturnsTheOldValueWhileItsSourceFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := value(s)
		_, err := v.Get(t.Context())
		require.NoError(t, err)
		s.away = errUnavailable
		time.Sleep(time.Hour)
		for range 5 {
			n, err := v.Get(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 1, n)
		}
		assert.Equal(t, 2, s.reads, "a source that is away is not asked by every request")
		time.Sleep(time.Minute)
		s.away = nil
		n, err := v.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, n)
	})
}

func TestDoubt_ReadsAtMostOnceWithinPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := value(s)
		_, err := v.Get(t.Context())
		require.NoError(t, err)
		for range 3 {
			n, err := v.Doubt(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 2, n)
		}
		time.Sleep(time.Minute)
		n, err := v.Doubt(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, n)
	})
}

func TestDoubt_ReadsAgainAfterAFailedRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := value(s)
		_, err := v.Get(t.Context())
		require.NoError(t, err)
		s.away = errUnavailable
		for range 3 {
			_, err := v.Doubt(t.Context())
			require.ErrorIs(t, err, errUnavailable)
		}
		assert.Equal(t, 2, s.reads)
		n, err := v.Get(t.Context())
		require.NoError(t, err, "those without a doubt are served")
		assert.Equal(t, 1, n)
	})
}
