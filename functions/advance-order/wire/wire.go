// Package wire connects advance-order to the orders.
package wire

import (
	"time"

	"backroom/shared/function"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
)

// Settings are what advance-order reads from its environment.
type Settings struct {
	Orders     string        `env:"ORDERS_TABLE"`
	RetryDelay time.Duration `env:"RETRY_DELAY"` // until an order first asks again
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) order.AdvanceStep {
	return order.AdvanceStep{
		Orders:     orderdb.Store{Table: rt.Table(env.Orders)},
		Now:        rt.Now,
		RetryDelay: env.RetryDelay,
	}
}
