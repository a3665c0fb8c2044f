// Command cancel-order answers POST /orders/{id}/cancellation: it cancels an order.
package main

import (
	"backroom/functions/cancel-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
