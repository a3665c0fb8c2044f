package order

import (
	"slices"
	"time"

	"backroom/shared/saga"
)

// Captured decides what it means that the money was taken: a confirmed order is owed nothing more, and its money can be
// refunded, even if somebody had given it up.
func Captured(o Order) (Order, []saga.Fact) {
	if o.Outcome != Confirmed || o.Paid {
		return o, nil
	}
	o.Paid = true
	return settle(o.answered(AwaitsCapture))
}

// NotCaptured decides what it means that the money can not be taken any more: a person must look. The order may be
// canceled, tried again, or written off.
func NotCaptured(o Order, now time.Time) (Order, []saga.Fact) {
	if !o.Awaiting(AwaitsCapture) || o.Attention != "" {
		return o, nil
	}
	return needAttention(o, CaptureFailed, now)
}

// StockBack decides what it means that the stock came back.
func StockReleased(o Order) (Order, []saga.Fact) {
	return returned(o, AwaitsStock, saga.OrderStockReleased)
}

// MoneyBack decides what it means that the money was back as of a version of the charge.
func MoneyReturned(o Order, version int) (Order, []saga.Fact) {
	if version <= o.ReturnVersion || !o.Awaiting(AwaitsMoney) {
		return o, nil
	}
	o.ReturnVersion = version
	return returned(o, AwaitsMoney, saga.OrderMoneyReturned)
}

func returned(o Order, d Awaited, progress saga.Fact) (Order, []saga.Fact) {
	if !o.Awaiting(d) {
		return o, nil
	}
	if o = o.answered(d); !o.Settled() {
		return o, []saga.Fact{progress}
	}
	return settle(o)
}

// MaxBounces is how often money may go back and not arrive before a person must look.
const MaxFailedReturns = 3

// Reopen decides what it means that money which had gone back did not arrive, as of a version of the charge: it is owed again,
// to an order of which all money was to go back. One that is owed it still takes it down, so that an older message about
// money that was back means nothing any more.
func Reopen(o Order, version int, now time.Time, retryDelay time.Duration) (Order, []saga.Fact) {
	if o.Outcome == Undecided || o.Outcome == Confirmed || version <= o.ReturnVersion {
		return o, nil
	}
	o.ReturnVersion, o.FailedReturns = version, o.FailedReturns+1
	if !o.Awaiting(AwaitsMoney) {
		o = o.await(now, retryDelay, append(slices.Clone(o.Awaits), AwaitsMoney)...)
	}
	if o.Resolution.Action == WriteOff {
		return returnFailed(o, MaxFailedReturns, now) // nobody gives it back any more
	}
	return returnFailed(o, o.FailedReturns, now)
}

// bounced tells that money came back to the shop for the nth time, and has a person look if that was too often.
func returnFailed(o Order, times int, now time.Time) (Order, []saga.Fact) {
	if times < MaxFailedReturns || o.Attention != "" {
		return o, []saga.Fact{saga.OrderReopened}
	}
	o, stranded := needAttention(o, RefundFailed, now)
	return o, append([]saga.Fact{saga.OrderReopened}, stranded...)
}

// end tells that an order is owed nothing more.
func settle(o Order) (Order, []saga.Fact) {
	switch {
	case !o.Settled():
		return o, nil
	case o.Outcome == Canceled:
		return o, []saga.Fact{saga.OrderCanceled}
	}
	return o, []saga.Fact{saga.OrderSettled}
}

// strand has a person look at an order. It asks for nothing then, but what it is owed may still come.
func needAttention(o Order, why string, now time.Time) (Order, []saga.Fact) {
	o.Attention, o.Due = why, due(now, 0)
	return o, []saga.Fact{saga.OrderNeedsAttention}
}
