// Command adjust-stock answers POST /stock/{sku}/adjustments: it changes how many units can be sold.
package main

import (
	"backroom/functions/adjust-stock/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
