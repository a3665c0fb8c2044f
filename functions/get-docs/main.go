// Command get-docs answers GET /docs: it shows people the API's document, and lets them try it out.
package main

import (
	"backroom/functions/get-docs/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
