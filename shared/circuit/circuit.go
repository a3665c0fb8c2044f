// Package circuit keeps calls away from a foreign service that fails, so that it can recover and nobody waits for it in vain. Each
// instance of a function counts for itself (gobreaker); that a service is given a rest, and that it is back, all learn from a store.
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

// Settings say when a circuit opens, and for how long.
type Settings struct {
	Window  time.Duration // in which calls are counted
	AtLeast uint32        // so many calls in the window, or nothing is concluded
	Ratio   float64       // so many of them failed, and the circuit opens
	Rest    time.Duration // so long nobody calls; then one may try
	Look    time.Duration // an instance asks the store this seldom
}

// Usual are the settings that suit a service which is called a few times a second by all, and given seconds to answer: an instance
// that waits in vain for each answer makes hardly more than five calls in the window.
var DefaultSettings = Settings{Window: 30 * time.Second, AtLeast: 5, Ratio: 0.6, Rest: 10 * time.Second, Look: 5 * time.Second}

const (
	buckets   = 10                     // of the window: so smoothly it moves on
	storeTime = 300 * time.Millisecond // for one request to the store: it must not hold up what it is asked for
)

// State is how a circuit stands for everybody.
type State struct {
	Version int       // raised by every change; 0: nobody opened it yet
	Until   time.Time // nobody calls before, and one alone after; zero: it is closed, everybody may
}

// Store keeps what all instances know of a circuit.
type Store interface {
	// Read returns how a circuit stands, perhaps as it did a moment ago.
	Read(ctx context.Context, service string) (State, error)
	// Write stores the next version of a state. It returns fault.Conflict if another was faster.
	Write(ctx context.Context, service string, s State) error
}

// Breaker is one instance's circuit to a service. It is safe for concurrent use.
type Breaker struct {
	service  string
	store    Store
	now      func() time.Time
	settings Settings
	open     *fault.Fault

	mu      sync.Mutex
	own     *gobreaker.CircuitBreaker[struct{}] // what this instance found out by itself
	opened  bool                                // own has opened, and nobody was told
	closed  bool                                // own has closed, and nobody was told
	shared  State                               // as it was seen or written last
	looked  time.Time                           // when
	without time.Time                           // until then the store is left alone: it failed
}

// New returns the circuit to a service. Its name is how the store knows it, and begins the slug of what Do refuses with.
func New(service string, store Store, now func() time.Time, s Settings) *Breaker {
	b := &Breaker{service: service, store: store, now: now, settings: s}
	b.open = fault.New(fault.Unavailable, service+"-circuit-open", "The "+service+" failed too often and is given a rest; try again later.")
	b.own = b.fresh()
	return b
}

func (b *Breaker) fresh() *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: b.service, Interval: b.settings.Window, BucketPeriod: b.settings.Window / buckets, Timeout: b.settings.Rest,
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

// Do makes a call, unless the service is given a rest: then it returns a fault.Unavailable that says for how long, and the call
// is not made. Of what a call returns only fault.Unavailable and fault.Throttled speak against the service. A store that fails
// keeps no call back: the instance then goes by what it found out itself.
func (b *Breaker) Do(ctx context.Context, call func() error) error {
	if s := b.look(ctx); !s.Until.IsZero() {
		if rest := s.Until.Sub(b.now()); rest > 0 {
			return b.open.After(rest)
		}
		switch err := b.write(ctx, State{s.Version, b.now().Add(b.settings.Rest)}); {
		case err == nil:
			return b.try(ctx, call)
		case errors.Is(err, fault.Conflict): // another tries
			return b.open.After(b.settings.Look)
		}
	}
	_, err := b.breaker().Execute(func() (struct{}, error) { return struct{}{}, call() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return b.open.After(b.settings.Rest)
	}
	b.tell(ctx)
	return err
}

// try makes the one call that shows whether the service is back. While it is not, the others rest on.
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
	_ = b.write(ctx, State{Version: s.Version}) // if it cannot be told now, the next who tries will
	return err
}

// tell has everybody know what this instance found out.
func (b *Breaker) tell(ctx context.Context) {
	b.mu.Lock()
	opened, closed, s := b.opened, b.closed, b.shared
	b.opened, b.closed = false, false
	b.mu.Unlock()
	switch {
	case opened:
		count(ctx, b.service, "CircuitOpened")
		_ = b.write(ctx, State{s.Version, b.now().Add(b.settings.Rest)}) // others find out by themselves
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

// look returns how the circuit stands for everybody, as far as this instance cares to know.
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
	b.looked = now // the others of this instance need not ask, too
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
			b.own = b.fresh() // another saw that the service is back
		}
		b.shared = s
	}
	return b.shared
}

// write stores a state as the next version.
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
