// Command get-stock answers GET /stock/{sku}: how many units can be sold, are promised, and were sold.
package main

import (
	"backroom/functions/get-stock/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
