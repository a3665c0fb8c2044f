package order

import (
	"slices"
	"time"

	"backroom/shared/saga"
)

// Captured decides what it means that the money was taken: a confirmed order is owed nothing more, and its money can be
// refunded, even if somebody had given it up.
func Captured(o Order) (Order, []saga.Fact) {
	if o.Verdict != Confirmed || o.Paid {
		return o, nil
	}
	o.Paid = true
	return end(o.strike(CaptureDebt))
}

// NotCaptured decides what it means that the money can not be taken any more: a person must look. The order may be
// cancelled, tried again, or written off.
func NotCaptured(o Order, now time.Time) (Order, []saga.Fact) {
	if !o.Owed(CaptureDebt) || o.Attention != "" {
		return o, nil
	}
	return strand(o, CaptureFailed, now)
}

// StockBack decides what it means that the stock came back.
func StockBack(o Order) (Order, []saga.Fact) { return back(o, StockDebt, saga.OrderStockBack) }

// MoneyBack decides what it means that the money came back.
func MoneyBack(o Order) (Order, []saga.Fact) { return back(o, MoneyDebt, saga.OrderMoneyBack) }

func back(o Order, d Debt, progress saga.Fact) (Order, []saga.Fact) {
	if !o.Owed(d) {
		return o, nil
	}
	if o = o.strike(d); o.Open() {
		return o, []saga.Fact{progress}
	}
	return end(o)
}

// Reopen decides what it means that money which had gone back did not arrive: it is owed again, to an order of which all
// money was to go back.
func Reopen(o Order, now time.Time, patience time.Duration) (Order, []saga.Fact) {
	if o.Verdict == Undecided || o.Verdict == Confirmed || o.Owed(MoneyDebt) {
		return o, nil
	}
	return o.owe(now, patience, append(slices.Clone(o.Owes), MoneyDebt)...), []saga.Fact{saga.OrderReopened}
}

// end tells that an order is owed nothing more.
func end(o Order) (Order, []saga.Fact) {
	switch {
	case o.Open():
		return o, nil
	case o.Verdict == Cancelled:
		return o, []saga.Fact{saga.OrderCancelled}
	}
	return o, []saga.Fact{saga.OrderClosed}
}

// strand has a person look at an order. It asks for nothing then, but what it is owed may still come.
func strand(o Order, why string, now time.Time) (Order, []saga.Fact) {
	o.Attention, o.Due = why, due(now, 0)
	return o, []saga.Fact{saga.OrderStranded}
}
