// Command get-docs answers GET /docs: it serves the API reference as a page, on which people can
// try requests.
package main

import (
	"backroom/functions/get-docs/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
