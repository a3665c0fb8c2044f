// Package wire connects adjust-stock to the levels.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
	"backroom/shared/stock/stockapi"
	"backroom/shared/stock/stockdb"
)

// Settings are what adjust-stock reads from its environment.
type Settings struct {
	identitydb.Settings
	Levels string `env:"LEVELS_TABLE"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	levels := stockdb.Levels{DB: rt.DynamoDB(), Name: env.Levels}
	return stockapi.AdjustHandler{
		Callers: identitydb.Verifier(rt.DynamoDB(), rt.Now, env.Settings),
		Adjust:  levels.Adjust, Load: levels.Load,
		Now: rt.Now,
	}.Operation()
}
