// Package circuit stops calls to a foreign service that fails, so that the service can recover and
// callers do not wait for it. Every instance of a function counts its own failures (gobreaker). The
// instances share in a store that a circuit opened or closed.
package circuit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"backroom/shared/fault"
	"backroom/shared/observe"
)

// Settings say when a circuit opens, and for how long it stays open.
type Settings struct {
	Window  time.Duration // in which calls are counted
	AtLeast uint32        // the circuit opens only after this many calls in the window
	Ratio   float64       // the share of failed calls that opens the circuit
	Rest    time.Duration // how long the circuit is open; then one call may try
	Look    time.Duration // the shortest time between two reads of the store by an instance
}

// DefaultSettings suit a service that all instances together call a few times a second, with a
// timeout of seconds. An instance whose calls all time out makes hardly more than five calls in the
// window.
var DefaultSettings = Settings{Window: 30 * time.Second, AtLeast: 5, Ratio: 0.6, Rest: 10 * time.Second,
	Look: 5 * time.Second}

const (
	buckets   = 10                     // of the window, which moves on bucket by bucket
	storeTime = 300 * time.Millisecond // for one request to the store, which must not delay the call
)

// State is a circuit's shared state.
type State struct {
	Version int       // raised by every change; 0: the circuit was never open
	Until   time.Time // no call is made before it, and a single one after; zero: the circuit is closed
}

// Store has the shared state of circuits.
type Store interface {
	// Read returns a circuit's state. The state may be a moment old.
	Read(ctx context.Context, service string) (State, error)
	// Write stores the next version of a state. It returns fault.Conflict if another write came
	// first.
	Write(ctx context.Context, service string, s State) error
}

// Breaker is an instance's circuit to a service. It is safe for concurrent use.
type Breaker struct {
	service  string
	store    Store
	now      func() time.Time
	settings Settings
	open     *fault.Fault

	mu      sync.Mutex
	own     *gobreaker.CircuitBreaker[struct{}] // counts the calls of this instance
	opened  bool                                // own has opened, and the store does not know it yet
	closed  bool                                // own has closed, and the store does not know it yet
	shared  State                               // as read or written last
	looked  time.Time                           // when shared was read or written
	without time.Time                           // the store failed and is not used until then
}

// New returns the circuit to a service. The name is the key in the store, and the beginning of the
// slug <service>-circuit-open.
func New(service string, store Store, now func() time.Time, s Settings) *Breaker {
	b := &Breaker{service: service, store: store, now: now, settings: s}
	b.open = fault.New(fault.Unavailable, service+"-circuit-open", "The "+service+
		" failed too often and is not called now; try again later.")
	b.own = b.fresh()
	return b
}

func (b *Breaker) fresh() *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: b.service, Interval: b.settings.Window, BucketPeriod: b.settings.Window / buckets,
		Timeout: b.settings.Rest,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			all := c.TotalSuccesses + c.TotalFailures
			return all >= b.settings.AtLeast && float64(c.TotalFailures) >= b.settings.Ratio*float64(all)
		},
		IsSuccessful: func(err error) bool { return !fault.KindOf(err).Later() },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.opened, b.closed = to == gobreaker.StateOpen, to == gobreaker.StateClosed
		},
	})
}

// Do makes a call. While the circuit is open it makes no call, and returns a fault.Unavailable with
// the remaining time. Only the errors fault.Unavailable and fault.Throttled of a call count as
// failures of the service. If the store fails, calls go on, and the instance uses only its own
// count.
func (b *Breaker) Do(ctx context.Context, call func() error) error {
	if s := b.look(ctx); !s.Until.IsZero() {
		if remaining := s.Until.Sub(b.now()); remaining > 0 {
			return b.open.After(remaining)
		}
		switch err := b.write(ctx, State{s.Version, b.now().Add(b.settings.Rest)}); {
		case err == nil:
			return b.try(ctx, call)
		case errors.Is(err, fault.Conflict): // another instance tries
			return b.open.After(b.settings.Look)
		}
	}
	_, err := b.breaker().Execute(func() (struct{}, error) { return struct{}{}, call() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return b.open.After(b.settings.Rest)
	}
	b.publish(ctx)
	return err
}

// try makes the one call that shows whether the service works again. If it fails, the circuit stays
// open for all.
func (b *Breaker) try(ctx context.Context, call func() error) error {
	err := call()
	if fault.KindOf(err).Later() {
		return err
	}
	b.mu.Lock()
	b.own = b.fresh()
	s := b.shared
	b.mu.Unlock()
	count(ctx, b.service, "CircuitClosed")
	_ = b.write(ctx, State{Version: s.Version}) // if the write fails, the next try closes the circuit
	return err
}

// publish writes to the store that this instance's own circuit opened or closed.
func (b *Breaker) publish(ctx context.Context) {
	b.mu.Lock()
	opened, closed, s := b.opened, b.closed, b.shared
	b.opened, b.closed = false, false
	b.mu.Unlock()
	switch {
	case opened:
		count(ctx, b.service, "CircuitOpened")
		_ = b.write(ctx, State{s.Version, b.now().Add(b.settings.Rest)}) // if this fails, others count for themselves
	case closed:
		count(ctx, b.service, "CircuitClosed")
	}
}

func count(ctx context.Context, service, what string) {
	observe.Note(ctx, slog.String("circuit", service))
	observe.Count(ctx, what, observe.Number, 1)
}

func (b *Breaker) breaker() *gobreaker.CircuitBreaker[struct{}] {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.own
}

// look returns the shared state. It reads the store at most once in settings.Look, and returns the
// closed state while the store fails.
func (b *Breaker) look(ctx context.Context) State {
	b.mu.Lock()
	now, seen := b.now(), b.shared
	if now.Before(b.without) {
		b.mu.Unlock()
		return State{}
	}
	if now.Before(b.looked.Add(b.settings.Look)) {
		b.mu.Unlock()
		return seen
	}
	b.looked = now // concurrent calls of this instance need not read too
	b.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	s, err := b.store.Read(ctx, b.service)
	if err != nil {
		b.doWithout(ctx, err)
		return State{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Version > b.shared.Version {
		if s.Until.IsZero() {
			b.own = b.fresh() // another instance closed the circuit
		}
		b.shared = s
	}
	return b.shared
}

// write stores a state as the next version. It returns fault.Unavailable while the store is not
// used.
func (b *Breaker) write(ctx context.Context, s State) error {
	b.mu.Lock()
	if b.now().Before(b.without) {
		b.mu.Unlock()
		return fault.Unavailable
	}
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	switch err := b.store.Write(ctx, b.service, s); {
	case errors.Is(err, fault.Conflict):
		b.mu.Lock()
		defer b.mu.Unlock()
		b.looked = time.Time{}
		return err
	case err != nil:
		b.doWithout(ctx, err)
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Version++
	b.shared, b.looked = s, b.now()
	return nil
}

func (b *Breaker) doWithout(ctx context.Context, err error) {
	observe.Note(ctx, slog.String("circuitStoreError", err.Error()))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.without = b.now().Add(b.settings.Look)
}
