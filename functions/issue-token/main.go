// Command issue-token answers POST /oauth/token: it gives clients their access tokens.
package main

import (
	"backroom/functions/issue-token/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
