package stock

import (
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Why a level cannot be adjusted.
var (
	ErrInsufficient = fault.New(fault.Conflict, "insufficient-stock", "The SKU has fewer sellable units than the adjustment removes. Remove fewer.")
	ErrLevelChanged = fault.New(fault.Conflict, "stock-level-changed", "The level no longer equals if_equals. Read it, and count again.")
)

// Adjustment changes how many units of a SKU can be sold. It is a row of its own, so that a repeated request changes nothing
// however much happened since.
type Adjustment struct {
	ID          string
	Shop        saga.Shop
	SKU         string
	Delta       int64
	IfEquals    *int64 // the level that it applies to; nil: any that stays at or above zero
	Reason      string
	At          time.Time
	Actor       string
	Fingerprint string // of the request
}
