// Package wire connects capture-payment to the charges and to the payment provider.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/payment"
	"backroom/shared/payment/apikey"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/provider"
)

// Settings are what capture-payment reads from its environment.
type Settings struct {
	Charges  string `env:"CHARGES_TABLE"`
	Provider string `env:"PAYMENTS_URL"`
	Secret   string `env:"PAYMENTS_SECRET_ARN"`
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) payment.CaptureStep {
	client := provider.New(rt.URL(env.Provider), apikey.InSecret(rt.AWS, env.Secret, rt.Now), nil, nil)
	rt.OnInit(client.Prepare)
	return payment.CaptureStep{Till: payment.Till{
		Charges:  paymentdb.Store{Table: rt.Table(env.Charges)},
		Provider: client,
	}}
}
