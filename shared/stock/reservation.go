// Package stock keeps count of what can be sold and sets it aside for orders.
package stock

import (
	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// Want is what an order's story asks of a hold.
type Desired string

// Has is what is so.
type Observed string

// What a hold wants, and has. One that wants to be released never takes stock again.
const (
	DesiredReserve Desired = "reserve"
	DesiredSell    Desired = "sell"
	DesiredRelease Desired = "release"

	Nothing  Observed = "nothing"  // its units can be sold, to anybody
	Reserved Observed = "reserved" // its units are set aside for its order
	Sold     Observed = "sold"     // its units are its order's
)

// Promised reports whether a level counts the units of such a hold as promised: they are on the shelf, and spoken for.
func (h Observed) Promised() bool { return h == Reserved || h == Sold }

// ErrNothingToSell is the fault of an order that is confirmed though nothing was set aside for it.
var ErrNothingReserved = fault.New(fault.Invalid, "nothing-reserved", "The order is confirmed, but no stock is reserved for it.")

// Reservation is an order's hold on stock: all of its lines, or none. It has no expiry of its own; only the order ends it.
type Reservation struct {
	Order         string
	Shop          saga.Shop
	Desired       Desired
	Observed      Observed
	Lines         []Line   // none of an order that gave up before any stock was set aside
	Short         []string // the SKUs that were missing
	Total         money.Money
	PaymentMethod string // carried along for the payment that follows, and no longer
	History       saga.History
}

// Line is a quantity of one SKU. No two lines have the same SKU.
type Line struct {
	SKU      string
	Quantity int64
}

// Reserve returns the hold that an order wants, and the fact that all of it was set aside.
func Reserve(w saga.OrderContents) (Reservation, saga.Fact) {
	r := Reservation{
		Order: w.Order, Shop: w.Shop, Desired: DesiredReserve, Observed: Reserved, PaymentMethod: w.PaymentMethod,
		Total: money.Money{Amount: w.Total, Currency: w.Currency},
	}
	for _, l := range w.Lines {
		r.Lines = append(r.Lines, Line{l.SKU, l.Quantity})
	}
	return r, saga.StockReserved
}

// Refuse returns the hold that has nothing because these SKUs were missing, and the fact that they were.
func Refuse(r Reservation, short []string) (Reservation, saga.Fact) {
	r.Observed, r.Short, r.PaymentMethod = Nothing, short, ""
	return r, saga.StockShort
}

// Commit returns the hold of a confirmed order, and the fact that it is sold; no fact if nothing changes: it is sold already,
// or its order wants it no more. It returns ErrNothingToSell for a hold that has nothing.
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

// GiveUp returns the hold that its order wants no more, whatever it had, and the fact that it has nothing and never will.
func Release(r Reservation) (Reservation, saga.Fact) {
	r.Desired, r.Observed, r.PaymentMethod = DesiredRelease, Nothing, ""
	return r, saga.StockReleased
}

// Answer returns the fact that tells what a hold has: the same again to everyone who asks again.
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
