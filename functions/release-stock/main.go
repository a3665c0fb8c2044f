// Command release-stock hears OrderRejected, OrderExpired, OrderCanceling and ReleaseDue: what was set aside for
// the order, or sold to it, can be sold again.
package main

import (
	"backroom/functions/release-stock/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.ReleaseStock, wire.New) }
