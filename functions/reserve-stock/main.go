// Command reserve-stock consumes OrderPlaced and ReserveDue: it reserves the stock of an order, all
// of it or none.
package main

import (
	"backroom/functions/reserve-stock/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.ReserveStock, wire.New) }
