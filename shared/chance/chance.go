// Package chance is what the jitter of retries is made of. A simulation hands in its own, so that a seed decides all of a run.
package chance

import (
	"context"
	"math/rand/v2"
)

type key struct{}

// With returns a context in which source decides: it returns numbers from 0 up to 1.
func With(ctx context.Context, source func() float64) context.Context {
	return context.WithValue(ctx, key{}, source)
}

// Float returns a number from 0 up to 1, 1 left out.
func Float(ctx context.Context) float64 {
	if source, ok := ctx.Value(key{}).(func() float64); ok {
		return source()
	}
	return rand.Float64()
}
