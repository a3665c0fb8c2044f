package stock

import (
	"fmt"
	"time"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// MaxSellable is the highest level to which an adjustment raises a SKU, so that a later count can name the level.
// A release can raise it further, by the units that orders had of it.
const MaxSellable = 1_000_000_000

// Why an adjustment is refused.
var (
	ErrInsufficient = fault.New(fault.Conflict, "insufficient-stock",
		"The SKU has fewer sellable units than the adjustment removes. Remove fewer.")
	ErrLevelChanged = fault.New(fault.Conflict, "stock-level-changed",
		"The level no longer equals if_equals. Read it, and count again.")
	ErrLevelTooHigh = fault.New(fault.Conflict, "stock-level-too-high",
		fmt.Sprintf("A SKU has at most %d sellable units. Add fewer, or count it again.", MaxSellable))
)

// Adjustment changes how many units of a SKU are sellable. It is stored as a row of its own, so
// that a repeated request changes nothing, however long ago the first one was.
type Adjustment struct {
	ID          string
	Shop        saga.Shop
	SKU         string
	Delta       int64
	IfEquals    *int64 // the sellable units that it applies to; nil: any number that stays between 0 and MaxSellable
	Reason      string
	At          time.Time
	Actor       string
	Fingerprint string // of the request
}
