package order_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/order"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

func TestStatus_FollowsFromOutcomeAndAwaits(t *testing.T) {
	for _, s := range ordertest.Statuses {
		assert.Equal(t, s, ordertest.Given(s).Status())
	}
	rejected := ordertest.Given(order.StatusRejected)
	rejected.Awaits = []order.Awaited{order.AwaitsMoney}
	assert.Equal(t, order.StatusRejected, rejected.Status(), "while the money is not back")
	rejected.Awaits = nil
	assert.Equal(t, order.StatusRejected, rejected.Status(), "once all is back")
	refunding := ordertest.Given(order.StatusPaid)
	refunding.Awaits = []order.Awaited{order.AwaitsRefund}
	assert.Equal(t, order.StatusPaid, refunding.Status(), "an awaited refund leaves the status as it is")
	refunding.Attention = order.RefundFailed
	assert.Equal(
		t, order.StatusPaid, refunding.Status(),
		"a failed refund leaves the status as it is; attention shows beside it",
	)
	unpaid := ordertest.Given(order.StatusConfirmed)
	unpaid.Awaits = nil
	assert.Equal(t, order.StatusConfirmed, unpaid.Status(), "an order whose capture was written off is not paid")
}

func TestConfirm_KeepsADueTimeThatIsNearEnough(t *testing.T) {
	for sentence, c := range map[string]struct{ due, want time.Duration }{
		"due in one retry delay":       {ordertest.RetryDelay, ordertest.RetryDelay},
		"due in half a retry delay":    {ordertest.RetryDelay / 2, ordertest.RetryDelay / 2},
		"due in less than half of one": {ordertest.RetryDelay/2 - time.Millisecond, ordertest.RetryDelay},
		"overdue":                      {-time.Hour, ordertest.RetryDelay},
		"due a moment later than one":  {ordertest.RetryDelay + time.Millisecond, ordertest.RetryDelay},
		"due in an hour":               {time.Hour, ordertest.RetryDelay},
	} {
		t.Run(sentence, func(t *testing.T) {
			o := ordertest.Given(order.StatusPlaced)
			o.Due, o.Retries = ordertest.Later.Add(c.due), 3
			o, facts := ordertest.Confirm(o)
			assert.Equal(t, []saga.Fact{saga.OrderConfirmed}, facts)
			assert.Equal(t, c.want, o.Due.Sub(ordertest.Later))
			assert.Zero(t, o.Retries)
		})
	}
}

func TestDecisions_ByStatus(t *testing.T) {
	type is = order.Status
	for sentence, c := range map[string]struct {
		given  is
		decide ordertest.Decision
		status is
		facts  []saga.Fact
	}{
		"a placed order whose payment is authorized is confirmed": {
			order.StatusPlaced, ordertest.Confirm, order.StatusConfirmed, []saga.Fact{saga.OrderConfirmed},
		},
		"a placed order without stock is rejected": {
			order.StatusPlaced, ordertest.Short, order.StatusRejected, []saga.Fact{saga.OrderRejected},
		},
		"a placed order whose payment is declined is rejected": {
			order.StatusPlaced, ordertest.Decline, order.StatusRejected, []saga.Fact{saga.OrderRejected},
		},
		"a placed order can be canceled": {
			order.StatusPlaced, ordertest.Cancel, order.StatusCanceling, []saga.Fact{saga.OrderCanceling},
		},
		"a confirmed order stays confirmed": {
			order.StatusConfirmed, ordertest.Confirm, order.StatusConfirmed, nil,
		},
		"a confirmed order is no longer rejected": {
			order.StatusConfirmed, ordertest.Decline, order.StatusConfirmed, nil,
		},
		"a confirmed order whose payment is captured is paid": {
			order.StatusConfirmed, ordertest.Captured, order.StatusPaid, []saga.Fact{saga.OrderSettled},
		},
		"a confirmed order whose capture failed needs attention": {
			order.StatusConfirmed, ordertest.NotCaptured, order.StatusNeedsAttention,
			[]saga.Fact{saga.OrderNeedsAttention},
		},
		"a confirmed order can be canceled": {
			order.StatusConfirmed, ordertest.Cancel, order.StatusCanceling, []saga.Fact{saga.OrderCanceling},
		},
		"a confirmed order does not await its money back": {
			order.StatusConfirmed, ordertest.MoneyBack, order.StatusConfirmed, nil,
		},
		"a rejected order is no longer confirmed": {
			order.StatusRejected, ordertest.Confirm, order.StatusRejected, nil,
		},
		"a rejected order keeps its first reason": {
			order.StatusRejected, ordertest.Short, order.StatusRejected, nil,
		},
		"a rejected order that has its stock back waits for its money": {
			order.StatusRejected, ordertest.StockBack, order.StatusRejected, []saga.Fact{saga.OrderStockReleased},
		},
		"an expired order is no longer confirmed": {
			order.StatusExpired, ordertest.Confirm, order.StatusExpired, nil,
		},
		"an expired order that has its money back waits for its stock": {
			order.StatusExpired, ordertest.MoneyBack, order.StatusExpired, []saga.Fact{saga.OrderMoneyReturned},
		},
		"a canceled order is no longer confirmed": {
			order.StatusCanceling, ordertest.Confirm, order.StatusCanceling, nil,
		},
		"a canceled order whose payment was captured meanwhile stays canceled": {
			order.StatusCanceling, ordertest.Captured, order.StatusCanceling, nil,
		},
		"a canceled order ignores a failed capture": {
			order.StatusCanceling, ordertest.NotCaptured, order.StatusCanceling, nil,
		},
		"an order is canceled once": {
			order.StatusCanceling, ordertest.Cancel, order.StatusCanceling, nil,
		},
		"a canceled order awaits money again that did not arrive": {
			order.StatusCanceled, ordertest.Reopen, order.StatusCanceling, []saga.Fact{saga.OrderReopened},
		},
		"an order that still awaits its money records a failed return": {
			order.StatusCanceling, ordertest.Reopen, order.StatusCanceling, []saga.Fact{saga.OrderReopened},
		},
		"a paid order does not await its money back": {
			order.StatusPaid, ordertest.Reopen, order.StatusPaid, nil,
		},
		"a paid order stays paid": {
			order.StatusPaid, ordertest.Captured, order.StatusPaid, nil,
		},
		"a paid order ignores a failed capture": {
			order.StatusPaid, ordertest.NotCaptured, order.StatusPaid, nil,
		},
		"an order that needs attention accepts a late answer": {
			order.StatusNeedsAttention, ordertest.Captured, order.StatusPaid, []saga.Fact{saga.OrderSettled},
		},
		"an order that needs attention is marked only once": {
			order.StatusNeedsAttention, ordertest.NotCaptured, order.StatusNeedsAttention, nil,
		},
		"an order that needs attention can be canceled": {
			order.StatusNeedsAttention, ordertest.Cancel, order.StatusCanceling, []saga.Fact{saga.OrderCanceling},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			before := ordertest.Given(c.given)
			o, facts := c.decide(before)
			assert.Equal(t, c.facts, facts)
			assert.Equal(t, c.status, o.Status())
			if facts == nil {
				assert.Equal(t, before, o)
			}
			checkInvariants(t, o)
			again, more := c.decide(o)
			assert.Empty(t, more, "a repeated decision changes nothing")
			assert.Equal(t, o, again)
		})
	}
}

