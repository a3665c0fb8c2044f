// Command commit-stock hears OrderConfirmed: what was set aside for the order is sold.
package main

import (
	"backroom/functions/commit-stock/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.CommitStock, wire.New) }
