package stock

import (
	"context"
	"strings"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrShort is what a shelf returns that does not hold all of a reservation's lines.
type ErrShort struct{ SKUs []string }

// Error names the SKUs.
func (e *ErrShort) Error() string { return "stock: short of " + strings.Join(e.SKUs, ", ") }

// ErrMiscounted is what a shelf returns whose levels count fewer units than its holds have: a bug. Nothing is changed then.
var ErrInconsistent = fault.New(fault.Internal, "stock-levels-inconsistent", "A stock level counts fewer units than its reservations have.")

// Shelf keeps holds and levels. Whether a hold has its lines is counted in their levels, so both change in one write.
type Store interface {
	// Create stores a new hold and announces f. A hold that has its lines takes all of them off the levels in the same
	// write, or none: then it returns *ErrShort. It returns fault.Duplicate if the order has a hold already, whatever the
	// levels say.
	Create(ctx context.Context, r Reservation, cause saga.Cause, f saga.Fact) error
	// Load reads an order's hold consistently. It returns fault.NotFound for none.
	Load(ctx context.Context, shop saga.Shop, order string) (Reservation, error)
	// Save stores a hold that had had, raises its version and announces f. If the levels count what it has now elsewhere,
	// its units move in the same write. It returns fault.Conflict if the hold moved on since it was loaded, or was made since
	// it was not found, and ErrMiscounted if levels to be moved do not count what it had.
	Save(ctx context.Context, r Reservation, had Observed, cause saga.Cause, f saga.Fact) error
}

// maxTries is how often a step decides about a hold that others keep changing before the message goes back to its queue.
const maxTries = 4
