// Command put-product answers PUT /products/{sku}: it creates or changes a product.
package main

import (
	"backroom/functions/put-product/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
