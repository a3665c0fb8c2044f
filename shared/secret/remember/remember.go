// Package remember keeps what a function reads from elsewhere and what seldom changes: public keys, a secret.
package remember

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"backroom/shared/observe"
)

// Value is read when it is first needed, and kept. One caller at a time reads; others wait for what it finds.
type Value[T any] struct {
	Read     func(context.Context) (T, error)
	Now      func() time.Time
	MaxAge   time.Duration // an older value is read again, so that what was withdrawn is forgotten
	Patience time.Duration // between two readings that a doubt, or a source that does not answer, may cause

	mu      sync.Mutex
	value   T
	known   bool
	readAt  time.Time // when value was read
	tried   time.Time // when reading was last tried
	doubted time.Time // when a doubt was last heeded
	failed  error     // what it met
}

// Get returns the value. It returns an error only while the value was never read: one that cannot be read again serves on.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.Now()
	if !v.known {
		return v.value, v.read(ctx, now)
	}
	if now.Sub(v.readAt) >= v.MaxAge && now.Sub(v.tried) >= v.Patience {
		if err := v.read(ctx, now); err != nil {
			observe.Note(ctx, slog.String("staleBecause", err.Error()))
		}
	}
	return v.value, nil
}

// Doubt returns the value as it is now, for a caller who has met something newer than what Get returned. A doubt within
// Patience of the last one that was heeded gets what that one got.
func (v *Value[T]) Doubt(ctx context.Context) (T, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := v.Now(); !v.known || now.Sub(v.doubted) >= v.Patience {
		v.doubted = now
		v.failed = v.read(ctx, now)
	}
	return v.value, v.failed
}

func (v *Value[T]) read(ctx context.Context, now time.Time) error {
	v.tried = now
	value, err := v.Read(ctx)
	if err != nil {
		return err
	}
	v.value, v.known, v.readAt = value, true, now
	return nil
}
