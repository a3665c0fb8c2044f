// Package order is the one domain that decides how an order's story ends. Stock and payment report what is so; only an
// order gives a verdict, and it knows what it is still owed.
package order

import (
	"time"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// Status is where an order stands.
type Status string

// The states: placed → confirmed | rejected. A placed order that nobody answers for too long needs attention, and an answer
// that still comes gives it its verdict.
const (
	Placed         Status = "placed"
	Confirmed      Status = "confirmed"
	Rejected       Status = "rejected"
	NeedsAttention Status = "needs_attention"
)

// Why an order was rejected or stands still. A declined payment brings its own reason.
const (
	OutOfStock = "out-of-stock"
	NoAnswer   = "no-answer"
)

// Order is what a customer wants and what became of it.
type Order struct {
	ID            string
	Shop          string
	Owner         string // the subject that placed it
	Status        Status
	Reason        string // of a rejection, or of needing attention
	Lines         []saga.Line
	Total         money.Money
	PaymentMethod string // the provider's token
	PlacedAt      time.Time
	Fingerprint   string // of the request that placed it

	// Due is when the order asks for what it is owed, and zero exactly when it is owed nothing. An order is owed its verdict.
	Due  time.Time
	Asks int // how often it asked

	Diary saga.Diary
}

// Owed reports whether the order still waits for something.
func (o Order) Owed() bool { return o.Status == Placed || o.Status == NeedsAttention }
