// Package wire connects commit-stock to the reservations.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/stock"
	"backroom/shared/stock/stockdb"
)

// Settings are what commit-stock reads from its environment.
type Settings struct {
	Reservations string `env:"RESERVATIONS_TABLE"`
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) stock.CommitStep {
	return stock.CommitStep{Store: stockdb.Store{Reservations: rt.Table(env.Reservations)}}
}
