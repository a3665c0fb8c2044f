// Command delete-product answers DELETE /products/{sku}: it takes a product off sale.
package main

import (
	"backroom/functions/delete-product/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
