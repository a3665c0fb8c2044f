// Package wire connects release-stock to the reservations and levels.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/stock"
	"backroom/shared/stock/stockdb"
)

// Settings are what release-stock reads from its environment.
type Settings struct {
	Reservations string `env:"RESERVATIONS_TABLE"`
	Levels       string `env:"LEVELS_TABLE"`
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) stock.ReleaseStep {
	return stock.ReleaseStep{Store: stockdb.Store{
		Reservations: rt.Table(env.Reservations),
		Levels:       stockdb.Levels{DB: rt.DynamoDB(), Name: env.Levels},
	}}
}
