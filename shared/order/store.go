package order

import (
	"context"

	"backroom/shared/saga"
)

// Store keeps orders.
type Store interface {
	// Load reads an order. It returns fault.NotFound if the shop has no such order.
	Load(ctx context.Context, shop saga.Shop, id string) (Order, error)
	// Save stores an order and records facts, in one write. It returns fault.Conflict if the order
	// has changed since it was loaded.
	Save(ctx context.Context, o Order, cause saga.Cause, facts ...saga.Fact) error
}
