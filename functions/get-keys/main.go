// Command get-keys answers GET /.well-known/jwks.json: the public keys that access tokens are verified with.
package main

import (
	"backroom/functions/get-keys/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