// checkInvariants checks what holds for every order.
func checkInvariants(t require.TestingT, o order.Order) {
	require.Equal(t, o.Settled(), o.Due.IsZero(), "an order is due exactly while it awaits something")
	require.False(t, o.Attention != "" && o.Settled(), "a settled order does not need attention")
	require.Equal(
		t, o.Outcome == order.Undecided, o.Awaiting(order.AwaitsOutcome),
		"an order awaits its outcome exactly while it is undecided",
	)
	require.GreaterOrEqual(t, o.Refundable().Amount, int64(0))
}

func TestReturns_TheLastOneSettlesTheOrder(t *testing.T) {
	for _, c := range []struct {
		given, end order.Status
		fact       saga.Fact
	}{
		{order.StatusRejected, order.StatusRejected, saga.OrderSettled}, {
			order.StatusExpired, order.StatusExpired, saga.OrderSettled,
		},
		{order.StatusCanceling, order.StatusCanceled, saga.OrderCanceled},
	} {
		for _, both := range [][2]ordertest.Decision{
			{ordertest.StockBack, ordertest.MoneyBack}, {ordertest.MoneyBack, ordertest.StockBack},
		} {
			o, _ := both[0](ordertest.Given(c.given))
			checkInvariants(t, o)
			o, facts := both[1](o)
			assert.Equal(t, []saga.Fact{c.fact}, facts)
			assert.Equal(t, c.end, o.Status())
			assert.True(t, o.Settled())
			checkInvariants(t, o)
		}
	}
}

// Reports of returned money and of failed returns come in any order, and again after days.
func TestReturnReports_HigherChargeVersionWins(t *testing.T) {
	o, facts := order.Reopen(ordertest.Given(order.StatusCanceling), 6, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts)
	assert.Equal(t, ordertest.Given(order.StatusCanceling).Due, o.Due, "the due time does not change")
	again, facts := order.MoneyReturned(o, 5)
	assert.Empty(t, facts, "the report is older than the failed return")
	assert.Equal(t, o, again)

	o, facts = order.MoneyReturned(o, 7)
	assert.Equal(t, []saga.Fact{saga.OrderMoneyReturned}, facts)
	o, _ = ordertest.StockBack(o)
	o, facts = order.Reopen(o, 8, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts)
	for _, old := range []int{5, 6, 7, 8} {
		_, facts = order.MoneyReturned(o, old)
		assert.Empty(t, facts, old)
		_, facts = order.Reopen(o, old, ordertest.Later, ordertest.RetryDelay)
		assert.Empty(t, facts, old)
	}
	assert.True(t, o.Awaiting(order.AwaitsMoney))
}

func TestReopen_NeedsAttentionAfterMaxFailedReturns(t *testing.T) {
	o, version := ordertest.Given(order.StatusCanceled), 10
	for times := 1; times <= order.MaxFailedReturns; times++ {
		version += 2
		var facts []saga.Fact
		o, facts = order.Reopen(o, version, ordertest.Later, ordertest.RetryDelay)
		if times < order.MaxFailedReturns {
			assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts)
			o, _ = order.MoneyReturned(o, version+1)
			continue
		}
		assert.Equal(t, []saga.Fact{saga.OrderReopened, saga.OrderNeedsAttention}, facts)
	}
	assert.Equal(t, order.RefundFailed, o.Attention)
	checkInvariants(t, o)
	o, facts, err := order.Resolve(
		o, order.Resolution{ID: "res_1", Action: order.Retry}, ordertest.Later, ordertest.RetryDelay,
	)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderRetried, saga.ReturnDue}, facts)
	_, facts = order.Reopen(o, version+2, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts, "after a retry the failed returns are counted from zero")

	o, _, err = order.Refund(
		ordertest.Given(order.StatusPaid), order.RefundNote{ID: "rfn_1"}, 100, ordertest.Later,
		ordertest.RetryDelay,
	)
	require.NoError(t, err)
	for times := 1; times <= order.MaxFailedReturns; times++ {
		o, facts = order.ApplyRefunds(
			o, []saga.Refund{{ID: "rfn_1", Amount: 100, Try: times, Status: saga.RefundStatusFailed}},
			ordertest.Later, ordertest.RetryDelay,
		)
	}
	assert.Equal(t, []saga.Fact{saga.OrderReopened, saga.OrderNeedsAttention}, facts)
	assert.Equal(t, order.RefundFailed, o.Attention)
	checkInvariants(t, o)
}

