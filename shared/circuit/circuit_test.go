package circuit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/circuit"
	"backroom/shared/fault"
)

var (
	errAway     = fault.New(fault.Unavailable, "service-away", "It does not answer.")
	errBusy     = fault.New(fault.Throttled, "service-busy", "It has enough.")
	errDeclined = fault.New(fault.Invalid, "service-declined", "It says no.")
)

// board is a store that instances share, and that can fail.
type board struct {
	mu     sync.Mutex
	state  circuit.State
	broken bool
	reads  int
	writes int
}

func (b *board) Read(context.Context, string) (circuit.State, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	if b.broken {
		return circuit.State{}, errors.New("no answer")
	}
	return b.state, nil
}

func (b *board) Write(_ context.Context, _ string, s circuit.State) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	switch {
	case b.broken:
		return errors.New("no answer")
	case s.Version != b.state.Version:
		return circuit.ErrVersionConflict
	}
	b.state = circuit.State{Version: s.Version + 1, Until: s.Until}
	return nil
}

// instance is one of a function.
type instance struct {
	*circuit.Breaker
	t     *testing.T
	calls int // that reached the service
}

// run runs a test under a clock that goes on when everybody sleeps.
func run(t *testing.T, test func(t *testing.T, store *board, start func() *instance)) {
	synctest.Test(t, func(t *testing.T) {
		store := &board{}
		test(t, store, func() *instance {
			return &instance{Breaker: circuit.New("payment-provider", store, time.Now, circuit.DefaultSettings), t: t}
		})
	})
}

func (i *instance) call(answer error) error {
	return i.Do(i.t.Context(), func() error { i.calls++; return answer })
}

func (i *instance) times(n int, answer error) {
	for range n {
		_ = i.call(answer)
	}
}

// refused holds that a call is not made, and for how long the caller is asked to wait.
func (i *instance) refused(d time.Duration) {
	i.t.Helper()
	calls := i.calls
	err := i.call(nil)
	require.ErrorIs(i.t, err, fault.Unavailable)
	f, ok := errors.AsType[*fault.Fault](err)
	require.True(i.t, ok)
	assert.Equal(i.t, "payment-provider-circuit-open", f.Slug)
	assert.Equal(i.t, d, f.RetryAfter)
	assert.Equal(i.t, calls, i.calls, "the service hears nothing of it")
}

// reaches holds that a call is made and its answer comes back.
func (i *instance) reaches(answer error) {
	i.t.Helper()
	calls := i.calls
	require.ErrorIs(i.t, i.call(answer), answer)
	assert.Equal(i.t, calls+1, i.calls)
}

func TestWhatOpensACircuit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(i *instance)
		open bool
	}{
		"a service that never answers":              {func(i *instance) { i.times(5, errAway) }, true},
		"a service that has enough":                 {func(i *instance) { i.times(5, errBusy) }, true},
		"a service that mostly fails":               {func(i *instance) { i.times(2, nil); i.times(3, errAway) }, true},
		"too few failures say nothing":              {func(i *instance) { i.times(4, errAway) }, false},
		"a service that fails now and then":         {func(i *instance) { i.times(3, nil); i.times(3, errAway); i.times(1, nil) }, false},
		"a service that says no works":              {func(i *instance) { i.times(20, errDeclined) }, false},
		"a mistake of ours is not the service's":    {func(i *instance) { i.times(20, errors.New("a bug")) }, false},
		"failures of half a minute ago are history": {func(i *instance) { i.times(4, errAway); time.Sleep(40 * time.Second); i.times(4, errAway) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, store *board, start func() *instance) {
				i := start()
				c.do(i)
				if c.open {
					i.refused(10 * time.Second)
					assert.Equal(t, 1, store.writes, "only a transition is written")
				} else {
					require.NoError(t, i.call(nil))
					assert.Zero(t, store.writes)
				}
			})
		})
	}
}

