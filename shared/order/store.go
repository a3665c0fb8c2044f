package order

import (
	"context"

	"backroom/shared/saga"
)

// Desk is where orders are read and written.
type Store interface {
	// Load returns fault.NotFound if the shop has no such order.
	Load(ctx context.Context, shop saga.Shop, id string) (Order, error)
	// Save returns fault.Conflict if the order moved on since it was loaded.
	Save(ctx context.Context, o Order, cause saga.Cause, facts ...saga.Fact) error
}
