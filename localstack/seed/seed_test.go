package seed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrders_HaveEveryKindOfOutcome(t *testing.T) {
	t.Parallel()
	outcomes := map[string]int{}
	for _, order := range Orders(25) {
		outcomes[order.Outcome]++
		skus := map[string]bool{}
		for _, line := range order.Basket.Lines {
			require.False(t, skus[line.SKU], "an order names a product once")
			skus[line.SKU] = true
		}
		require.Equal(t, order.Outcome == "rejected out-of-stock", skus[soldOut])
	}
	require.Equal(t, map[string]int{"confirmed": 18, "rejected out-of-stock": 4, "rejected card-declined": 3}, outcomes)
	require.Equal(t, Orders(25), Orders(25))
}
