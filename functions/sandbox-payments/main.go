// Command sandbox-payments stands in for the payment provider wherever no real money may move: it answers
// POST /v1/payment_intents, POST /v1/payment_intents/{id}/confirm and /cancel, and GET /v1/payment_intents/{id}.
package main

import (
	"backroom/functions/sandbox-payments/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
