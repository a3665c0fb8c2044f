// Package wire connects wake-overdue to the watch index and to the queue of advance-order.
package wire

import (
	"backroom/shared/function"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
)

// Settings are what wake-overdue reads from its environment.
type Settings struct {
	Orders string `env:"ORDERS_TABLE"`
	Queues string `env:"QUEUES"` // the common beginning of the URLs of all steps' queues
}

// New returns the job, ready to run.
func New(rt function.Runtime, env Settings) order.WakeJob {
	return order.WakeJob{
		Overdue: orderdb.Store{Table: rt.Table(env.Orders)}.Overdue,
		Send:    rt.Queues(env.Queues).Send,
		Now:     rt.Now,
	}
}
