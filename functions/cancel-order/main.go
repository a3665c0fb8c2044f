// Command cancel-order answers POST /orders/{id}/cancellation: it takes back an order that is not wanted any more.
package main

import (
	"backroom/functions/cancel-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
