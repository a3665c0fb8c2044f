// Command capture-payment consumes OrderConfirmed and CaptureDue: it captures the authorized
// payment of an order.
package main

import (
	"backroom/functions/capture-payment/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.CapturePayment, wire.New) }
