// Command reserve-stock hears OrderPlaced and ReserveDue: it sets an order's stock aside, all of it or none.
package main

import (
	"backroom/functions/reserve-stock/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.ReserveStock, wire.New) }
