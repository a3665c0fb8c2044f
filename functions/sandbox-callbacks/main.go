// Command sandbox-callbacks does what the payment sandbox does later: it sends events to webhook endpoints, and looks what time
// made of payments and refunds.
package main

import (
	"backroom/functions/sandbox-callbacks/wire"
	"backroom/shared/function"
)

func main() { function.Work(wire.New) }
