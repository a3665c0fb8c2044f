// Command get-keys answers GET /.well-known/jwks.json: it returns the public keys that verify
// access tokens.
package main

import (
	"backroom/functions/get-keys/wire"
	"backroom/shared/function"
)

func main() { function.Serve(wire.New) }
