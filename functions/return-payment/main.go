// Command return-payment consumes the outcomes that end an order unpaid, and requests for refunds:
// it returns money.
package main

import (
	"backroom/functions/return-payment/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.ReturnPayment, wire.New) }
