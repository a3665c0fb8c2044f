// Package chance gives random numbers for the jitter of retries. A simulation supplies its own
// source, so that a seed determines a whole run.
package chance

import (
	"context"
	"math/rand/v2"
)

type key struct{}

// With returns a context whose numbers come from source, which must return numbers in [0, 1).
func With(ctx context.Context, source func() float64) context.Context {
	return context.WithValue(ctx, key{}, source)
}

// Float returns a random number in [0, 1), from the source of ctx if it has one.
func Float(ctx context.Context) float64 {
	if source, ok := ctx.Value(key{}).(func() float64); ok {
		return source()
	}
	return rand.Float64()
}