func TestCancel_RefusesADecidedOrder(t *testing.T) {
	for _, s := range []order.Status{order.StatusRejected, order.StatusExpired, order.StatusPaid} {
		_, facts, err := order.Cancel(ordertest.Given(s), "changed my mind", ordertest.Later, ordertest.RetryDelay)
		assert.ErrorIs(t, err, order.ErrTooLateToCancel, s)
		assert.Empty(t, facts)
	}
	o, _, err := order.Cancel(
		ordertest.Given(order.StatusPlaced), "changed my mind", ordertest.Later, ordertest.RetryDelay,
	)
	require.NoError(t, err)
	assert.Equal(t, "changed my mind", o.Reason)
	assert.Equal(t, ordertest.Later.Add(ordertest.RetryDelay), o.Due)
}

func TestOverdue_AsksForWhatTheOrderAwaits(t *testing.T) {
	hour := ordertest.Noon.Add(time.Hour)
	retried := func(s order.Status, times int) order.Order {
		o := ordertest.Given(s)
		o.Due, o.Retries, o.ExpiresAt = ordertest.Noon.Add(ordertest.RetryDelay), times,
			ordertest.Noon.Add(24*time.Hour)
		return o
	}
	both := []saga.Fact{saga.ReserveDue, saga.PaymentCheckDue}
	back := []saga.Fact{saga.ReturnDue, saga.ReleaseDue}
	awaitsStock := retried(order.StatusCanceling, 0)
	awaitsStock.Awaits = []order.Awaited{order.AwaitsStock}
	refunding := retried(order.StatusPaid, 0)
	refunding.Awaits = []order.Awaited{order.AwaitsRefund}
	for sentence, c := range map[string]struct {
		given order.Order
		due   time.Time
		facts []saga.Fact
		next  time.Duration // from the decision until it is due again; 0: it is as it was
	}{
		"an undecided order asks for stock and payment": {
			retried(order.StatusPlaced, 0), ordertest.Noon.Add(ordertest.RetryDelay), both, 4 * time.Minute,
		},
		"the second retry doubles the delay": {
			retried(order.StatusPlaced, 1), ordertest.Noon.Add(ordertest.RetryDelay), both, 8 * time.Minute,
		},
		"the third retry doubles the delay": {
			retried(order.StatusPlaced, 2), ordertest.Noon.Add(ordertest.RetryDelay), both, 16 * time.Minute,
		},
		"the delay is at most an hour": {
			retried(order.StatusPlaced, 10), ordertest.Noon.Add(ordertest.RetryDelay), both, time.Hour,
		},
		"a confirmed order asks for its capture": {
			retried(order.StatusConfirmed, 0), ordertest.Noon.Add(ordertest.RetryDelay),
			[]saga.Fact{saga.CaptureDue}, 4 * time.Minute,
		},
		"a rejected order asks for stock and money": {
			retried(order.StatusRejected, 0), ordertest.Noon.Add(ordertest.RetryDelay), back, 4 * time.Minute,
		},
		"a canceled order with its money back asks for its stock only": {
			awaitsStock, ordertest.Noon.Add(ordertest.RetryDelay), []saga.Fact{saga.ReleaseDue}, 4 * time.Minute,
		},
		"a paid order asks for its refunds": {
			refunding, ordertest.Noon.Add(ordertest.RetryDelay), []saga.Fact{saga.RefundDue}, 4 * time.Minute,
		},
		"the last retry": {
			retried(order.StatusConfirmed, order.MaxRetries-1), ordertest.Noon.Add(ordertest.RetryDelay),
			[]saga.Fact{saga.CaptureDue}, time.Hour,
		},
		"another due time than the order's changes nothing": {
			retried(order.StatusPlaced, 0), ordertest.Noon.Add(ordertest.RetryDelay - time.Millisecond), nil, 0,
		},
		"a settled order does not change": {
			ordertest.Given(order.StatusPaid), time.Time{}, nil, 0,
		},
		"an order that needs attention does not change": {
			ordertest.Given(order.StatusNeedsAttention), ordertest.Noon.Add(time.Hour), nil, 0,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			o, facts := order.Overdue(c.given, c.due, hour, ordertest.RetryDelay)
			assert.Equal(t, c.facts, facts)
			if c.next == 0 {
				assert.Equal(t, c.given, o)
				return
			}
			assert.Equal(t, hour.Add(c.next), o.Due)
			assert.Equal(t, c.given.Retries+1, o.Retries)
			assert.Equal(t, c.given.Status(), o.Status())
			again, more := order.Overdue(o, c.due, hour, ordertest.RetryDelay)
			assert.Empty(t, more, "the same message again changes nothing")
			assert.Equal(t, o, again)
		})
	}
}

func TestOverdue_ExpiresAnUndecidedOrderWhenItsPaymentWindowEnds(t *testing.T) {
	o, retries := ordertest.Given(order.StatusPlaced), 0
	var at []time.Duration
	for o.Outcome == order.Undecided {
		now := o.Due.Add(time.Second)
		at = append(at, o.Due.Sub(ordertest.Noon))
		var facts []saga.Fact
		if o, facts = order.Overdue(o, o.Due, now, ordertest.RetryDelay); facts[0] == saga.ReserveDue {
			retries++
			continue
		}
		assert.Equal(t, []saga.Fact{saga.OrderExpired}, facts)
		assert.Equal(t, now.Add(ordertest.RetryDelay), o.Due)
	}
	assert.Equal(t, 3, retries, "%v", at)
	assert.Equal(t, ordertest.Window, at[len(at)-1], "neither earlier nor as late as the retry delay would be: %v", at)
	assert.Equal(t, order.StatusExpired, o.Status())
	assert.Equal(t, []order.Awaited{order.AwaitsMoney, order.AwaitsStock}, o.Awaits)

	late, facts := order.Overdue(
		ordertest.Given(order.StatusPlaced), ordertest.Noon.Add(ordertest.RetryDelay),
		ordertest.Noon.Add(24*time.Hour), ordertest.RetryDelay,
	)
	assert.Equal(
		t, []saga.Fact{saga.ReserveDue, saga.PaymentCheckDue}, facts,
		"an undecided order asks once before it expires, however late it is found",
	)
	assert.Equal(t, ordertest.Noon.Add(24*time.Hour).Add(2*ordertest.RetryDelay), late.Due)
}

