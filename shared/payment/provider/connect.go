package provider

import (
	"backroom/shared/circuit"
	"backroom/shared/function"
	"backroom/shared/secret/apikey"
)

// Settings are the environment of a function that calls the provider.
type Settings struct {
	Provider string `env:"PAYMENTS_URL"`
	Secret   string `env:"PAYMENTS_SECRET_ARN"`
	Circuits string `env:"CIRCUITS_TABLE"`
}

// Connect returns the client of the provider that the settings name. It prepares the client during
// INIT and puts it behind the circuit breaker that these functions share.
func Connect(rt function.Runtime, s Settings) *Client {
	circuits := circuit.Table{DB: rt.DynamoDB(), Name: s.Circuits}
	breaker := circuit.New("payment-provider", circuits, rt.Now, circuit.DefaultSettings)
	client := New(rt.URL(s.Provider), apikey.InSecret(rt.AWS, s.Secret, rt.Now), rt.Web, breaker)
	rt.OnInit(client.Prepare)
	return client
}
