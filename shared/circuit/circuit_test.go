package circuit_test

import (
	"context"
	"errors"
	"strings"
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
	errUnavailable = fault.New(fault.Unavailable, "service-unavailable", "The service does not answer.")
	errThrottled   = fault.New(fault.Throttled, "service-throttled", "The service throttles calls.")
	errDeclined    = fault.New(fault.Invalid, "service-declined", "The service declines.")
)

// board is a store that instances share. It can fail.
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

// instance is an instance of a function.
type instance struct {
	*circuit.Breaker
	t     *testing.T
	calls int // that reached the service
}

// run runs a test with a simulated clock.
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

// refused requires that a call is not made, and returns the wait of the caller.
func (i *instance) refused(d time.Duration) {
	i.t.Helper()
	calls := i.calls
	err := i.call(nil)
	require.ErrorIs(i.t, err, fault.Unavailable)
	f, ok := errors.AsType[*fault.Fault](err)
	require.True(i.t, ok)
	assert.Equal(i.t, "payment-provider-circuit-open", f.Slug)
	assert.Equal(i.t, d, f.RetryAfter)
	assert.Equal(i.t, calls, i.calls, "the service is not called")
}

// reaches requires that a call is made and its answer returned.
func (i *instance) reaches(answer error) {
	i.t.Helper()
	calls := i.calls
	require.ErrorIs(i.t, i.call(answer), answer)
	assert.Equal(i.t, calls+1, i.calls)
}

func TestBreaker_OpensAfterEnoughFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(i *instance)
		open bool
	}{
		"a service that never answers": {func(i *instance) { i.times(5, errUnavailable) }, true},
		"a service that throttles":     {func(i *instance) { i.times(5, errThrottled) }, true},
		"a service that mostly fails":  {func(i *instance) { i.times(2, nil); i.times(3, errUnavailable) }, true},
		"too few failures":             {func(i *instance) { i.times(4, errUnavailable) }, false},
		"a service that fails now and then": {func(
			i *instance) {
			i.times(3, nil)
			i.times(3, errUnavailable)
			i.times(1, nil)
		}, false},
		"declines are not failures":       {func(i *instance) { i.times(20, errDeclined) }, false},
		"our own errors are not failures": {func(i *instance) { i.times(20, errors.New("a bug")) }, false},
		"failures before the window do not count": {func(i *instance) {
			i.times(4, errUnavailable)
			time.Sleep(40 * time.Second)
			i.times(4, errUnavailable)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, store *board, start func() *instance) {
				i := start()
				c.do(i)
				if c.open {
					i.refused(10 * time.Second)
					assert.Equal(t, 1, store.writes, "only transitions are written")
				} else {
					require.NoError(t, i.call(nil))
					assert.Zero(t, store.writes)
				}
			})
		})
	}
}

func TestBreaker_OpenForAllInstancesUntilOneTries(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		a, b := start(), start()
		b.reaches(nil)
		a.times(5, errUnavailable)
		a.refused(10 * time.Second)
		b.reaches(nil) // it has not read the store yet
		time.Sleep(5 * time.Second)
		b.refused(5 * time.Second)
		time.Sleep(5 * time.Second)

		b.reaches(errUnavailable) // the try
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

func TestBreaker_OneInstanceTries(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, _ *board, start func() *instance) {
		a := start()
		a.times(5, errUnavailable)
		time.Sleep(10 * time.Second)
		err := a.Do(t.Context(), func() error {
			a.refused(10 * time.Second)
			return nil
		})
		require.NoError(t, err)
		a.reaches(nil)
	})
}

func TestBreaker_LostTryIsRepeatedByAnotherInstance(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		a, b := start(), start()
		a.times(5, errUnavailable)
		time.Sleep(10 * time.Second)
		assert.Panics(t, func() { _ = a.Do(t.Context(), func() error { panic("killed") }) })
		b.refused(10 * time.Second)
		time.Sleep(10 * time.Second)
		b.reaches(nil)
		b.reaches(nil)
		assert.True(t, store.state.Until.IsZero())
	})
}

func TestBreaker_ReadsTheStoreAtIntervals(t *testing.T) {
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

func TestBreaker_CallsGoOnWhileTheStoreFails(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		store.broken = true
		i := start()
		i.reaches(nil)
		i.times(5, errUnavailable)
		i.refused(10 * time.Second) // by its own count
		time.Sleep(11 * time.Second)
		i.reaches(errUnavailable)
		i.refused(10 * time.Second)
		time.Sleep(11 * time.Second)
		i.reaches(nil)
		i.reaches(nil)
		assert.Less(t, store.reads, 6, "a failing store is not read more often")
	})
}

func TestBreaker_StoreFailsWhileTheCircuitIsOpen(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store *board, start func() *instance) {
		a, b := start(), start()
		a.times(5, errUnavailable)
		b.refused(10 * time.Second)
		store.broken = true
		time.Sleep(10*time.Second + time.Millisecond)
		a.reaches(nil)
		b.reaches(nil)
	})
}

func TestTable_IsAStore(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	table := circuit.Table{DB: cloud.Runtime().DynamoDB(), Name: cloud.Table("Circuits")}
	until := cloudtest.Epoch.Add(10 * time.Second)

	s, err := table.Read(t.Context(), "payment-provider")
	require.NoError(t, err)
	assert.Equal(t, circuit.State{}, s, "the circuit was never open")

	require.NoError(t, table.Write(t.Context(), "payment-provider", circuit.State{Until: until}))
	require.ErrorIs(t, table.Write(t.Context(), "payment-provider", circuit.State{Until: until}), fault.Conflict,
		"another write came first")
	s, err = table.Read(t.Context(), "payment-provider")
	require.NoError(t, err)
	assert.Equal(t, circuit.State{Version: 1, Until: until}, s)

	row := strings.Replace(cloud.Row("Circuits", "payment-provider"), "{", `{"extra": "new",`, 1)
	cloud.Put("Circuits", row)
	require.NoError(t, table.Write(t.Context(), "payment-provider", circuit.State{Version: 1}))
	assert.JSONEq(t, `{"pk": "payment-provider", "version": 2, "extra": "new"}`,
		cloud.Row("Circuits", "payment-provider"), "attributes of another release stay")
	require.ErrorIs(t, table.Write(t.Context(), "payment-provider", circuit.State{Version: 1, Until: until}),
		fault.Conflict)
	s, err = table.Read(t.Context(), "payment-provider")
	require.NoError(t, err)
	assert.Equal(t, circuit.State{Version: 2}, s, "closed")
	s, err = table.Read(t.Context(), "mail")
	require.NoError(t, err)
	assert.Zero(t, s, "each service has its own circuit")
}