// The job that finds an overdue order and the step that handles it run on two machines.
func TestOverdue_WorksWithAClockThatIsBehind(t *testing.T) {
	behind := func(o order.Order) (order.Order, []saga.Fact) {
		return order.Overdue(o, o.Due, o.Due.Add(-time.Second), ordertest.RetryDelay)
	}
	o := ordertest.Given(order.StatusPlaced)
	for o.Outcome == order.Undecided {
		before := o.Due
		o, _ = behind(o)
		require.True(t, o.Due.After(before), "the next message has another due time")
	}
	assert.Equal(t, order.StatusExpired, o.Status())
}

func TestOverdue_LimitsALongRetryDelay(t *testing.T) {
	for _, retryDelay := range []time.Duration{time.Hour, 24 * time.Hour, 1000 * time.Hour} {
		o := ordertest.Given(order.StatusConfirmed)
		for range order.MaxRetries {
			now := o.Due
			o, _ = order.Overdue(o, now, now, retryDelay)
			assert.Equal(t, now.Add(time.Hour), o.Due, retryDelay)
		}
	}
}

// unanswered returns an order after MaxRetries retries that got no answer.
func unanswered(t *testing.T, o order.Order) order.Order {
	t.Helper()
	for range order.MaxRetries {
		var facts []saga.Fact
		o, facts = order.Overdue(o, o.Due, o.Due, ordertest.RetryDelay)
		require.NotContains(t, facts, saga.OrderNeedsAttention)
	}
	now := o.Due.Add(123456 * time.Nanosecond)
	o, facts := order.Overdue(o, o.Due, now, ordertest.RetryDelay)
	require.Equal(t, []saga.Fact{saga.OrderNeedsAttention}, facts)
	assert.Equal(t, now.Truncate(time.Millisecond), o.Due, "lists sort by it, the longest waiting first")
	return o
}

func TestOverdue_NeedsAttentionAfterMaxRetries(t *testing.T) {
	for _, s := range []order.Status{
		order.StatusConfirmed, order.StatusRejected, order.StatusExpired, order.StatusCanceling,
	} {
		o := unanswered(t, ordertest.Given(s))
		assert.Equal(t, [2]string{"needs_attention", order.NoAnswer}, [2]string{string(o.Status()), o.Attention})
		assert.Equal(t, ordertest.Given(s).Awaits, o.Awaits, "it still awaits the same")
		_, facts := order.Overdue(o, o.Due, o.Due.Add(time.Hour), ordertest.RetryDelay)
		assert.Empty(t, facts, "it does not ask any longer")
		checkInvariants(t, o)
	}
	o, facts := ordertest.StockBack(unanswered(t, ordertest.Given(order.StatusCanceling)))
	assert.Equal(t, []saga.Fact{saga.OrderStockReleased}, facts, "a late answer counts")
	o, facts = ordertest.MoneyBack(o)
	assert.Equal(t, []saga.Fact{saga.OrderCanceled}, facts)
	assert.Equal(t, order.StatusCanceled, o.Status())
}

