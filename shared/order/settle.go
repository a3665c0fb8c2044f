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

// MoneyBack decides what it means that the money was back as of a version of the charge.
func MoneyBack(o Order, version int) (Order, []saga.Fact) {
	if version <= o.ReturnHeard || !o.Owed(MoneyDebt) {
		return o, nil
	}
	o.ReturnHeard = version
	return back(o, MoneyDebt, saga.OrderMoneyBack)
}

func back(o Order, d Debt, progress saga.Fact) (Order, []saga.Fact) {
	if !o.Owed(d) {
		return o, nil
	}
	if o = o.strike(d); o.Open() {
		return o, []saga.Fact{progress}
	}
	return end(o)
}

// MaxBounces is how often money may go back and not arrive before a person must look.
const MaxBounces = 3

// Reopen decides what it means that money which had gone back did not arrive, as of a version of the charge: it is owed again,
// to an order of which all money was to go back. One that is owed it still takes it down, so that an older message about
// money that was back means nothing any more.
func Reopen(o Order, version int, now time.Time, patience time.Duration) (Order, []saga.Fact) {
	if o.Verdict == Undecided || o.Verdict == Confirmed || version <= o.ReturnHeard {
		return o, nil
	}
	o.ReturnHeard, o.Bounces = version, o.Bounces+1
	if !o.Owed(MoneyDebt) {
		o = o.owe(now, patience, append(slices.Clone(o.Owes), MoneyDebt)...)
	}
	if o.Resolution.Action == WriteOff {
		return bounced(o, MaxBounces, now) // nobody gives it back any more
	}
	return bounced(o, o.Bounces, now)
}

// bounced tells that money came back to the shop for the nth time, and has a person look if that was too often.
func bounced(o Order, times int, now time.Time) (Order, []saga.Fact) {
	if times < MaxBounces || o.Attention != "" {
		return o, []saga.Fact{saga.OrderReopened}
	}
	o, stranded := strand(o, RefundBounced, now)
	return o, append([]saga.Fact{saga.OrderReopened}, stranded...)
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
