// Command get-health answers GET /health: it reports whether the API works.
package main

import (
	"backroom/functions/get-health/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