func TestResolve_RetriesOrWritesOff(t *testing.T) {
	retry := order.Resolution{
		ID: "res_1", Action: order.Retry, Reason: "the provider is back", By: "carl", At: ordertest.Later,
	}
	writeOff := order.Resolution{
		ID: "res_2", Action: order.WriteOff, Reason: "it is too little", By: "carl", At: ordertest.Later,
	}

	o, facts, err := order.Resolve(
		unanswered(t, ordertest.Given(order.StatusCanceling)), retry, ordertest.Later, ordertest.RetryDelay,
	)
	require.NoError(t, err)
	assert.Equal(
		t, []saga.Fact{saga.OrderRetried, saga.ReturnDue, saga.ReleaseDue}, facts,
		"it asks at once for all that it awaits",
	)
	assert.Equal(
		t, []any{order.StatusCanceling, 0, ordertest.Later.Add(ordertest.RetryDelay), retry},
		[]any{o.Status(), o.Retries, o.Due, o.Resolution},
	)
	again, facts, err := order.Resolve(o, retry, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Empty(t, facts, "the same resolution again changes nothing")
	assert.Equal(t, o, again)
	_, _, err = order.Resolve(o, writeOff, ordertest.Later, ordertest.RetryDelay)
	require.ErrorIs(t, err, order.ErrNoAttentionNeeded)

	for s, end := range map[order.Status]order.Status{
		order.StatusConfirmed: order.StatusConfirmed, order.StatusExpired: order.StatusExpired,
		order.StatusCanceling: order.StatusCanceled,
	} {
		o, facts, err := order.Resolve(
			unanswered(t, ordertest.Given(s)), writeOff, ordertest.Later, ordertest.RetryDelay,
		)
		require.NoError(t, err)
		assert.Equal(
			t, []saga.Fact{saga.OrderWrittenOff, saga.PaymentWrittenOff}, facts,
			"no step may capture or return the money any longer",
		)
		assert.Equal(t, end, o.Status())
		assert.True(t, o.Settled())
		assert.Zero(t, o.Refundable().Amount, "money that was not captured cannot be refunded")
		checkInvariants(t, o)
	}

	o, _ = ordertest.MoneyBack(ordertest.Given(order.StatusCanceling))
	_, facts, err = order.Resolve(unanswered(t, o), writeOff, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Equal(
		t, []saga.Fact{saga.OrderWrittenOff, saga.OrderCanceled}, facts,
		"the customer has the money and gets the mail",
	)
}

func TestReopen_NeedsAttentionAtOnceAfterAWriteOff(t *testing.T) {
	o, _ := ordertest.MoneyBack(ordertest.Given(order.StatusCanceling))
	o, _, err := order.Resolve(
		unanswered(t, o), order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later,
		ordertest.RetryDelay,
	)
	require.NoError(t, err)
	o, facts := order.Reopen(o, o.ReturnVersion+1, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderReopened, saga.OrderNeedsAttention}, facts, "no step would answer a retry")
	assert.Equal(t, []any{order.StatusNeedsAttention, order.RefundFailed}, []any{o.Status(), o.Attention})
	checkInvariants(t, o)
}

func TestRefund_FromRequestToArrival(t *testing.T) {
	request := func(o order.Order, id string, amount int64) (order.Order, []saga.Fact, error) {
		return order.Refund(
			o, order.RefundNote{ID: id, Reason: "broken", By: "carl", At: ordertest.Later}, amount, ordertest.Later,
			ordertest.RetryDelay,
		)
	}
	for _, s := range ordertest.Statuses {
		if s != order.StatusPaid {
			_, _, err := request(ordertest.Given(s), "rfn_1", 1)
			assert.ErrorIs(t, err, order.ErrNotRefundable, s)
		}
	}
	paid := ordertest.Given(order.StatusPaid)
	_, _, err := request(paid, "rfn_1", 1001)
	require.ErrorIs(t, err, order.ErrRefundTooLarge)

	kuwaiti := paid
	kuwaiti.Total = money.Money{Amount: 10_000, Currency: "KWD"}
	_, _, err = request(kuwaiti, "rfn_1", 1125)
	require.ErrorIs(t, err, payable.ErrUnpayable, "cards do not move thousandths")
	kuwaiti, _, err = request(kuwaiti, "rfn_1", 1120)
	require.NoError(t, err)
	_, _, err = request(kuwaiti, "rfn_2", 0)
	require.NoError(t, err, "what is left can be refunded")
	bulgarian := paid
	bulgarian.Total.Currency = "BGN"
	_, _, err = request(bulgarian, "rfn_1", 300)
	require.NoError(t, err, "an order of the time before the euro")

	o, facts, err := request(paid, "rfn_1", 300)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderRefunding}, facts)
	assert.Equal(
		t, []any{ordertest.Euro(700), order.StatusPaid, ordertest.Later.Add(ordertest.RetryDelay)},
		[]any{o.Refundable(), o.Status(), o.Due},
	)
	checkInvariants(t, o)
	o, _, err = request(o, "rfn_2", 0)
	require.NoError(t, err)
	assert.Equal(
		t, []any{int64(700), ordertest.Euro(0)}, []any{o.Refunds[1].Amount, o.Refundable()},
		"amount 0 is all that is left",
	)
	_, _, err = request(o, "rfn_3", 0)
	require.ErrorIs(t, err, order.ErrRefundTooLarge)

	report := func(o order.Order, statuses ...saga.RefundStatus) (order.Order, []saga.Fact) {
		var list []saga.Refund
		for i, s := range statuses {
			list = append(list, saga.Refund{ID: o.Refunds[i].ID, Amount: o.Refunds[i].Amount, Try: 1, Status: s})
		}
		return order.ApplyRefunds(o, list, ordertest.Later, ordertest.RetryDelay)
	}
	o, facts = report(o, saga.RefundStatusSucceeded, saga.RefundStatusPending)
	assert.Equal(t, []saga.Fact{saga.OrderRefunded}, facts)
	assert.True(t, o.Awaiting(order.AwaitsRefund), "the other refund is still awaited")
	_, facts = report(o, saga.RefundStatusSucceeded, saga.RefundStatusPending)
	assert.Empty(t, facts, "the customer is notified once")
	o, facts = report(o, saga.RefundStatusSucceeded, saga.RefundStatusSucceeded)
	assert.Equal(t, []saga.Fact{saga.OrderRefunded}, facts)
	assert.True(t, o.Settled())
	checkInvariants(t, o)

	o, facts = report(o, saga.RefundStatusSucceeded, saga.RefundStatusFailed)
	assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts, "the bank may send it back days later")
	assert.Equal(t, saga.Refund{ID: "rfn_2", Amount: 700, Try: 2, Status: saga.RefundStatusRequested}, o.Refunds[1])
	checkInvariants(t, o)
	_, facts = report(o, saga.RefundStatusSucceeded, saga.RefundStatusFailed)
	assert.Empty(t, facts, "a report of an earlier try changes nothing")
	o, facts, err = order.Resolve(
		unanswered(t, o), order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later,
		ordertest.RetryDelay,
	)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderWrittenOff, saga.RefundsWrittenOff}, facts)
	assert.Equal(
		t, []any{ordertest.Euro(700), saga.RefundStatusFailed}, []any{o.Refundable(), o.Refunds[1].Status},
		"a refund that was written off can be requested again",
	)
}

