// Command get-product answers GET /products/{sku}: it returns a product and its prices.
package main

import (
	"backroom/functions/get-product/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
