// Package wire connects get-health to the table that every request needs.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/health"
	"backroom/shared/identity/identitydb"
)

// Settings are what get-health reads from its environment.
type Settings struct {
	Access string `env:"ACCESS_TABLE,notEmpty"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return health.GetHandler{Check: identitydb.Store{DB: rt.DynamoDB(), Table: env.Access}.Reach}.Operation()
}