func TestApplyRefunds_ARefusedRefundHoldsNoAmountAndIsNotTriedAgain(t *testing.T) {
	o, _, err := order.Refund(
		ordertest.Given(order.StatusPaid), order.RefundNote{ID: "rfn_1"}, 800, ordertest.Later, ordertest.RetryDelay,
	)
	require.NoError(t, err)
	refused := []saga.Refund{{ID: "rfn_1", Amount: 800, Try: 1, Status: saga.RefundStatusRefused}}
	o, facts := order.ApplyRefunds(o, refused, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderRefundRefused}, facts)
	assert.Equal(t, []any{true, "", ordertest.Euro(1000)}, []any{o.Settled(), o.Attention, o.Refundable()})
	checkInvariants(t, o)
	_, facts = order.ApplyRefunds(o, refused, ordertest.Later, ordertest.RetryDelay)
	assert.Empty(t, facts, "a repeated report changes nothing")
	o, facts = order.AdoptExternal(o, 5, saga.External{Refunded: 400})
	assert.Equal(t, []saga.Fact{saga.OrderExternalMoney}, facts)
	assert.Equal(t, ordertest.Euro(600), o.Refundable())
	_, _, err = order.Refund(o, order.RefundNote{ID: "rfn_2"}, 601, ordertest.Later, ordertest.RetryDelay)
	require.ErrorIs(t, err, order.ErrRefundTooLarge)
}

// Reports arrive in any order. Those of a won dispute and of an opened one contradict each other.
func TestAdoptExternal_HigherChargeVersionWins(t *testing.T) {
	o, _ := order.AdoptExternal(ordertest.Given(order.StatusPaid), 7, saga.External{})
	o, facts := order.AdoptExternal(o, 6, saga.External{Disputed: 1000})
	assert.Empty(t, facts, "the dispute was won since")
	assert.Equal(t, ordertest.Euro(1000), o.Refundable())
	o, _ = order.AdoptExternal(o, 8, saga.External{Refunded: 700, Disputed: 1000})
	assert.Equal(t, ordertest.Euro(0), o.Refundable(), "a bank can take what was refunded")
	checkInvariants(t, o)
}

// The charge reports all of its refunds each time, including those that were written off.
func TestApplyRefunds_LeavesAWrittenOffRefundFailed(t *testing.T) {
	request := func(o order.Order, id string, amount int64) order.Order {
		o, _, err := order.Refund(o, order.RefundNote{ID: id}, amount, ordertest.Later, ordertest.RetryDelay)
		require.NoError(t, err)
		return o
	}
	first := request(ordertest.Given(order.StatusPaid), "rfn_1", 700)
	first, facts := order.ApplyRefunds(
		first, []saga.Refund{{ID: "rfn_1", Amount: 700, Try: 1, Status: saga.RefundStatusFailed}}, ordertest.Later,
		ordertest.RetryDelay,
	)
	require.Equal(t, []saga.Fact{saga.OrderReopened}, facts)
	writtenOff, _, err := order.Resolve(
		unanswered(t, first), order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later,
		ordertest.RetryDelay,
	)
	require.NoError(t, err)

	o := request(writtenOff, "rfn_2", 700)
	o, facts = order.ApplyRefunds(
		o,
		[]saga.Refund{
			{ID: "rfn_1", Amount: 700, Try: 2, Status: saga.RefundStatusFailed},
			{ID: "rfn_2", Amount: 700, Try: 1, Status: saga.RefundStatusSucceeded},
		},
		ordertest.Later, ordertest.RetryDelay,
	)
	assert.Equal(t, []saga.Fact{saga.OrderRefunded}, facts)
	assert.Equal(t, []any{true, ordertest.Euro(300)}, []any{o.Settled(), o.Refundable()})
	checkInvariants(t, o)
}

func TestCaptured_AfterAWriteOffTheMoneyCanBeRefunded(t *testing.T) {
	o, _, err := order.Resolve(
		unanswered(t, ordertest.Given(order.StatusConfirmed)),
		order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later, ordertest.RetryDelay,
	)
	require.NoError(t, err)
	o, facts := ordertest.Captured(o)
	assert.Equal(t, []saga.Fact{saga.OrderSettled}, facts)
	assert.Equal(t, ordertest.Euro(1000), o.Refundable())
}

func TestRefund_RefusesMoreThanMaxRefunds(t *testing.T) {
	o := ordertest.Given(order.StatusPaid)
	for i := range order.MaxRefunds {
		var err error
		o, _, err = order.Refund(o, order.RefundNote{ID: fmt.Sprint(i)}, 1, ordertest.Later, ordertest.RetryDelay)
		require.NoError(t, err)
	}
	_, _, err := order.Refund(o, order.RefundNote{ID: "one more"}, 1, ordertest.Later, ordertest.RetryDelay)
	require.ErrorIs(t, err, order.ErrTooManyRefunds)
}

func TestErase_RemovesPersonalData(t *testing.T) {
	o := ordertest.Given(order.StatusCanceled)
	o.Reason, o.RefundNotes = "my daughter Anna moved", []order.RefundNote{
		{ID: "rfn_1", Reason: "Anna called", By: "carl"},
	}
	o.History.Entries = []saga.Entry{{Cause: saga.Cause{Actor: "anna"}}, {Cause: saga.Cause{Actor: "reserve-stock"}}}
	before := fmt.Sprint(o)
	erased, facts, err := order.Erase(o)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderErased}, facts)
	assert.NotRegexp(t, "(?i)anna|pm_card", fmt.Sprint(erased))
	assert.Equal(t, o.Total, erased.Total)
	assert.Equal(t, before, fmt.Sprint(o), "the order that was passed in does not change")
	_, facts, err = order.Erase(erased)
	require.NoError(t, err)
	assert.Empty(t, facts)
	for _, s := range ordertest.Statuses {
		if _, _, err := order.Erase(ordertest.Given(s)); !ordertest.Given(s).Settled() {
			assert.ErrorIs(t, err, order.ErrNotSettled, s)
		}
	}
}

