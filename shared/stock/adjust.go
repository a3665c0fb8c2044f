package stock

import (
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Why an adjustment is refused.
var (
	ErrInsufficient = fault.New(fault.Conflict, "insufficient-stock",
		"The SKU has fewer sellable units than the adjustment removes. Remove fewer.")
	ErrLevelChanged = fault.New(fault.Conflict, "stock-level-changed",
		"The level no longer equals if_equals. Read it, and count again.")
)

// Adjustment changes how many units of a SKU are sellable. It is stored as a row of its own, so
// that a repeated request changes nothing, however long ago the first one was.
type Adjustment struct {
	ID          string
	Shop        saga.Shop
	SKU         string
	Delta       int64
	IfEquals    *int64 // the sellable units that it applies to; nil: any number that does not become negative
	Reason      string
	At          time.Time
	Actor       string
	Fingerprint string // of the request
}
