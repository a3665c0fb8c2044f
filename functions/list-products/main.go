// Command list-products answers GET /products: what the shop sells, page by page.
package main

import (
	"backroom/functions/list-products/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
