// Command receive-payment-event answers POST /payments/events: it looks at the payment that the provider calls back about.
package main

import (
	"backroom/functions/receive-payment-event/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
