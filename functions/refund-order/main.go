// Command refund-order answers POST /orders/{id}/refunds: it gives money of a closed order back.
package main

import (
	"backroom/functions/refund-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
