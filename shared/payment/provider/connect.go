package provider

import (
	"backroom/shared/circuit"
	"backroom/shared/function"
	"backroom/shared/secret/apikey"
)

// Settings are what a function that deals with the provider reads from its environment.
type Settings struct {
	Provider string `env:"PAYMENTS_URL"`
	Secret   string `env:"PAYMENTS_SECRET_ARN"`
	Circuits string `env:"CIRCUITS_TABLE"`
}

// Connect returns the client of the provider that the settings name, prepared during INIT and behind the circuit that all of
// these functions share.
func Connect(rt function.Runtime, s Settings) *Client {
	rest := circuit.New("payment-provider", circuit.Table{DB: rt.DynamoDB(), Name: s.Circuits}, rt.Now, circuit.DefaultSettings)
	client := New(rt.URL(s.Provider), apikey.InSecret(rt.AWS, s.Secret, rt.Now), rt.Web, rest)
	rt.OnInit(client.Prepare)
	return client
}
