// Package wire connects send-notification to the orders, to the notices, and to the sender of
// mails.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/notify"
	"backroom/shared/notify/notifydb"
	"backroom/shared/notify/sender"
)

// Settings are what send-notification reads from its environment.
type Settings struct {
	sender.Settings
	Orders  string `env:"ORDERS_TABLE"`
	Notices string `env:"NOTICES_TABLE"`
}

// New returns the step, ready to work.
func New(rt function.Runtime, env Settings) notify.SendStep {
	return notify.SendStep{
		Orders:  notifydb.Orders{DB: rt.DynamoDB(), Name: env.Orders},
		Notices: notifydb.Store{DB: rt.DynamoDB(), Name: env.Notices, Nonce: rt.Nonce},
		Sender:  sender.New(rt, env.Settings),
		Now:     rt.Now,
	}
}
