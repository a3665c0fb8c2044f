// Command advance-order consumes the answers of stock and payment, and overdue orders: it advances
// the order.
package main

import (
	"backroom/functions/advance-order/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.AdvanceOrder, wire.New) }
