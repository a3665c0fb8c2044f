// Package wire connects sandbox-callbacks to the sandbox's table and to its own queue.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/sandbox"
	"backroom/shared/sandbox/sandboxdb"
)

// Settings are what sandbox-callbacks reads from its environment.
type Settings struct {
	Table string `env:"SANDBOX_TABLE"`
	Tasks string `env:"CALLBACKS_QUEUE"`
}

// New returns the worker, ready to work.
func New(rt function.Runtime, env Settings) sandbox.Callbacks {
	return sandbox.Callbacks{
		Ledger: sandboxdb.Ledger{DB: rt.DynamoDB(), Name: env.Table},
		Herald: sandbox.Herald{
			Tasks:   sandbox.Queue{Sender: rt.Queues(""), URL: env.Tasks},
			Courier: sandbox.NewCourier(rt.URL, rt.Now, rt.Web),
			Now:     rt.Now,
			Nonce:   rt.Nonce,
		},
	}
}
