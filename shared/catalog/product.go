// Package catalog keeps what a shop sells, and for how much.
package catalog

import (
	"time"

	"backroom/shared/fault"
	"backroom/shared/money"
)

// Why a product cannot be read or written.
var (
	ErrUnknownProduct = fault.New(fault.NotFound, "unknown-product", "The shop does not sell this product.")
	ErrChanged        = fault.New(fault.PreconditionFailed, "product-changed", "The product is not the one that If-Match or If-None-Match describes. Read it again.")
	ErrUnconditional  = fault.New(fault.PreconditionNeeded, "precondition-needed", "Send If-None-Match: * to create a product, or If-Match with its ETag to change it.")
)

// Product is something that a shop sells.
type Product struct {
	Shop      string
	SKU       string
	Title     string
	Price     money.Money
	Version   int64 // raised by every change; 0: not stored yet
	ChangedAt time.Time
}

// Says reports whether the product already says what p says: a change to it would change nothing.
func (p Product) Says(o Product) bool { return p.Title == o.Title && p.Price == o.Price }
