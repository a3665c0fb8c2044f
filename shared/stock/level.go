package stock

import (
	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrUnknownStock is the answer to who asks for the level of a SKU that was never counted.
var ErrUnknownStock = fault.New(fault.NotFound, "unknown-stock", "The SKU has no stock level. Check the SKU; a first adjustment creates its level.")

// Level is how many units of a SKU can be sold, and how many are spoken for. Orders only move units from one count to the
// other: together they are what adjustments brought.
type Level struct {
	Shop     saga.Shop
	SKU      string
	Sellable int64
	Promised int64 // set aside for orders, or sold to them and not shipped yet
}
