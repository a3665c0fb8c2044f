// Command sandbox-payments stands in for the payment provider wherever no real money may move: it answers requests about
// payment intents, refunds and webhook endpoints, in the provider's dialect (sandbox.Handler lists them).
package main

import (
	"backroom/functions/sandbox-payments/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
