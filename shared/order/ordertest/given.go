package ordertest

import (
	"time"

	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// Later is a minute after Noon.
var Later = Noon.Add(time.Minute)

// The retry delay and the payment window of the orders that Given returns.
const (
	RetryDelay = 2 * time.Minute
	Window     = 15 * time.Minute
)

// Euro returns an amount of euros, from cents.
func Euro(cents int64) money.Money { return money.Money{Amount: cents, Currency: "EUR"} }

// Given returns an order with a status: ord_1 of the shop main, placed by anna at Noon, for 10.00
// EUR.
func Given(s order.Status) order.Order {
	o := order.Order{
		ID: "ord_1", Shop: "main", Owner: "anna", Email: "anna@example.com", PaymentMethod: "pm_card_visa",
		Total:    Euro(1000),
		PlacedAt: Noon, ExpiresAt: Noon.Add(Window), Due: Noon.Add(RetryDelay),
		Awaits: []order.Awaited{order.AwaitsOutcome},
	}
	awaits := map[order.Status][]order.Awaited{
		order.StatusPlaced: {order.AwaitsOutcome}, order.StatusConfirmed: {order.AwaitsCapture},
		order.StatusNeedsAttention: {order.AwaitsCapture},
		order.StatusRejected:       {order.AwaitsMoney, order.AwaitsStock},
		order.StatusExpired:        {order.AwaitsMoney, order.AwaitsStock},
		order.StatusCanceling:      {order.AwaitsMoney, order.AwaitsStock},
	}
	outcomes := map[order.Status]order.Outcome{
		order.StatusConfirmed: order.Confirmed, order.StatusNeedsAttention: order.Confirmed,
		order.StatusPaid:     order.Confirmed,
		order.StatusRejected: order.Rejected, order.StatusExpired: order.Expired,
		order.StatusCanceling: order.Canceled, order.StatusCanceled: order.Canceled,
	}
	o.Awaits, o.Outcome = awaits[s], outcomes[s]
	switch s {
	case order.StatusPaid:
		o.Due, o.Paid = time.Time{}, true
	case order.StatusCanceled:
		o.Due = time.Time{}
	case order.StatusRejected:
		o.Reason = "the first reason"
	case order.StatusNeedsAttention:
		o.Attention, o.Due = order.CaptureFailed, Noon.Add(time.Hour)
	}
	return o
}

// Statuses lists every status.
var Statuses = []order.Status{
	order.StatusPlaced, order.StatusConfirmed, order.StatusRejected, order.StatusExpired, order.StatusCanceling,
	order.StatusCanceled,
	order.StatusPaid, order.StatusNeedsAttention,
}

// Decision changes an order and returns the facts that this leads to.
type Decision func(order.Order) (order.Order, []saga.Fact)

// Decisions about an order, made a minute after it was placed.
var (
	Confirm Decision = func(o order.Order) (order.Order, []saga.Fact) { return order.Confirm(o, Later, RetryDelay) }
	Short   Decision = func(o order.Order) (order.Order, []saga.Fact) {
		return order.Reject(o, order.OutOfStock, Later, RetryDelay)
	}
	Decline Decision = func(o order.Order) (order.Order, []saga.Fact) {
		return order.Reject(o, "card-declined", Later, RetryDelay)
	}
	Captured    Decision = order.Captured
	NotCaptured Decision = func(o order.Order) (order.Order, []saga.Fact) { return order.NotCaptured(o, Later) }
	StockBack   Decision = order.StockReleased
	MoneyBack   Decision = func(o order.Order) (order.Order, []saga.Fact) { return order.MoneyReturned(o, 5) }
	Reopen      Decision = func(o order.Order) (order.Order,
		[]saga.Fact) {
		return order.Reopen(o, 6, Later, RetryDelay)
	}
	Cancel Decision = func(o order.Order) (order.Order, []saga.Fact) {
		o, facts, _ := order.Cancel(o, "changed my mind", Later, RetryDelay)
		return o, facts
	}
)
