// Command list-orders answers GET /orders: it lists a customer's own orders, and for staff the
// orders of a filter.
package main

import (
	"backroom/functions/list-orders/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