func TestAllRestAndOneTries(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		a, b := start(), start()
		b.reaches(nil)
		a.times(5, errAway)
		a.refused(10 * time.Second)
		b.reaches(nil) // it has not heard
		time.Sleep(5 * time.Second)
		b.refused(5 * time.Second)
		time.Sleep(5 * time.Second)

		b.reaches(errAway) // the one that tries
		a.refused(10 * time.Second)
		b.refused(10 * time.Second)
		time.Sleep(10 * time.Second)

		a.reaches(nil)
		a.reaches(nil)
		time.Sleep(5 * time.Second)
		b.reaches(nil)
		a.reaches(nil)
		assert.Equal(t, 4, store.writes, "opened, tried, tried again, closed")
	})
}

func TestWhoTriesDoesSoAlone(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, _ *board, start func() *instance) {
		a := start()
		a.times(5, errAway)
		time.Sleep(10 * time.Second)
		err := a.Do(t.Context(), func() error {
			a.refused(10 * time.Second)
			return nil
		})
		require.NoError(t, err)
		a.reaches(nil)
	})
}

func TestWhoTriesAndIsNeverHeardOfAgainIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		a, b := start(), start()
		a.times(5, errAway)
		time.Sleep(10 * time.Second)
		assert.Panics(t, func() { _ = a.Do(t.Context(), func() error { panic("killed") }) })
		b.refused(10 * time.Second)
		time.Sleep(10 * time.Second)
		b.reaches(nil)
		b.reaches(nil)
		assert.True(t, store.state.Until.IsZero())
	})
}

func TestAnInstanceLooksSeldom(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		i := start()
		for range 100 { // 10 seconds
			i.reaches(nil)
			time.Sleep(100 * time.Millisecond)
		}
		assert.Equal(t, 2, store.reads)
	})
}

func TestAStoreThatFailsKeepsNoCallBack(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		store.broken = true
		i := start()
		i.reaches(nil)
		i.times(5, errAway)
		i.refused(10 * time.Second) // by what it found out itself
		time.Sleep(11 * time.Second)
		i.reaches(errAway)
		i.refused(10 * time.Second)
		time.Sleep(11 * time.Second)
		i.reaches(nil)
		i.reaches(nil)
		assert.Less(t, store.reads, 6, "nor is it asked more often than a sound one")
	})
}

func TestAStoreThatFailsWhileAllRest(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		a, b := start(), start()
		a.times(5, errAway)
		b.refused(10 * time.Second)
		store.broken = true
		time.Sleep(10*time.Second + time.Millisecond)
		a.reaches(nil)
		b.reaches(nil)
	})
}

func TestTheTableKeepsWhatTheStorePromises(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	table := circuit.Table{DB: cloud.Runtime().DynamoDB(), Name: cloud.Table("Circuits")}
	until := cloudtest.Epoch.Add(10 * time.Second)

	s, err := table.Read(t.Context(), "payment-provider")
	require.NoError(t, err)
	assert.Equal(t, circuit.State{}, s, "nobody opened it yet")

	require.NoError(t, table.Write(t.Context(), "payment-provider", circuit.State{Until: until}))
	require.ErrorIs(t, table.Write(t.Context(), "payment-provider", circuit.State{Until: until}), fault.Conflict, "another was faster")
	s, err = table.Read(t.Context(), "payment-provider")
	require.NoError(t, err)
	assert.Equal(t, circuit.State{Version: 1, Until: until}, s)

	require.NoError(t, table.Write(t.Context(), "payment-provider", circuit.State{Version: 1}))
	require.ErrorIs(t, table.Write(t.Context(), "payment-provider", circuit.State{Version: 1, Until: until}), fault.Conflict)
	s, err = table.Read(t.Context(), "payment-provider")
	require.NoError(t, err)
	assert.Equal(t, circuit.State{Version: 2}, s, "closed")
	s, err = table.Read(t.Context(), "mail")
	require.NoError(t, err)
	assert.Zero(t, s, "each service has its own")
}
