package stock

import (
	"context"
	"errors"
	"strings"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrShort is what a shelf returns that does not hold all of a reservation's lines.
type ErrShort struct{ SKUs []string }

// Error names the SKUs.
func (e *ErrShort) Error() string { return "stock: short of " + strings.Join(e.SKUs, ", ") }

// Shelf keeps holds and levels.
type Shelf interface {
	// Create stores a new hold and announces f. A hold that has its lines takes all of them off the levels in the same
	// write, or none: then it returns *ErrShort. It returns fault.Duplicate if the order has a hold already, whatever the
	// levels say.
	Create(ctx context.Context, r Reservation, cause saga.Cause, f saga.Fact) error
	// Load reads an order's hold consistently. It returns fault.NotFound for none.
	Load(ctx context.Context, shop, order string) (Reservation, error)
	// Save stores a hold, raises its version and announces f. It returns fault.Conflict if the hold moved on.
	Save(ctx context.Context, r Reservation, cause saga.Cause, f saga.Fact) error
}

// ReserveStep sets stock aside for orders.
type ReserveStep struct{ Shelf Shelf }

// Handle answers OrderPlaced and ReserveDue: all lines are set aside, or none. Asked again, it answers again.
func (s ReserveStep) Handle(ctx context.Context, e saga.Event) error {
	wanted, err := saga.As[saga.Wanted](e)
	if err != nil {
		return err
	}
	hold, reserved := Reserve(wanted)
	err = s.Shelf.Create(ctx, hold, e.Cause(), reserved)
	if short, ok := errors.AsType[*ErrShort](err); ok {
		none, refused := Refuse(hold, short.SKUs)
		err = s.Shelf.Create(ctx, none, e.Cause(), refused)
	}
	if errors.Is(err, fault.Duplicate) {
		return s.answerAgain(ctx, e)
	}
	return err
}

// answerAgain tells what the order's hold has, unless this very event was answered already.
func (s ReserveStep) answerAgain(ctx context.Context, e saga.Event) error {
	r, err := s.Shelf.Load(ctx, e.Shop, e.Subject)
	if err != nil || r.Diary.Heeds(e.Cause()) {
		return err
	}
	return s.Shelf.Save(ctx, r, e.Cause(), Answer(r))
}
