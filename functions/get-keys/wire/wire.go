// Package wire connects get-keys to the table that has the keys.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
	"backroom/shared/oauth/jwks"
)

// Settings are what get-keys reads from its environment.
type Settings struct {
	Access string `env:"ACCESS_TABLE"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return jwks.KeysHandler{Keys: identitydb.Store{DB: rt.DynamoDB(), Table: env.Access}.Keys}.Operation()
}
