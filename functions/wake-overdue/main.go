// Command wake-overdue runs every minute: it hands every order that is late to advance-order.
package main

import (
	"backroom/functions/wake-overdue/wire"
	"backroom/shared/function"
)

func main() { function.Run(wire.New) }
