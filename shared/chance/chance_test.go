package chance_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/chance"
)

func TestFloat_UsesTheSourceOfItsContext(t *testing.T) {
	ctx := chance.With(t.Context(), func() float64 { return 0.25 })
	assert.Equal(t, []float64{0.25, 0.25}, []float64{chance.Float(ctx), chance.Float(ctx)})
}

func TestFloat_IsRandomWithoutASource(t *testing.T) {
	seen := map[float64]bool{}
	for range 50 {
		f := chance.Float(t.Context())
		assert.True(t, f >= 0 && f < 1)
		seen[f] = true
	}
	assert.Greater(t, len(seen), 1)
}
