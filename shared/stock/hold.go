// Package stock keeps count of what can be sold and sets it aside for orders.
package stock

import (
	"backroom/shared/money"
	"backroom/shared/saga"
)

// Want is what an order's story asks of a hold.
type Want string

// Has is what is so.
type Has string

// What a hold wants, and has.
const (
	Hold Want = "hold"

	Nothing Has = "nothing"
	Held    Has = "held"
)

// Reservation is an order's hold on stock: all of its lines, or none. It has no expiry of its own; only the order ends it.
type Reservation struct {
	Order         string
	Shop          string
	Want          Want
	Has           Has
	Lines         []Line
	Short         []string // the SKUs that were missing
	Total         money.Money
	PaymentMethod string // carried along for the payment that follows
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

// Answer returns the fact that tells what a hold has: the same again to everyone who asks again.
func Answer(r Reservation) saga.Fact {
	if r.Has == Held {
		return saga.StockReserved
	}
	return saga.StockShort
}
