// Package stock keeps count of what can be sold and sets it aside for orders.
package stock

import (
	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// Want is what an order's story asks of a hold.
type Want string

// Has is what is so.
type Has string

// What a hold wants, and has. One that wants to be released never takes stock again.
const (
	Hold    Want = "hold"
	Sell    Want = "sell"
	Release Want = "release"

	Nothing Has = "nothing" // its units can be sold, to anybody
	Held    Has = "held"    // its units are set aside for its order
	Sold    Has = "sold"    // its units are its order's
)

// Promised reports whether a level counts the units of such a hold as promised: they are on the shelf, and spoken for.
func (h Has) Promised() bool { return h == Held || h == Sold }

// ErrNothingToSell is the fault of an order that is confirmed though nothing was set aside for it.
var ErrNothingToSell = fault.New(fault.Invalid, "nothing-to-sell", "The order is confirmed, but nothing was set aside for it.")

// Reservation is an order's hold on stock: all of its lines, or none. It has no expiry of its own; only the order ends it.
type Reservation struct {
	Order         string
	Shop          string
	Want          Want
	Has           Has
	Lines         []Line   // none of an order that gave up before any stock was set aside
	Short         []string // the SKUs that were missing
	Total         money.Money
	PaymentMethod string // carried along for the payment that follows, and no longer
	Diary         saga.Diary
}

// Line is a quantity of one SKU. No two lines have the same SKU.
type Line struct {
	SKU      string
	Quantity int64
}

// Reserve returns the hold that an order wants, and the fact that all of it was set aside.
func Reserve(w saga.Wanted) (Reservation, saga.Fact) {
	r := Reservation{
		Order: w.Order, Shop: w.Shop, Want: Hold, Has: Held, PaymentMethod: w.PaymentMethod,
		Total: money.Money{Amount: w.Total, Currency: w.Currency},
	}
	for _, l := range w.Lines {
		r.Lines = append(r.Lines, Line{l.SKU, l.Quantity})
	}
	return r, saga.StockReserved
}

// Refuse returns the hold that has nothing because these SKUs were missing, and the fact that they were.
func Refuse(r Reservation, short []string) (Reservation, saga.Fact) {
	r.Has, r.Short, r.PaymentMethod = Nothing, short, ""
	return r, saga.StockShort
}

// Commit returns the hold of a confirmed order, and the fact that it is sold; no fact if nothing changes: it is sold already,
// or its order wants it no more. It returns ErrNothingToSell for a hold that has nothing.
func Commit(r Reservation) (Reservation, saga.Fact, error) {
	switch {
	case r.Want == Release || r.Has == Sold:
		return r, "", nil
	case r.Has == Nothing:
		return r, "", ErrNothingToSell
	}
	r.Want, r.Has, r.PaymentMethod = Sell, Sold, ""
	return r, saga.StockSold, nil
}

// GiveUp returns the hold that its order wants no more, whatever it had, and the fact that it has nothing and never will.
func GiveUp(r Reservation) (Reservation, saga.Fact) {
	r.Want, r.Has, r.PaymentMethod = Release, Nothing, ""
	return r, saga.StockReleased
}

// Answer returns the fact that tells what a hold has: the same again to everyone who asks again.
func Answer(r Reservation) saga.Fact {
	switch {
	case r.Want == Release:
		return saga.StockReleased
	case r.Has == Held:
		return saga.StockReserved
	case r.Has == Sold:
		return saga.StockSold
	}
	return saga.StockShort
}
