// Command list-orders answers GET /orders: a customer's own orders, and for staff those that one filter asks for.
package main

import (
	"backroom/functions/list-orders/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
