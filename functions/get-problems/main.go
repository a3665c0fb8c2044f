// Command get-problems answers GET /problems: it serves the page to which the type of each problem leads.
package main

import (
	"backroom/functions/get-problems/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
