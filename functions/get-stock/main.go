// Command get-stock answers GET /stock/{sku}: how many units can be sold, and how many are promised to orders.
package main

import (
	"backroom/functions/get-stock/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
