// Command relay-facts reads the streams of orders, reservations and charges: it sends each fact to
// the steps that consume it.
package main

import (
	"backroom/functions/relay-facts/wire"
	"backroom/shared/function"
)

func main() { function.Relay(wire.New) }
