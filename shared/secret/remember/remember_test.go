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

// source counts how often it is read.
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

var errAway = errors.New("away")

func value(s *source) *remember.Value[int] {
	return &remember.Value[int]{Read: s.read, Now: time.Now, MaxAge: time.Hour, Patience: time.Minute}
}

func TestAValueIsReadOnceUntilItIsOld(t *testing.T) {
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

func TestAValueThatCouldNotBeReadIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := &source{away: errAway}
	v := value(s)
	_, err := v.Get(t.Context())
	require.ErrorIs(t, err, errAway)
	s.away = nil
	n, err := v.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}

func TestAnOldValueServesOnWhileItsSourceIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := value(s)
		_, err := v.Get(t.Context())
		require.NoError(t, err)
		s.away = errAway
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

func TestADoubtIsHeededAtOnceButNotTwiceAMinute(t *testing.T) {
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

func TestADoubtThatCouldNotBeSettledStaysOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := value(s)
		_, err := v.Get(t.Context())
		require.NoError(t, err)
		s.away = errAway
		for range 3 {
			_, err := v.Doubt(t.Context())
			require.ErrorIs(t, err, errAway)
		}
		assert.Equal(t, 2, s.reads)
		n, err := v.Get(t.Context())
		require.NoError(t, err, "those without a doubt are served")
		assert.Equal(t, 1, n)
	})
}
