// Package wire connects reserve-stock to the reservations and levels.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/stock"
	"backroom/shared/stock/stockdb"
)

// Settings are what reserve-stock reads from its environment.
type Settings struct {
	Reservations string `env:"RESERVATIONS_TABLE"`
	Levels       string `env:"LEVELS_TABLE"`
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) stock.ReserveStep {
	return stock.ReserveStep{Store: stockdb.Store{
		Reservations: rt.Table(env.Reservations),
		Levels:       stockdb.Levels{DB: rt.DynamoDB(), Name: env.Levels},
	}}
}
