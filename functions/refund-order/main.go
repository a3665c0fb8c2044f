// Command refund-order answers POST /orders/{id}/refunds: it requests a refund of a paid order.
package main

import (
	"backroom/functions/refund-order/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
