package stock

import (
	"context"
	"strings"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrShort is returned by Store.Create if there are too few sellable units of some SKUs.
type ErrShort struct{ SKUs []string }

// Error names the SKUs.
func (e *ErrShort) Error() string { return "stock: short of " + strings.Join(e.SKUs, ", ") }

// ErrInconsistent is returned by Store.Save if a level counts fewer promised units than a
// reservation has. It means a bug, and nothing is changed.
var ErrInconsistent = fault.New(fault.Internal, "stock-levels-inconsistent",
	"A stock level counts fewer units than its reservations have.")

// Store keeps reservations and levels. The levels count the units of reservations, so both change
// in one write.
type Store interface {
	// Create stores a new reservation and records f. If it is Reserved, the units of all lines move
	// from sellable to promised in the same write; if any are short, nothing is stored and it
	// returns *ErrShort. It returns fault.Duplicate if the order has a reservation already,
	// whatever the levels are.
	Create(ctx context.Context, r Reservation, cause saga.Cause, f saga.Fact) error
	// Load reads an order's reservation consistently. It returns fault.NotFound if there is none.
	Load(ctx context.Context, shop saga.Shop, order string) (Reservation, error)
	// Save stores r, whose previous state was prev, raises its version and records f. If the two
	// states are counted in different columns, the units move in the same write. It returns
	// fault.Conflict if the reservation has changed since it was loaded, or was created since it
	// was not found, and ErrInconsistent if the levels do not count the units that are to move.
	Save(ctx context.Context, r Reservation, prev Observed, cause saga.Cause, f saga.Fact) error
}

// maxTries is how often a message is handled, after conflicting writes, before it goes back to its
// queue.
const maxTries = 4
