// Command place-order answers POST /orders: it accepts an order and starts its saga.
package main

import (
	"backroom/functions/place-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
