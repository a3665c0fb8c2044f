// Package wire connects receive-payment-event to the charges and to the payment provider.
package wire

import (
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentapi"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/provider"
	"backroom/shared/secret/apikey"
)

// Settings are what receive-payment-event reads from its environment.
type Settings struct {
	provider.Settings
	Charges string `env:"CHARGES_TABLE"`
}

// New returns the operation, ready to serve.
func New(rt function.Runtime, env Settings) api.Operation {
	return paymentapi.Handler{
		Reconciler: payment.Reconciler{
			Charges:  paymentdb.Store{Table: rt.Table(env.Charges)},
			Provider: provider.Connect(rt, env.Settings),
		},
		Callbacks: provider.Callbacks{Secret: apikey.SignatureInSecret(rt.AWS, env.Secret, rt.Now), Now: rt.Now},
		Log:       rt.Log,
	}.Operation()
}
