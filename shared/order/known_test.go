package order_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/order"
	"backroom/shared/saga"
)

func TestOrder_KnownNamesWhatThisReleaseDoesNotKnow(t *testing.T) {
	t.Parallel()
	for value, o := range map[string]order.Order{
		`outcome "deferred"`:            {ID: "ord_1", Outcome: "deferred"},
		`awaited answer "shipment"`:     {ID: "ord_1", Awaits: []order.Awaited{order.AwaitsMoney, "shipment"}},
		`status of refund r "disputed"`: {ID: "ord_1", Refunds: []saga.Refund{{ID: "r", Status: "disputed"}}},
	} {
		require.ErrorContains(t, o.Known(), "order ord_1: this release does not know the "+value)
	}
	assert.NoError(t, order.Order{Outcome: order.Canceled, Awaits: []order.Awaited{order.AwaitsStock}}.Known())
}
