// Command resolve-order answers POST /orders/{id}/resolution: it records a person's decision about
// an order that needs attention.
package main

import (
	"backroom/functions/resolve-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
