// Command authorize-payment consumes StockReserved and PaymentCheckDue: it authorizes the payment
// of an order.
package main

import (
	"backroom/functions/authorize-payment/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.AuthorizePayment, wire.New) }
