// Package wire connects resolve-order to the orders.
package wire

import (
	"time"

	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/orderdb"
)

// Settings are what resolve-order reads from its environment.
type Settings struct {
	identitydb.Settings
	Orders     string        `env:"ORDERS_TABLE"`
	RetryDelay time.Duration `env:"RETRY_DELAY"` // until the order asks again
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return orderapi.ResolveHandler{
		Callers:    identitydb.Verifier(rt.DynamoDB(), rt.Now, env.Settings),
		Orders:     orderdb.Store{Table: rt.Table(env.Orders)},
		Now:        rt.Now,
		RetryDelay: env.RetryDelay,
	}.Operation()
}
