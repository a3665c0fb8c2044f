// Package wire connects sandbox-payments to its table and to the queue of its delayed tasks.
package wire

import (
	"net/http"

	"backroom/shared/function"
	"backroom/shared/sandbox"
	"backroom/shared/sandbox/sandboxdb"
	"backroom/shared/secret/apikey"
)

// Settings are what sandbox-payments reads from its environment.
type Settings struct {
	Table  string `env:"SANDBOX_TABLE"`
	Secret string `env:"PAYMENTS_SECRET_ARN"`
	Tasks  string `env:"CALLBACKS_QUEUE"`
}

// New returns the sandbox, ready to serve.
func New(rt function.Runtime, env Settings) http.Handler {
	return sandbox.Handler{
		Ledger: sandboxdb.Ledger{DB: rt.DynamoDB(), Name: env.Table},
		Key:    apikey.InSecret(rt.AWS, env.Secret, rt.Now),
		Herald: sandbox.Herald{
			Tasks:   sandbox.Queue{Sender: rt.Queues(""), URL: env.Tasks},
			Courier: sandbox.NewCourier(rt.URL, rt.Now, rt.Web),
			Now:     rt.Now,
			Nonce:   rt.Nonce,
		},
		Now:   rt.Now,
		Nonce: rt.Nonce,
		Log:   rt.Log,
	}.Routes()
}
