// Command wake-overdue runs every minute: it sends a message to advance-order for every late order.
package main

import (
	"backroom/functions/wake-overdue/wire"
	"backroom/shared/function"
)

func main() { function.Run(wire.New) }
