// Command get-stock answers GET /stock/{sku}: it returns how many units of a product are sellable,
// and how many are promised to orders.
package main

import (
	"backroom/functions/get-stock/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
