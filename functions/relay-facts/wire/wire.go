// Package wire connects relay-facts to the queues of all steps.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/relay"
)

// Settings are what relay-facts reads from its environment.
type Settings struct {
	Queues     string `env:"QUEUES"`      // the common beginning of the URLs of all steps' queues
	DeadLetter string `env:"DEAD_LETTER"` // URL of the queue for records that cannot be read
}

// New returns the relay, ready to read.
func New(rt function.Runtime, env Settings) relay.Relay {
	return relay.Relay{Queues: rt.Queues(env.Queues), DeadLetter: env.DeadLetter, Log: rt.Log}
}
