// Package wire connects commit-stock to the holds.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/stock"
	"backroom/shared/stock/stockdb"
)

// Settings are what commit-stock reads from its environment.
type Settings struct {
	Holds string `env:"HOLDS_TABLE"`
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) stock.CommitStep {
	return stock.CommitStep{Shelf: stockdb.Shelf{Holds: rt.Table(env.Holds)}}
}
