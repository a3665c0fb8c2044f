package order

import (
	"slices"
	"time"

	"backroom/shared/saga"
)

// Captured decides what a captured payment means: a confirmed order is paid and settled, and its
// money can be refunded. That holds even if a person wrote the capture off before. Any other order
// does not change.
func Captured(o Order) (Order, []saga.Fact) {
	if o.Outcome != Confirmed || o.Paid {
		return o, nil
	}
	o.Paid = true
	return settle(o.answered(AwaitsCapture))
}

// NotCaptured decides what it means that the payment can no longer be captured: the order needs
// attention. A person can cancel it, retry it or write it off.
func NotCaptured(o Order, now time.Time) (Order, []saga.Fact) {
	if !o.Awaiting(AwaitsCapture) || o.Attention != "" {
		return o, nil
	}
	return needAttention(o, CaptureFailed, now)
}

// StockReleased decides what it means that the stock is back: the order no longer awaits it, and is
// settled if it awaits nothing else.
func StockReleased(o Order) (Order, []saga.Fact) {
	return returned(o, AwaitsStock, saga.OrderStockReleased)
}

// MoneyReturned decides what it means that, at a version of the charge, all money is back: the
// order no longer awaits it, and is settled if it awaits nothing else. A report of a version that
// is not higher than ReturnVersion is out of date and changes nothing.
func MoneyReturned(o Order, version int) (Order, []saga.Fact) {
	if version <= o.ReturnVersion || !o.Awaiting(AwaitsMoney) {
		return o, nil
	}
	o.ReturnVersion = version
	return returned(o, AwaitsMoney, saga.OrderMoneyReturned)
}

func returned(o Order, a Awaited, progress saga.Fact) (Order, []saga.Fact) {
	if !o.Awaiting(a) {
		return o, nil
	}
	if o = o.answered(a); !o.Settled() {
		return o, []saga.Fact{progress}
	}
	return settle(o)
}

// MaxFailedReturns is how often returned money may fail to arrive before a person must look.
const MaxFailedReturns = 3

// Reopen decides what a failed return means: at a version of the charge, money that was reported as
// returned did not arrive. A rejected, expired or canceled order awaits the money again. An order
// that still awaits it records the version, so that a late MoneyReturned of a lower version changes
// nothing. The order needs attention after MaxFailedReturns, or at once if it was written off.
func Reopen(o Order, version int, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	if o.Outcome == Undecided || o.Outcome == Confirmed || version <= o.ReturnVersion {
		return o, nil
	}
	o.ReturnVersion, o.FailedReturns = version, o.FailedReturns+1
	if !o.Awaiting(AwaitsMoney) {
		o = o.await(now, retryDelay, append(slices.Clone(o.Awaits), AwaitsMoney)...)
	}
	if o.Resolution.Action == WriteOff {
		return returnFailed(o, MaxFailedReturns, now) // its charge is abandoned, so a retry would get no answer
	}
	return returnFailed(o, o.FailedReturns, now)
}

// returnFailed records that money failed to arrive for the nth time. The order needs attention from
// MaxFailedReturns times on.
func returnFailed(o Order, times int, now time.Time) (Order, []saga.Fact) {
	if times < MaxFailedReturns || o.Attention != "" {
		return o, []saga.Fact{saga.OrderReopened}
	}
	o, facts := needAttention(o, RefundFailed, now)
	return o, append([]saga.Fact{saga.OrderReopened}, facts...)
}

// settle returns the fact that ends an order, if the order awaits nothing.
func settle(o Order) (Order, []saga.Fact) {
	switch {
	case !o.Settled():
		return o, nil
	case o.Outcome == Canceled:
		return o, []saga.Fact{saga.OrderCanceled}
	}
	return o, []saga.Fact{saga.OrderSettled}
}

// needAttention hands the order to a person. The order does not ask any longer, but it still takes
// the answers that it awaits.
func needAttention(o Order, why string, now time.Time) (Order, []saga.Fact) {
	o.Attention, o.Due = why, due(now, 0)
	return o, []saga.Fact{saga.OrderNeedsAttention}
}
