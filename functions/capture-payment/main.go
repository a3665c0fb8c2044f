// Command capture-payment hears OrderConfirmed and CaptureDue: it takes the money that is held for an order.
package main

import (
	"backroom/functions/capture-payment/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.CapturePayment, wire.New) }
