// Package wire connects place-order to its tables.
package wire

import (
	"time"

	"backroom/shared/api"
	"backroom/shared/catalog/catalogdb"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
	"backroom/shared/order"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/orderdb"
)

// Settings are what place-order reads from its environment.
type Settings struct {
	identitydb.Settings
	Orders     string        `env:"ORDERS_TABLE"`
	Catalog    string        `env:"CATALOG_TABLE"`
	RetryDelay time.Duration `env:"RETRY_DELAY"`    // until an order first asks again
	Window     time.Duration `env:"PAYMENT_WINDOW"` // until it expires without an outcome
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return orderapi.PlaceHandler{
		Callers: identitydb.Verifier(rt.DynamoDB(), rt.Now, env.Settings),
		Orders:  orderdb.Store{Table: rt.Table(env.Orders)},
		Prices:  catalogdb.NewPrices(catalogdb.Store{DB: rt.DynamoDB(), Name: env.Catalog}, rt.Now),
		Now:     rt.Now,
		Terms:   order.Terms{RetryDelay: env.RetryDelay, Window: env.Window},
	}.Operation()
}
