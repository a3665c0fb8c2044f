package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
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

// stored is a store with one order, which nothing may write.
type stored struct {
	order.Store
	order order.Order
}

func (s stored) Load(context.Context, saga.Shop, string) (order.Order, error) { return s.order, nil }

func TestAdvanceStep_FailsForAnOrderThatAwaitsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	step := order.AdvanceStep{
		Orders: stored{order: order.Order{ID: "ord_1", Awaits: []order.Awaited{"shipment"}}}, Now: time.Now,
	}
	err := step.Handle(t.Context(), saga.Event{Type: saga.OrderOverdue, Subject: "ord_1"})
	require.ErrorContains(t, err, `order ord_1: this release does not know the awaited answer "shipment"`)
	assert.Equal(t, fault.Internal, fault.KindOf(err), "it is retried, and then in the dead-letter queue")
}

func TestErase_DropsWhatThisReleaseDoesNotKnow(t *testing.T) {
	t.Parallel()
	erased, _, err := order.Erase(order.Order{
		Owner: "anna", History: saga.History{Rest: saga.Rest{Attributes: "anna's address"}},
	})
	require.NoError(t, err)
	assert.Zero(t, erased.History.Rest)
}
