// Package wire connects get-stock to the levels.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
	"backroom/shared/stock/stockapi"
	"backroom/shared/stock/stockdb"
)

// Settings are what get-stock reads from its environment.
type Settings struct {
	identitydb.Settings
	Levels string `env:"LEVELS_TABLE"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return stockapi.GetHandler{
		Callers: identitydb.Verifier(rt.DynamoDB(), rt.Now, env.Settings),
		Load:    stockdb.Levels{DB: rt.DynamoDB(), Name: env.Levels}.Load,
	}.Operation()
}
