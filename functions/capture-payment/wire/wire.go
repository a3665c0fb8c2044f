// Package wire connects capture-payment to the charges and to the payment provider.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/provider"
)

// Settings are what capture-payment reads from its environment.
type Settings struct {
	provider.Settings
	Charges string `env:"CHARGES_TABLE"`
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) payment.CaptureStep {
	return payment.CaptureStep{Reconciler: payment.Reconciler{
		Charges:  paymentdb.Store{Table: rt.Table(env.Charges)},
		Provider: provider.Connect(rt, env.Settings),
	}}
}
