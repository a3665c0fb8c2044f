// Command commit-stock consumes OrderConfirmed: it sells the reserved stock of an order.
package main

import (
	"backroom/functions/commit-stock/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.CommitStock, wire.New) }
