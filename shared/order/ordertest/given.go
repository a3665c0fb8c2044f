package ordertest

import (
	"time"

	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// Later is a minute after Noon.
var Later = Noon.Add(time.Minute)

// How long the orders of Given wait.
const (
	Patience = 2 * time.Minute
	Window   = 15 * time.Minute
)

// Euro returns an amount.
func Euro(cents int64) money.Money { return money.Money{Amount: cents, Currency: "EUR"} }

// Given returns ord_1 of the shop main as it came to a state: placed by anna at Noon, for 10.00 EUR.
func Given(s order.Status) order.Order {
	o := order.Order{
		ID: "ord_1", Shop: "main", Owner: "anna", Email: "anna@example.com", PaymentMethod: "pm_card_visa",
		Total:    Euro(1000),
		PlacedAt: Noon, ExpiresAt: Noon.Add(Window), Due: Noon.Add(Patience), Owes: []order.Debt{order.VerdictDebt},
	}
	debts := map[order.Status][]order.Debt{
		order.StatusPlaced: {order.VerdictDebt}, order.StatusConfirmed: {order.CaptureDebt}, order.StatusNeedsAttention: {order.CaptureDebt},
		order.StatusRejected: {order.MoneyDebt, order.StockDebt}, order.StatusExpired: {order.MoneyDebt, order.StockDebt},
		order.StatusCancelling: {order.MoneyDebt, order.StockDebt},
	}
	verdicts := map[order.Status]order.Verdict{
		order.StatusConfirmed: order.Confirmed, order.StatusNeedsAttention: order.Confirmed, order.StatusClosed: order.Confirmed,
		order.StatusRejected: order.Rejected, order.StatusExpired: order.Expired,
		order.StatusCancelling: order.Cancelled, order.StatusCancelled: order.Cancelled,
	}
	o.Owes, o.Verdict = debts[s], verdicts[s]
	switch s {
	case order.StatusClosed:
		o.Due, o.Paid = time.Time{}, true
	case order.StatusCancelled:
		o.Due = time.Time{}
	case order.StatusRejected:
		o.Reason = "the first reason"
	case order.StatusNeedsAttention:
		o.Attention, o.Due = order.CaptureFailed, Noon.Add(time.Hour)
	}
	return o
}

// Statuses are all states.
var Statuses = []order.Status{
	order.StatusPlaced, order.StatusConfirmed, order.StatusRejected, order.StatusExpired, order.StatusCancelling, order.StatusCancelled,
	order.StatusClosed, order.StatusNeedsAttention,
}

// Decision is what somebody does with an order.
type Decision func(order.Order) (order.Order, []saga.Fact)

// What becomes of an order a minute after it was placed.
var (
	Confirm Decision = func(o order.Order) (order.Order, []saga.Fact) { return order.Confirm(o, Later, Patience) }
	Short   Decision = func(o order.Order) (order.Order, []saga.Fact) {
		return order.Reject(o, order.OutOfStock, Later, Patience)
	}
	Decline Decision = func(o order.Order) (order.Order, []saga.Fact) {
		return order.Reject(o, "card-declined", Later, Patience)
	}
	Captured    Decision = order.Captured
	NotCaptured Decision = func(o order.Order) (order.Order, []saga.Fact) { return order.NotCaptured(o, Later) }
	StockBack   Decision = order.StockBack
	MoneyBack   Decision = func(o order.Order) (order.Order, []saga.Fact) { return order.MoneyBack(o, 5) }
	Reopen      Decision = func(o order.Order) (order.Order, []saga.Fact) { return order.Reopen(o, 6, Later, Patience) }
	Cancel      Decision = func(o order.Order) (order.Order, []saga.Fact) {
		o, facts, _ := order.Cancel(o, "changed my mind", Later, Patience)
		return o, facts
	}
)
