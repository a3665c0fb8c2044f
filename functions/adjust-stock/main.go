// Command adjust-stock answers POST /stock/{sku}/adjustments: it changes how many units of a
// product are sellable.
package main

import (
	"backroom/functions/adjust-stock/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
