// Command authorize-payment hears StockReserved and PaymentCheckDue: it has an order's money set aside at the provider.
package main

import (
	"backroom/functions/authorize-payment/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.AuthorizePayment, wire.New) }
