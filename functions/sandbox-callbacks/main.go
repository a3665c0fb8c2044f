// Command sandbox-callbacks runs the delayed tasks of the payment sandbox: it sends events to
// webhook endpoints, and stores the changes of payments and refunds that are due.
package main

import (
	"backroom/functions/sandbox-callbacks/wire"
	"backroom/shared/function"
)

func main() { function.Work(wire.New) }