// After any events in any sequence the invariants hold and the outcome was set once. Once all that
// the order awaits has come, the order is settled.
func TestOrder_InvariantsHoldAfterAnyEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, now, version := ordertest.Given(order.StatusPlaced), ordertest.Noon, 10
		stale := func() int { return version - rapid.IntRange(0, 5).Draw(t, "stale") }
		events := map[string]ordertest.Decision{
			"confirm": ordertest.Confirm, "short": ordertest.Short, "decline": ordertest.Decline,
			"captured": ordertest.Captured, "not captured": ordertest.NotCaptured, "stock back": ordertest.StockBack,
			"cancel":     ordertest.Cancel,
			"money back": func(o order.Order) (order.Order, []saga.Fact) { return order.MoneyReturned(o, stale()) },
			"reopen": func(o order.Order) (order.Order, []saga.Fact) {
				return order.Reopen(o, stale(), now, ordertest.RetryDelay)
			},
			"overdue": func(o order.Order) (order.Order, []saga.Fact) {
				return order.Overdue(o, o.Due, now, ordertest.RetryDelay)
			},
			"retry": func(o order.Order) (order.Order, []saga.Fact) {
				o, facts, _ := order.Resolve(
					o, order.Resolution{ID: fmt.Sprint(now), Action: order.Retry}, now, ordertest.RetryDelay,
				)
				return o, facts
			},
			"write off": func(o order.Order) (order.Order, []saga.Fact) {
				o, facts, _ := order.Resolve(
					o, order.Resolution{ID: fmt.Sprint(now), Action: order.WriteOff}, now, ordertest.RetryDelay,
				)
				return o, facts
			},
			"refund": func(o order.Order) (order.Order, []saga.Fact) {
				o, facts, _ := order.Refund(
					o, order.RefundNote{ID: fmt.Sprint(now)}, rapid.Int64Range(0, 1100).Draw(t, "amount"), now,
					ordertest.RetryDelay,
				)
				return o, facts
			},
			"refunded": func(o order.Order) (order.Order, []saga.Fact) {
				reported := slices.Clone(o.Refunds)
				for i := range reported {
					reported[i].Status = rapid.SampledFrom(
						[]saga.RefundStatus{saga.RefundStatusPending, saga.RefundStatusSucceeded,
							saga.RefundStatusFailed, saga.RefundStatusRefused}).Draw(t, "status")
				}
				return order.ApplyRefunds(o, reported, now, ordertest.RetryDelay)
			},
			"external": func(o order.Order) (order.Order, []saga.Fact) {
				return order.AdoptExternal(o, stale(), saga.External{
					Refunded: rapid.Int64Range(0, 1000).Draw(t, "outside"),
					Disputed: rapid.SampledFrom([]int64{0, 300, 1000}).Draw(t, "disputed"),
				})
			},
		}
		names := slices.Sorted(maps.Keys(events))
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			version++
			now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
			before := o
			var facts []saga.Fact
			o, facts = events[rapid.SampledFrom(names).Draw(t, "event")](o)
			if len(facts) == 0 {
				require.Equal(t, before, o, "a change without a fact would not be saved")
			}
			checkInvariants(t, o)
			if before.Outcome != order.Undecided && before.Outcome != o.Outcome {
				require.Equal(
					t, [2]order.Outcome{order.Confirmed, order.Canceled},
					[2]order.Outcome{before.Outcome, o.Outcome},
				)
				require.False(t, before.Paid)
			}
		}
		for _, decide := range []ordertest.Decision{ordertest.Confirm, ordertest.Captured, ordertest.StockBack} {
			o, _ = decide(o)
		}
		o, _ = order.MoneyReturned(o, version+1)
		reported := slices.Clone(o.Refunds)
		for i := range reported {
			reported[i].Status = saga.RefundStatusSucceeded
		}
		o, _ = order.ApplyRefunds(o, reported, now, ordertest.RetryDelay)
		require.True(t, o.Settled(), "%+v", o)
		require.Contains(
			t, []order.Status{order.StatusPaid, order.StatusRejected, order.StatusExpired, order.StatusCanceled},
			o.Status(),
		)
	})
}

var anna = identity.Caller{Shop: "main", Subject: "anna"}

