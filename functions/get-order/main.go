// Command get-order answers GET /orders/{id}: it returns an order, and what happened to it.
package main

import (
	"backroom/functions/get-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
