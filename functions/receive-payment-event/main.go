// Command receive-payment-event answers POST /payments/events: it reads the payment that a callback
// of the provider names.
package main

import (
	"backroom/functions/receive-payment-event/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
