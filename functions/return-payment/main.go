// Command return-payment hears the outcomes that give an order up, and its asks for refunds: it gives money back.
package main

import (
	"backroom/functions/return-payment/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.ReturnPayment, wire.New) }
