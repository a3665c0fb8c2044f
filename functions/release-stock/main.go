// Command release-stock consumes OrderRejected, OrderExpired, OrderCanceling and ReleaseDue: it
// makes the reserved or sold stock of an order sellable again.
package main

import (
	"backroom/functions/release-stock/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.ReleaseStock, wire.New) }
