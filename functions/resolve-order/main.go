// Command resolve-order answers POST /orders/{id}/resolution: it takes the word of a person about an order that needs one.
package main

import (
	"backroom/functions/resolve-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
