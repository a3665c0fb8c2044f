package stock

import (
	"backroom/shared/fault"
	"backroom/shared/saga"
)

// ErrUnknownStock is returned for the level of a SKU that was never counted.
var ErrUnknownStock = fault.New(fault.NotFound, "unknown-stock",
	"The SKU has no stock level. Check the SKU; a first adjustment creates its level.")

// Level is how many units of a SKU are sellable, and how many are promised to orders. Orders only
// move units from one count to the other: the sum of both is the sum of all adjustments.
type Level struct {
	Shop     saga.Shop
	SKU      string
	Sellable int64
	Promised int64 // reserved for orders, or sold to them and not shipped yet
}
