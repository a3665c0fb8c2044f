// Command advance-order hears what stock and payment report, and what is overdue: it moves the order.
package main

import (
	"backroom/functions/advance-order/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.AdvanceOrder, wire.New) }