func TestPlace_AcceptsOrRefusesARequest(t *testing.T) {
	yen := func(n int64) money.Money { return money.Money{Amount: n, Currency: "JPY"} }
	prices := map[string][]money.Money{
		"MUG": {ordertest.Euro(1250)}, "RUG": {ordertest.Euro(12900)}, "FREE": {ordertest.Euro(0)},
		"DEAR": {ordertest.Euro(money.Max)}, "SUSHI": {yen(900)}, "TEA": {
			ordertest.Euro(700), yen(1100),
		},
		"PIN": {ordertest.Euro(1)}, "HOUSE": {ordertest.Euro(100_000_000)},
		"OUD": {{Amount: 1125, Currency: "KWD"}}, "AREPA": {{Amount: 1000, Currency: "VED"}},
		"ROSE": {{Amount: 1000, Currency: "BGN"}},
	}
	line := func(sku string, n int64) order.RequestedLine { return order.RequestedLine{SKU: sku, Quantity: n} }
	expect := func(m money.Money) *money.Money { return &m }
	var many []order.RequestedLine
	for i := range order.MaxSKUs + 1 {
		sku := "SKU-" + string(rune('A'+i))
		prices[sku] = []money.Money{ordertest.Euro(1)}
		many = append(many, line(sku, 1))
	}
	for sentence, c := range map[string]struct {
		lines    []order.RequestedLine
		currency string
		expected *money.Money
		placed   []saga.Line
		total    money.Money
		err      error
		pointer  string
	}{
		"an order costs what its lines cost": {
			lines: []order.RequestedLine{line("MUG", 2), line("RUG", 1)}, total: ordertest.Euro(15400),
			placed: []saga.Line{{SKU: "MUG", Quantity: 2, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
		},
		"lines of one product become one, at the place of the first": {
			lines: []order.RequestedLine{line("MUG", 2), line("RUG", 1), line("MUG", 3)}, total: ordertest.Euro(19150),
			placed: []saga.Line{{SKU: "MUG", Quantity: 5, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
		},
		"an order may be free": {
			lines: []order.RequestedLine{line("FREE", 3)}, total: ordertest.Euro(0),
			placed: []saga.Line{{SKU: "FREE", Quantity: 3}},
		},
		"the expected total is the total": {
			lines: []order.RequestedLine{line("MUG", 1)}, expected: expect(ordertest.Euro(1250)),
			total: ordertest.Euro(1250), placed: []saga.Line{{SKU: "MUG", Quantity: 1, Price: 1250}},
		},
		"another total than the expected one": {
			lines: []order.RequestedLine{line("MUG", 1)}, expected: expect(ordertest.Euro(1249)),
			err: order.ErrPriceChanged,
		},
		"the expected total in another currency": {
			lines:    []order.RequestedLine{line("MUG", 1)},
			expected: expect(money.Money{Amount: 1250, Currency: "USD"}), err: order.ErrPriceChanged,
		},
		"a product that the shop does not sell": {
			lines: []order.RequestedLine{line("MUG", 1), line("UNICORN", 1)}, err: order.ErrUnknownProduct,
			pointer: "/lines/1/sku",
		},
		"as many products as one order holds": {
			lines: many[:order.MaxSKUs], total: ordertest.Euro(order.MaxSKUs),
		},
		"one product more": {lines: many, err: order.ErrTooManySKUs, pointer: "/lines"},
		"as many units as one order holds": {
			lines: []order.RequestedLine{line("FREE", order.MaxQuantity)}, total: ordertest.Euro(0),
			placed: []saga.Line{{SKU: "FREE", Quantity: order.MaxQuantity}},
		},
		"one unit more, spread over two lines": {
			lines: []order.RequestedLine{line("MUG", order.MaxQuantity), line("MUG", 1)}, err: order.ErrTooMany,
			pointer: "/lines/1/quantity",
		},
		"products of two currencies": {
			lines: []order.RequestedLine{line("MUG", 1), line("SUSHI", 1)}, err: order.ErrNoCurrency,
			pointer: "/currency",
		},
		"the currency that all products have": {
			lines: []order.RequestedLine{line("SUSHI", 1), line("TEA", 1)}, total: yen(2000),
		},
		"one of two currencies, as requested": {
			lines: []order.RequestedLine{line("TEA", 2)}, currency: "JPY", total: yen(2200),
		},
		"one of two currencies, without a request": {
			lines: []order.RequestedLine{line("TEA", 1)}, err: order.ErrNoCurrency, pointer: "/currency",
		},
		"a currency that a product is not sold in": {
			lines: []order.RequestedLine{line("TEA", 1), line("MUG", 1)}, currency: "JPY", err: order.ErrNoCurrency,
			pointer: "/currency",
		},
		"a line that costs more than can be asked for": {
			lines: []order.RequestedLine{line("DEAR", 2)}, err: money.ErrOutOfRange,
		},
		"a total below the smallest charge": {
			lines: []order.RequestedLine{line("PIN", 1)}, err: payable.ErrUnpayable, pointer: "/lines",
		},
		"several that reach the smallest charge": {
			lines: []order.RequestedLine{line("PIN", 50)}, total: ordertest.Euro(50),
		},
		"a total of nothing": {
			lines: []order.RequestedLine{line("FREE", 2)}, total: ordertest.Euro(0),
		},
		"a total with thousandths": {
			lines: []order.RequestedLine{line("OUD", 1)}, err: payable.ErrUnpayable, pointer: "/lines",
		},
		"a total above the largest charge": {
			lines: []order.RequestedLine{line("HOUSE", 1)}, err: payable.ErrUnpayable, pointer: "/lines",
		},
		"a currency that the provider does not take": {
			lines: []order.RequestedLine{line("AREPA", 1)}, err: payable.ErrUnpayable, pointer: "/lines",
		},
		"a currency that was withdrawn since its price was stored": {
			lines: []order.RequestedLine{line("ROSE", 1)}, err: payable.ErrUnpayable, pointer: "/lines",
		},
		"a sum that is more than can be asked for": {
			lines: []order.RequestedLine{line("DEAR", 1), line("MUG", 1)}, err: money.ErrOutOfRange,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			request := order.Request{
				Lines: c.lines, Currency: c.currency, Email: "anna@example.com", PaymentMethod: "pm_card_visa",
				ExpectedTotal: c.expected,
			}
			o, facts, err := order.Place(
				"ord_1", anna, request, prices, "fingerprint", ordertest.Noon.Add(999),
				order.Terms{RetryDelay: ordertest.RetryDelay, Window: ordertest.Window},
			)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				assert.Empty(t, facts)
				var f *fault.Fault
				if require.ErrorAs(t, err, &f); c.pointer != "" {
					assert.Equal(t, c.pointer, f.Problems[0].Pointer)
				}
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []saga.Fact{saga.OrderPlaced}, facts)
			if c.placed != nil {
				assert.Equal(t, c.placed, o.Lines)
			}
			assert.Equal(t, c.total, o.Total)
			assert.Equal(
				t,
				[]any{
					"ord_1", saga.Shop("main"), "anna", "anna@example.com", order.StatusPlaced, "pm_card_visa",
					"fingerprint",
				},
				[]any{o.ID, o.Shop, o.Owner, o.Email, o.Status(), o.PaymentMethod, o.Fingerprint},
			)
			assert.Equal(
				t,
				[]time.Time{
					ordertest.Noon, ordertest.Noon.Add(ordertest.RetryDelay), ordertest.Noon.Add(ordertest.Window),
				},
				[]time.Time{o.PlacedAt, o.Due, o.ExpiresAt}, "to the millisecond, as it is stored",
			)
		})
	}
}

func TestRequest_NamesEverySKUOnce(t *testing.T) {
	r := order.Request{Lines: []order.RequestedLine{{SKU: "B"}, {SKU: "A"}, {SKU: "B"}}}
	assert.Equal(t, []string{"B", "A"}, r.SKUs())
}
