// Command sandbox-payments stands in for the payment provider in stages without real money: it
// answers requests about payment intents, refunds and webhook endpoints as the provider does
// (sandbox.Handler lists them).
package main

import (
	"backroom/functions/sandbox-payments/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
