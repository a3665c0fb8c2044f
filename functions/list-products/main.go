// Command list-products answers GET /products: it lists the products on sale, page by page.
package main

import (
	"backroom/functions/list-products/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
