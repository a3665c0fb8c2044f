// Command get-product answers GET /products/{sku}: what a product is, and what it costs.
package main

import (
	"backroom/functions/get-product/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
