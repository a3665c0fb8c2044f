// Package stock counts what can be sold and reserves it for orders.
//
// A reservation follows what its order asks of it:
//
//	desired  observed  reached by
//	reserve  reserved  Reserve: all lines are set aside
//	reserve  nothing   Refuse: a SKU was short
//	sell     sold      Sell, from reserved
//	release  nothing   Release, from any state, and for good
package stock

import (
	"cmp"
	"context"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// Desired is what an order asks of its reservation.
type Desired string

// Observed is what the reservation has.
type Observed string

// Desired and observed states. A reservation whose desired state is DesiredRelease never gets units
// again.
const (
	DesiredReserve Desired = "reserve"
	DesiredSell    Desired = "sell"
	DesiredRelease Desired = "release"

	Nothing  Observed = "nothing"  // its units, if it had any, are sellable
	Reserved Observed = "reserved" // its units are set aside for its order
	Sold     Observed = "sold"     // its units belong to its order
)

// Promised reports whether a level counts the units of a reservation in this state as promised, not
// as sellable.
func (o Observed) Promised() bool { return o == Reserved || o == Sold }

// ErrNothingReserved is returned for an order that is confirmed although nothing was reserved for
// it.
var ErrNothingReserved = fault.New(fault.Invalid, "nothing-reserved",
	"The order is confirmed, but no stock is reserved for it.")

// Reservation is stock that is set aside for one order: all of its lines, or none. It does not
// expire; only its order ends it.
type Reservation struct {
	Order         string
	Shop          saga.Shop
	Desired       Desired
	Observed      Observed
	Lines         []Line   // empty if the order was rejected or canceled before it was reserved for
	Short         []string // the SKUs that were missing
	Total         money.Money
	PaymentMethod string // for the payment that follows; removed when it is no longer needed
	History       saga.History
}

// load loads an order's reservation for a decision. It returns the error of Known, too.
func load(ctx context.Context, s Store, e saga.Event) (Reservation, error) {
	r, err := s.Load(ctx, e.Shop, e.Subject)
	if err != nil {
		return r, err
	}
	return r, r.Known()
}

// Known returns an error if the reservation has a state that this release does not know.
func (r Reservation) Known() error {
	row := "reservation of order " + r.Order
	err := saga.Known(row, "desired state", r.Desired, DesiredReserve, DesiredSell, DesiredRelease)
	return cmp.Or(err, saga.Known(row, "observed state", r.Observed, Nothing, Reserved, Sold))
}

// Line is a quantity of one SKU. No two lines have the same SKU.
type Line struct {
	SKU      string
	Quantity int64
}

// Reserve returns the reservation of all lines of an order, and StockReserved.
func Reserve(c saga.OrderContents) (Reservation, saga.Fact) {
	r := Reservation{
		Order: c.Order, Shop: c.Shop, Desired: DesiredReserve, Observed: Reserved, PaymentMethod: c.PaymentMethod,
		Total: money.Money{Amount: c.Total, Currency: c.Currency},
	}
	for _, l := range c.Lines {
		r.Lines = append(r.Lines, Line{l.SKU, l.Quantity})
	}
	return r, saga.StockReserved
}

// Refuse returns the reservation with nothing reserved because these SKUs are short, and
// StockShort.
func Refuse(r Reservation, short []string) (Reservation, saga.Fact) {
	r.Observed, r.Short, r.PaymentMethod = Nothing, short, ""
	return r, saga.StockShort
}

// Sell returns the reservation as sold, and StockSold. A reservation that is sold already, or that
// its order asked to release, does not change, and the fact is empty. It returns ErrNothingReserved
// for a reservation without units.
func Sell(r Reservation) (Reservation, saga.Fact, error) {
	switch {
	case r.Desired == DesiredRelease || r.Observed == Sold:
		return r, "", nil
	case r.Observed == Nothing:
		return r, "", ErrNothingReserved
	}
	r.Desired, r.Observed, r.PaymentMethod = DesiredSell, Sold, ""
	return r, saga.StockSold, nil
}

// Release returns the reservation without units, whatever it had, and StockReleased. It never gets
// units again.
func Release(r Reservation) (Reservation, saga.Fact) {
	r.Desired, r.Observed, r.PaymentMethod = DesiredRelease, Nothing, ""
	return r, saga.StockReleased
}

// Reply returns the fact that reports what a reservation has. It is recorded again for each retry.
func Reply(r Reservation) saga.Fact {
	switch {
	case r.Desired == DesiredRelease:
		return saga.StockReleased
	case r.Observed == Reserved:
		return saga.StockReserved
	case r.Observed == Sold:
		return saga.StockSold
	}
	return saga.StockShort
}
