// Package wire connects get-order to the tables of an order's story.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity/identitydb"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/orderdb"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Settings are what get-order reads from its environment.
type Settings struct {
	identitydb.Settings
	Orders       string `env:"ORDERS_TABLE"`
	Reservations string `env:"RESERVATIONS_TABLE"`
	Charges      string `env:"CHARGES_TABLE"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return orderapi.GetHandler{
		Callers: identitydb.Verifier(rt.DynamoDB(), rt.Now, env.Settings),
		Story: orderdb.Stories{Orders: rt.Table(env.Orders), Sources: []orderdb.Source{
			{By: saga.Reservations, Table: rt.Table(env.Reservations), Key: record.Key},
			{By: saga.Charges, Table: rt.Table(env.Charges), Key: paymentdb.Key},
		}}.Read,
		Now: rt.Now,
	}.Operation()
}
