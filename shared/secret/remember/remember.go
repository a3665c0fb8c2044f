// Package remember caches values that a function reads from elsewhere and that seldom change:
// public keys, secrets.
package remember

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"backroom/shared/observe"
)

// Value is read at its first use, and cached. One caller at a time reads; the others wait for its
// result.
type Value[T any] struct {
	Read     func(context.Context) (T, error)
	Now      func() time.Time
	MaxAge   time.Duration // an older value is read again, so that a withdrawn value is dropped
	Patience time.Duration // between two reads after a doubt, or after a failed read

	mu      sync.Mutex
	value   T
	known   bool
	readAt  time.Time // when value was read
	tried   time.Time // when reading was last tried
	doubted time.Time // when a doubt last caused a read
	failed  error     // the error of the last try
}

// Get returns the value. It returns an error only if the value was never read: if a later read
// fails, the old value is used.
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

// Doubt reads the value again, and returns it. Call it when the value of Get may be outdated.
// Within Patience of the last such read it returns the result of that read.
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
