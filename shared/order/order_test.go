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
	"backroom/shared/order"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

func TestTheStatusFollowsFromTheRest(t *testing.T) {
	for _, s := range ordertest.Statuses {
		assert.Equal(t, s, ordertest.Given(s).Status())
	}
	stocked := ordertest.Given(order.StatusRejected)
	stocked.Awaits = []order.Awaited{order.AwaitsMoney}
	assert.Equal(t, order.StatusRejected, stocked.Status(), "until both are back")
	stocked.Awaits = nil
	assert.Equal(t, order.StatusRejected, stocked.Status(), "and then, too")
	refunding := ordertest.Given(order.StatusPaid)
	refunding.Awaits = []order.Awaited{order.AwaitsRefund}
	assert.Equal(t, order.StatusPaid, refunding.Status(), "an awaited refund leaves the status as it is")
	refunding.Attention = order.RefundFailed
	assert.Equal(t, order.StatusPaid, refunding.Status(), "and so does one that fails: attention is told beside it")
	unpaid := ordertest.Given(order.StatusConfirmed)
	unpaid.Awaits = nil
	assert.Equal(t, order.StatusConfirmed, unpaid.Status(), "an order whose capture was written off was never paid")
}

func TestAConfirmedOrderAsksWhenItWouldHaveAskedAnyway(t *testing.T) {
	for sentence, c := range map[string]struct{ due, asks time.Duration }{
		"soon enough":                  {ordertest.RetryDelay, ordertest.RetryDelay},
		"half of its patience is left": {ordertest.RetryDelay / 2, ordertest.RetryDelay / 2},
		"too soon":                     {ordertest.RetryDelay/2 - time.Millisecond, ordertest.RetryDelay},
		"it is overdue":                {-time.Hour, ordertest.RetryDelay},
		"a moment too late":            {ordertest.RetryDelay + time.Millisecond, ordertest.RetryDelay},
		"it would not ask for an hour": {time.Hour, ordertest.RetryDelay},
	} {
		t.Run(sentence, func(t *testing.T) {
			o := ordertest.Given(order.StatusPlaced)
			o.Due, o.Retries = ordertest.Later.Add(c.due), 3
			o, facts := ordertest.Confirm(o)
			assert.Equal(t, []saga.Fact{saga.OrderConfirmed}, facts)
			assert.Equal(t, c.asks, o.Due.Sub(ordertest.Later))
			assert.Zero(t, o.Retries)
		})
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	type is = order.Status
	for sentence, c := range map[string]struct {
		given  is
		decide ordertest.Decision
		status is
		facts  []saga.Fact
	}{
		"a placed order whose payment is authorized is confirmed":            {order.StatusPlaced, ordertest.Confirm, order.StatusConfirmed, []saga.Fact{saga.OrderConfirmed}},
		"a placed order without stock is rejected":                           {order.StatusPlaced, ordertest.Short, order.StatusRejected, []saga.Fact{saga.OrderRejected}},
		"a placed order whose payment is declined is rejected":               {order.StatusPlaced, ordertest.Decline, order.StatusRejected, []saga.Fact{saga.OrderRejected}},
		"a placed order can be canceled":                                     {order.StatusPlaced, ordertest.Cancel, order.StatusCanceling, []saga.Fact{saga.OrderCanceling}},
		"a confirmed order stays confirmed":                                  {order.StatusConfirmed, ordertest.Confirm, order.StatusConfirmed, nil},
		"a confirmed order is not rejected any more":                         {order.StatusConfirmed, ordertest.Decline, order.StatusConfirmed, nil},
		"a confirmed order whose money is taken is closed":                   {order.StatusConfirmed, ordertest.Captured, order.StatusPaid, []saga.Fact{saga.OrderSettled}},
		"a confirmed order whose money is lost needs attention":              {order.StatusConfirmed, ordertest.NotCaptured, order.StatusNeedsAttention, []saga.Fact{saga.OrderNeedsAttention}},
		"a confirmed order can be canceled":                                  {order.StatusConfirmed, ordertest.Cancel, order.StatusCanceling, []saga.Fact{saga.OrderCanceling}},
		"a confirmed order is owed no money back":                            {order.StatusConfirmed, ordertest.MoneyBack, order.StatusConfirmed, nil},
		"a rejected order is not confirmed any more":                         {order.StatusRejected, ordertest.Confirm, order.StatusRejected, nil},
		"a rejected order keeps its first reason":                            {order.StatusRejected, ordertest.Short, order.StatusRejected, nil},
		"a rejected order that has its stock back waits for its money":       {order.StatusRejected, ordertest.StockBack, order.StatusRejected, []saga.Fact{saga.OrderStockReleased}},
		"an expired order is not confirmed any more":                         {order.StatusExpired, ordertest.Confirm, order.StatusExpired, nil},
		"an expired order that has its money back waits for its stock":       {order.StatusExpired, ordertest.MoneyBack, order.StatusExpired, []saga.Fact{saga.OrderMoneyReturned}},
		"a canceled order is not confirmed any more":                         {order.StatusCanceling, ordertest.Confirm, order.StatusCanceling, nil},
		"a canceled order whose money was taken meanwhile gets it back":      {order.StatusCanceling, ordertest.Captured, order.StatusCanceling, nil},
		"a canceled order does not care that its money can not be taken":     {order.StatusCanceling, ordertest.NotCaptured, order.StatusCanceling, nil},
		"an order is canceled once":                                          {order.StatusCanceling, ordertest.Cancel, order.StatusCanceling, nil},
		"money that did not arrive is owed again":                            {order.StatusCanceled, ordertest.Reopen, order.StatusCanceling, []saga.Fact{saga.OrderReopened}},
		"money that is owed anyway is written down as not arrived":           {order.StatusCanceling, ordertest.Reopen, order.StatusCanceling, []saga.Fact{saga.OrderReopened}},
		"a closed order was paid, and is not owed its money":                 {order.StatusPaid, ordertest.Reopen, order.StatusPaid, nil},
		"a closed order stays closed":                                        {order.StatusPaid, ordertest.Captured, order.StatusPaid, nil},
		"a closed order needs no attention":                                  {order.StatusPaid, ordertest.NotCaptured, order.StatusPaid, nil},
		"an order that needs attention takes an answer that comes after all": {order.StatusNeedsAttention, ordertest.Captured, order.StatusPaid, []saga.Fact{saga.OrderSettled}},
		"an order that needs attention asks for it once":                     {order.StatusNeedsAttention, ordertest.NotCaptured, order.StatusNeedsAttention, nil},
		"an order that needs attention can be canceled":                      {order.StatusNeedsAttention, ordertest.Cancel, order.StatusCanceling, []saga.Fact{saga.OrderCanceling}},
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
			sound(t, o)
			again, more := c.decide(o)
			assert.Empty(t, more, "it is decided once")
			assert.Equal(t, o, again)
		})
	}
}

// sound demands of an order what is always so.
func sound(t require.TestingT, o order.Order) {
	require.Equal(t, o.Settled(), o.Due.IsZero(), "an order is due exactly while it is owed something")
	require.False(t, o.Attention != "" && o.Settled(), "nobody must look at what is over")
	require.Equal(t, o.Outcome == order.Undecided, o.Awaiting(order.AwaitsOutcome), "an outcome is owed until it is given")
	require.GreaterOrEqual(t, o.Refundable().Amount, int64(0))
}

func TestTheLastThingThatComesBackEndsAnOrder(t *testing.T) {
	for _, c := range []struct {
		given, end order.Status
		fact       saga.Fact
	}{
		{order.StatusRejected, order.StatusRejected, saga.OrderSettled}, {order.StatusExpired, order.StatusExpired, saga.OrderSettled},
		{order.StatusCanceling, order.StatusCanceled, saga.OrderCanceled},
	} {
		for _, both := range [][2]ordertest.Decision{{ordertest.StockBack, ordertest.MoneyBack}, {ordertest.MoneyBack, ordertest.StockBack}} {
			o, _ := both[0](ordertest.Given(c.given))
			sound(t, o)
			o, facts := both[1](o)
			assert.Equal(t, []saga.Fact{c.fact}, facts)
			assert.Equal(t, c.end, o.Status())
			assert.True(t, o.Settled())
			sound(t, o)
		}
	}
}

// What a charge tells of money that is back, or is not, comes in any order and again after days.
func TestOfTwoThingsThatContradictEachOtherTheLaterIsTrue(t *testing.T) {
	o, facts := order.Reopen(ordertest.Given(order.StatusCanceling), 6, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts)
	assert.Equal(t, ordertest.Given(order.StatusCanceling).Due, o.Due, "it is asked for as before")
	again, facts := order.MoneyReturned(o, 5)
	assert.Empty(t, facts, "what was so before it did not arrive")
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

func TestMoneyThatNeverArrivesNeedsAPerson(t *testing.T) {
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
	sound(t, o)
	o, facts, err := order.Resolve(o, order.Resolution{ID: "res_1", Action: order.Retry}, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderRetried, saga.ReturnDue}, facts)
	_, facts = order.Reopen(o, version+2, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts, "whoever had it tried again has as many tries")

	o, _, err = order.Refund(ordertest.Given(order.StatusPaid), order.RefundNote{ID: "rfn_1"}, 100, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	for times := 1; times <= order.MaxFailedReturns; times++ {
		o, facts = order.ApplyRefunds(o, []saga.Refund{{ID: "rfn_1", Amount: 100, Try: times, Status: saga.RefundStatusFailed}}, ordertest.Later, ordertest.RetryDelay)
	}
	assert.Equal(t, []saga.Fact{saga.OrderReopened, saga.OrderNeedsAttention}, facts)
	assert.Equal(t, order.RefundFailed, o.Attention)
	sound(t, o)
}

func TestWhatIsOver(t *testing.T) {
	for _, s := range []order.Status{order.StatusRejected, order.StatusExpired, order.StatusPaid} {
		_, facts, err := order.Cancel(ordertest.Given(s), "changed my mind", ordertest.Later, ordertest.RetryDelay)
		assert.ErrorIs(t, err, order.ErrTooLateToCancel, s)
		assert.Empty(t, facts)
	}
	o, _, err := order.Cancel(ordertest.Given(order.StatusPlaced), "changed my mind", ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Equal(t, "changed my mind", o.Reason)
	assert.Equal(t, ordertest.Later.Add(ordertest.RetryDelay), o.Due)
}

func TestAnOverdueOrder(t *testing.T) {
	hour := ordertest.Noon.Add(time.Hour)
	asked := func(s order.Status, times int) order.Order {
		o := ordertest.Given(s)
		o.Due, o.Retries, o.ExpiresAt = ordertest.Noon.Add(ordertest.RetryDelay), times, ordertest.Noon.Add(24*time.Hour)
		return o
	}
	both := []saga.Fact{saga.ReserveDue, saga.PaymentCheckDue}
	back := []saga.Fact{saga.ReturnDue, saga.ReleaseDue}
	owed := asked(order.StatusCanceling, 0)
	owed.Awaits = []order.Awaited{order.AwaitsStock}
	refunding := asked(order.StatusPaid, 0)
	refunding.Awaits = []order.Awaited{order.AwaitsRefund}
	for sentence, c := range map[string]struct {
		given order.Order
		due   time.Time
		facts []saga.Fact
		next  time.Duration // from the decision until it is due again; 0: it is as it was
	}{
		"asks for what its outcome needs":              {asked(order.StatusPlaced, 0), ordertest.Noon.Add(ordertest.RetryDelay), both, 4 * time.Minute},
		"waits twice as long after the second ask":     {asked(order.StatusPlaced, 1), ordertest.Noon.Add(ordertest.RetryDelay), both, 8 * time.Minute},
		"waits twice as long after the third ask":      {asked(order.StatusPlaced, 2), ordertest.Noon.Add(ordertest.RetryDelay), both, 16 * time.Minute},
		"never waits longer than an hour":              {asked(order.StatusPlaced, 10), ordertest.Noon.Add(ordertest.RetryDelay), both, time.Hour},
		"that is confirmed asks for its capture":       {asked(order.StatusConfirmed, 0), ordertest.Noon.Add(ordertest.RetryDelay), []saga.Fact{saga.CaptureDue}, 4 * time.Minute},
		"that is rejected asks for stock and money":    {asked(order.StatusRejected, 0), ordertest.Noon.Add(ordertest.RetryDelay), back, 4 * time.Minute},
		"that has its money asks for its stock only":   {owed, ordertest.Noon.Add(ordertest.RetryDelay), []saga.Fact{saga.ReleaseDue}, 4 * time.Minute},
		"that owes a refund asks for it":               {refunding, ordertest.Noon.Add(ordertest.RetryDelay), []saga.Fact{saga.RefundDue}, 4 * time.Minute},
		"asks for the last time":                       {asked(order.StatusConfirmed, order.MaxRetries-1), ordertest.Noon.Add(ordertest.RetryDelay), []saga.Fact{saga.CaptureDue}, time.Hour},
		"that waits for something else by now is left": {asked(order.StatusPlaced, 0), ordertest.Noon.Add(ordertest.RetryDelay - time.Millisecond), nil, 0},
		"that is closed is left":                       {ordertest.Given(order.StatusPaid), time.Time{}, nil, 0},
		"that needs attention is left":                 {ordertest.Given(order.StatusNeedsAttention), ordertest.Noon.Add(time.Hour), nil, 0},
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
			assert.Empty(t, more, "the same wake-up call is heeded once")
			assert.Equal(t, o, again)
		})
	}
}

func TestAnOrderThatWaitsForItsOutcomeExpiresWhenItsPaymentWindowEnds(t *testing.T) {
	o, asks := ordertest.Given(order.StatusPlaced), 0
	var at []time.Duration
	for o.Outcome == order.Undecided {
		now := o.Due.Add(time.Second)
		at = append(at, o.Due.Sub(ordertest.Noon))
		var facts []saga.Fact
		if o, facts = order.Overdue(o, o.Due, now, ordertest.RetryDelay); facts[0] == saga.ReserveDue {
			asks++
			continue
		}
		assert.Equal(t, []saga.Fact{saga.OrderExpired}, facts)
		assert.Equal(t, now.Add(ordertest.RetryDelay), o.Due)
	}
	assert.Equal(t, 3, asks, "%v", at)
	assert.Equal(t, ordertest.Window, at[len(at)-1], "not before, and not as late as its patience would be: %v", at)
	assert.Equal(t, order.StatusExpired, o.Status())
	assert.Equal(t, []order.Awaited{order.AwaitsMoney, order.AwaitsStock}, o.Awaits)

	late, facts := order.Overdue(ordertest.Given(order.StatusPlaced), ordertest.Noon.Add(ordertest.RetryDelay), ordertest.Noon.Add(24*time.Hour), ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.ReserveDue, saga.PaymentCheckDue}, facts, "however late it is found, it asks once before it expires")
	assert.Equal(t, ordertest.Noon.Add(24*time.Hour).Add(2*ordertest.RetryDelay), late.Due)
}

// Who wakes an order and who hears that are two machines.
func TestAClockThatIsBehindKeepsNoOrderWaiting(t *testing.T) {
	behind := func(o order.Order) (order.Order, []saga.Fact) {
		return order.Overdue(o, o.Due, o.Due.Add(-time.Second), ordertest.RetryDelay)
	}
	o := ordertest.Given(order.StatusPlaced)
	for o.Outcome == order.Undecided {
		was := o.Due
		o, _ = behind(o)
		require.True(t, o.Due.After(was), "the next wake-up call is another one")
	}
	assert.Equal(t, order.StatusExpired, o.Status())
}

func TestAPatientShopIsNotLate(t *testing.T) {
	for _, patience := range []time.Duration{time.Hour, 24 * time.Hour, 1000 * time.Hour} {
		o := ordertest.Given(order.StatusConfirmed)
		for range order.MaxRetries {
			now := o.Due
			o, _ = order.Overdue(o, now, now, patience)
			assert.Equal(t, now.Add(time.Hour), o.Due, patience)
		}
	}
}

// stranded returns an order that asked for what it is owed in vain.
func stranded(t *testing.T, o order.Order) order.Order {
	t.Helper()
	for range order.MaxRetries {
		var facts []saga.Fact
		o, facts = order.Overdue(o, o.Due, o.Due, ordertest.RetryDelay)
		require.NotContains(t, facts, saga.OrderNeedsAttention)
	}
	now := o.Due.Add(123456 * time.Nanosecond)
	o, facts := order.Overdue(o, o.Due, now, ordertest.RetryDelay)
	require.Equal(t, []saga.Fact{saga.OrderNeedsAttention}, facts)
	assert.Equal(t, now.Truncate(time.Millisecond), o.Due, "a list shows who waits longest first")
	return o
}

func TestAnOrderThatNobodyAnswersNeedsAttention(t *testing.T) {
	for _, s := range []order.Status{order.StatusConfirmed, order.StatusRejected, order.StatusExpired, order.StatusCanceling} {
		o := stranded(t, ordertest.Given(s))
		assert.Equal(t, [2]string{"needs_attention", order.NoAnswer}, [2]string{string(o.Status()), o.Attention})
		assert.Equal(t, ordertest.Given(s).Awaits, o.Awaits, "it is still owed")
		_, facts := order.Overdue(o, o.Due, o.Due.Add(time.Hour), ordertest.RetryDelay)
		assert.Empty(t, facts, "nobody is asked any more")
		sound(t, o)
	}
	o, facts := ordertest.StockBack(stranded(t, ordertest.Given(order.StatusCanceling)))
	assert.Equal(t, []saga.Fact{saga.OrderStockReleased}, facts, "what comes late counts")
	o, facts = ordertest.MoneyBack(o)
	assert.Equal(t, []saga.Fact{saga.OrderCanceled}, facts)
	assert.Equal(t, order.StatusCanceled, o.Status())
}

func TestWhatAPersonDoes(t *testing.T) {
	retry := order.Resolution{ID: "res_1", Action: order.Retry, Reason: "the provider is back", By: "carl", At: ordertest.Later}
	writeOff := order.Resolution{ID: "res_2", Action: order.WriteOff, Reason: "it is too little", By: "carl", At: ordertest.Later}

	o, facts, err := order.Resolve(stranded(t, ordertest.Given(order.StatusCanceling)), retry, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderRetried, saga.ReturnDue, saga.ReleaseDue}, facts, "it asks at once for all that it is owed")
	assert.Equal(t, []any{order.StatusCanceling, 0, ordertest.Later.Add(ordertest.RetryDelay), retry}, []any{o.Status(), o.Retries, o.Due, o.Resolution})
	again, facts, err := order.Resolve(o, retry, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Empty(t, facts, "the same resolution again changes nothing")
	assert.Equal(t, o, again)
	_, _, err = order.Resolve(o, writeOff, ordertest.Later, ordertest.RetryDelay)
	require.ErrorIs(t, err, order.ErrNoAttentionNeeded)

	for s, end := range map[order.Status]order.Status{order.StatusConfirmed: order.StatusConfirmed, order.StatusExpired: order.StatusExpired, order.StatusCanceling: order.StatusCanceled} {
		o, facts, err := order.Resolve(stranded(t, ordertest.Given(s)), writeOff, ordertest.Later, ordertest.RetryDelay)
		require.NoError(t, err)
		assert.Equal(t, []saga.Fact{saga.OrderWrittenOff, saga.PaymentWrittenOff}, facts, "who would take the money, or give it back, must know")
		assert.Equal(t, end, o.Status())
		assert.True(t, o.Settled())
		assert.Zero(t, o.Refundable().Amount, "what was never taken can not be refunded")
		sound(t, o)
	}

	o, _ = ordertest.MoneyBack(ordertest.Given(order.StatusCanceling))
	_, facts, err = order.Resolve(stranded(t, o), writeOff, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderWrittenOff, saga.OrderCanceled}, facts, "the customer has the money, and hears of it")
}

func TestMoneyThatDoesNotArriveAfterAWriteOffIsAPersonsAgain(t *testing.T) {
	o, _ := ordertest.MoneyBack(ordertest.Given(order.StatusCanceling))
	o, _, err := order.Resolve(stranded(t, o), order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	o, facts := order.Reopen(o, o.ReturnVersion+1, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderReopened, saga.OrderNeedsAttention}, facts, "nobody would answer it")
	assert.Equal(t, []any{order.StatusNeedsAttention, order.RefundFailed}, []any{o.Status(), o.Attention})
	sound(t, o)
}

func TestRefunding(t *testing.T) {
	ask := func(o order.Order, id string, amount int64) (order.Order, []saga.Fact, error) {
		return order.Refund(o, order.RefundNote{ID: id, Reason: "broken", By: "carl", At: ordertest.Later}, amount, ordertest.Later, ordertest.RetryDelay)
	}
	for _, s := range ordertest.Statuses {
		if s != order.StatusPaid {
			_, _, err := ask(ordertest.Given(s), "rfn_1", 1)
			assert.ErrorIs(t, err, order.ErrNotRefundable, s)
		}
	}
	closed := ordertest.Given(order.StatusPaid)
	_, _, err := ask(closed, "rfn_1", 1001)
	require.ErrorIs(t, err, order.ErrRefundTooLarge)

	o, facts, err := ask(closed, "rfn_1", 300)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderRefunding}, facts)
	assert.Equal(t, []any{ordertest.Euro(700), order.StatusPaid, ordertest.Later.Add(ordertest.RetryDelay)}, []any{o.Refundable(), o.Status(), o.Due})
	sound(t, o)
	o, _, err = ask(o, "rfn_2", 0)
	require.NoError(t, err)
	assert.Equal(t, []any{int64(700), ordertest.Euro(0)}, []any{o.Refunds[1].Amount, o.Refundable()}, "nothing said is all that is left")
	_, _, err = ask(o, "rfn_3", 0)
	require.ErrorIs(t, err, order.ErrRefundTooLarge)

	stand := func(o order.Order, states ...saga.RefundStatus) (order.Order, []saga.Fact) {
		var list []saga.Refund
		for i, s := range states {
			list = append(list, saga.Refund{ID: o.Refunds[i].ID, Amount: o.Refunds[i].Amount, Try: 1, Status: s})
		}
		return order.ApplyRefunds(o, list, ordertest.Later, ordertest.RetryDelay)
	}
	o, facts = stand(o, saga.RefundStatusSucceeded, saga.RefundStatusPending)
	assert.Equal(t, []saga.Fact{saga.OrderRefunded}, facts)
	assert.True(t, o.Awaiting(order.AwaitsRefund), "the other is still owed")
	_, facts = stand(o, saga.RefundStatusSucceeded, saga.RefundStatusPending)
	assert.Empty(t, facts, "the customer is told once")
	o, facts = stand(o, saga.RefundStatusSucceeded, saga.RefundStatusSucceeded)
	assert.Equal(t, []saga.Fact{saga.OrderRefunded}, facts)
	assert.True(t, o.Settled())
	sound(t, o)

	o, facts = stand(o, saga.RefundStatusSucceeded, saga.RefundStatusFailed)
	assert.Equal(t, []saga.Fact{saga.OrderReopened}, facts, "days later the bank sends it back")
	assert.Equal(t, saga.Refund{ID: "rfn_2", Amount: 700, Try: 2, Status: saga.RefundStatusRequested}, o.Refunds[1])
	sound(t, o)
	_, facts = stand(o, saga.RefundStatusSucceeded, saga.RefundStatusFailed)
	assert.Empty(t, facts, "what is said of an earlier try is known")
	o, facts, err = order.Resolve(stranded(t, o), order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderWrittenOff, saga.RefundsWrittenOff}, facts)
	assert.Equal(t, []any{ordertest.Euro(700), saga.RefundStatusFailed}, []any{o.Refundable(), o.Refunds[1].Status}, "it is still ours to give")
}

// The charge tells all of its refunds each time, those too that were given up.
func TestARefundThatWasGivenUpStaysSo(t *testing.T) {
	ask := func(o order.Order, id string, amount int64) order.Order {
		o, _, err := order.Refund(o, order.RefundNote{ID: id}, amount, ordertest.Later, ordertest.RetryDelay)
		require.NoError(t, err)
		return o
	}
	first := ask(ordertest.Given(order.StatusPaid), "rfn_1", 700)
	first, facts := order.ApplyRefunds(first, []saga.Refund{{ID: "rfn_1", Amount: 700, Try: 1, Status: saga.RefundStatusFailed}}, ordertest.Later, ordertest.RetryDelay)
	require.Equal(t, []saga.Fact{saga.OrderReopened}, facts)
	given, _, err := order.Resolve(stranded(t, first), order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)

	o := ask(given, "rfn_2", 700)
	o, facts = order.ApplyRefunds(o, []saga.Refund{{ID: "rfn_1", Amount: 700, Try: 2, Status: saga.RefundStatusFailed}, {ID: "rfn_2", Amount: 700, Try: 1, Status: saga.RefundStatusSucceeded}}, ordertest.Later, ordertest.RetryDelay)
	assert.Equal(t, []saga.Fact{saga.OrderRefunded}, facts)
	assert.Equal(t, []any{true, ordertest.Euro(300)}, []any{o.Settled(), o.Refundable()})
	sound(t, o)
}

func TestMoneyThatWasGivenUpAndTakenAfterAllCanBeRefunded(t *testing.T) {
	o, _, err := order.Resolve(stranded(t, ordertest.Given(order.StatusConfirmed)), order.Resolution{ID: "res_1", Action: order.WriteOff}, ordertest.Later, ordertest.RetryDelay)
	require.NoError(t, err)
	o, facts := ordertest.Captured(o)
	assert.Equal(t, []saga.Fact{saga.OrderSettled}, facts)
	assert.Equal(t, ordertest.Euro(1000), o.Refundable())
}

func TestAnOrderHasNotMoreRefundsThanItCanRemember(t *testing.T) {
	o := ordertest.Given(order.StatusPaid)
	for i := range order.MaxRefunds {
		var err error
		o, _, err = order.Refund(o, order.RefundNote{ID: fmt.Sprint(i)}, 1, ordertest.Later, ordertest.RetryDelay)
		require.NoError(t, err)
	}
	_, _, err := order.Refund(o, order.RefundNote{ID: "one more"}, 1, ordertest.Later, ordertest.RetryDelay)
	require.ErrorIs(t, err, order.ErrTooManyRefunds)
}

func TestForgettingACustomer(t *testing.T) {
	o := ordertest.Given(order.StatusCanceled)
	o.Reason, o.RefundNotes = "my daughter Anna moved", []order.RefundNote{{ID: "rfn_1", Reason: "Anna called", By: "carl"}}
	o.History.Entries = []saga.Entry{{Cause: saga.Cause{Actor: "anna"}}, {Cause: saga.Cause{Actor: "reserve-stock"}}}
	before := fmt.Sprint(o)
	erased, facts, err := order.Erase(o)
	require.NoError(t, err)
	assert.Equal(t, []saga.Fact{saga.OrderErased}, facts)
	assert.NotRegexp(t, "(?i)anna|pm_card", fmt.Sprint(erased))
	assert.Equal(t, o.Total, erased.Total)
	assert.Equal(t, before, fmt.Sprint(o), "nobody else's copy changes")
	_, facts, err = order.Erase(erased)
	require.NoError(t, err)
	assert.Empty(t, facts)
	for _, s := range ordertest.Statuses {
		if _, _, err := order.Erase(ordertest.Given(s)); !ordertest.Given(s).Settled() {
			assert.ErrorIs(t, err, order.ErrNotSettled, s)
		}
	}
}

// Whatever happens to an order, in whatever order, it stays sound, its outcome is given once, and
// once everything that it is owed has come its story is over.
func TestNothingThatHappensBreaksAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, now, version := ordertest.Given(order.StatusPlaced), ordertest.Noon, 10
		stale := func() int { return version - rapid.IntRange(0, 5).Draw(t, "stale") }
		events := map[string]ordertest.Decision{
			"confirm": ordertest.Confirm, "short": ordertest.Short, "decline": ordertest.Decline, "captured": ordertest.Captured, "not captured": ordertest.NotCaptured, "stock back": ordertest.StockBack,
			"cancel":     ordertest.Cancel,
			"money back": func(o order.Order) (order.Order, []saga.Fact) { return order.MoneyReturned(o, stale()) },
			"reopen": func(o order.Order) (order.Order, []saga.Fact) {
				return order.Reopen(o, stale(), now, ordertest.RetryDelay)
			},
			"overdue": func(o order.Order) (order.Order, []saga.Fact) {
				return order.Overdue(o, o.Due, now, ordertest.RetryDelay)
			},
			"retry": func(o order.Order) (order.Order, []saga.Fact) {
				o, facts, _ := order.Resolve(o, order.Resolution{ID: fmt.Sprint(now), Action: order.Retry}, now, ordertest.RetryDelay)
				return o, facts
			},
			"write off": func(o order.Order) (order.Order, []saga.Fact) {
				o, facts, _ := order.Resolve(o, order.Resolution{ID: fmt.Sprint(now), Action: order.WriteOff}, now, ordertest.RetryDelay)
				return o, facts
			},
			"refund": func(o order.Order) (order.Order, []saga.Fact) {
				o, facts, _ := order.Refund(o, order.RefundNote{ID: fmt.Sprint(now)}, rapid.Int64Range(0, 1100).Draw(t, "amount"), now, ordertest.RetryDelay)
				return o, facts
			},
			"refunded": func(o order.Order) (order.Order, []saga.Fact) {
				stand := slices.Clone(o.Refunds)
				for i := range stand {
					stand[i].Status = rapid.SampledFrom([]saga.RefundStatus{saga.RefundStatusPending, saga.RefundStatusSucceeded, saga.RefundStatusFailed}).Draw(t, "status")
				}
				return order.ApplyRefunds(o, stand, now, ordertest.RetryDelay)
			},
		}
		names := slices.Sorted(maps.Keys(events))
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			version++
			now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
			before := o
			after, facts := events[rapid.SampledFrom(names).Draw(t, "event")](o)
			o = after
			if len(facts) == 0 {
				require.Equal(t, before, o, "a change without a fact would never be stored")
			}
			sound(t, o)
			if before.Outcome != order.Undecided && before.Outcome != o.Outcome {
				require.Equal(t, [2]order.Outcome{order.Confirmed, order.Canceled}, [2]order.Outcome{before.Outcome, o.Outcome})
				require.False(t, before.Paid)
			}
		}
		for _, settle := range []ordertest.Decision{ordertest.Confirm, ordertest.Captured, ordertest.StockBack} {
			o, _ = settle(o)
		}
		o, _ = order.MoneyReturned(o, version+1)
		stand := slices.Clone(o.Refunds)
		for i := range stand {
			stand[i].Status = saga.RefundStatusSucceeded
		}
		o, _ = order.ApplyRefunds(o, stand, now, ordertest.RetryDelay)
		require.True(t, o.Settled(), "%+v", o)
		require.Contains(t, []order.Status{order.StatusPaid, order.StatusRejected, order.StatusExpired, order.StatusCanceled}, o.Status())
	})
}

var anna = identity.Caller{Shop: "main", Subject: "anna"}

func TestPlacing(t *testing.T) {
	yen := func(n int64) money.Money { return money.Money{Amount: n, Currency: "JPY"} }
	prices := map[string][]money.Money{
		"MUG": {ordertest.Euro(1250)}, "RUG": {ordertest.Euro(12900)}, "FREE": {ordertest.Euro(0)}, "DEAR": {ordertest.Euro(money.Max)}, "SUSHI": {yen(900)}, "TEA": {ordertest.Euro(700), yen(1100)},
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
		"lines of one product become one, where the first stood": {
			lines: []order.RequestedLine{line("MUG", 2), line("RUG", 1), line("MUG", 3)}, total: ordertest.Euro(19150),
			placed: []saga.Line{{SKU: "MUG", Quantity: 5, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
		},
		"an order may be free":                         {lines: []order.RequestedLine{line("FREE", 3)}, total: ordertest.Euro(0), placed: []saga.Line{{SKU: "FREE", Quantity: 3}}},
		"the expected total is the total":              {lines: []order.RequestedLine{line("MUG", 1)}, expected: expect(ordertest.Euro(1250)), total: ordertest.Euro(1250), placed: []saga.Line{{SKU: "MUG", Quantity: 1, Price: 1250}}},
		"another total than the expected one":          {lines: []order.RequestedLine{line("MUG", 1)}, expected: expect(ordertest.Euro(1249)), err: order.ErrPriceChanged},
		"the expected total in another currency":       {lines: []order.RequestedLine{line("MUG", 1)}, expected: expect(money.Money{Amount: 1250, Currency: "USD"}), err: order.ErrPriceChanged},
		"a product that the shop does not sell":        {lines: []order.RequestedLine{line("MUG", 1), line("UNICORN", 1)}, err: order.ErrUnknownProduct, pointer: "/lines/1/sku"},
		"as many products as one order holds":          {lines: many[:order.MaxSKUs], total: ordertest.Euro(order.MaxSKUs)},
		"one product more":                             {lines: many, err: order.ErrTooManySKUs, pointer: "/lines"},
		"as many units as one order holds":             {lines: []order.RequestedLine{line("FREE", order.MaxQuantity)}, total: ordertest.Euro(0), placed: []saga.Line{{SKU: "FREE", Quantity: order.MaxQuantity}}},
		"one unit more, spread over two lines":         {lines: []order.RequestedLine{line("MUG", order.MaxQuantity), line("MUG", 1)}, err: order.ErrTooMany, pointer: "/lines/1/quantity"},
		"products of two currencies":                   {lines: []order.RequestedLine{line("MUG", 1), line("SUSHI", 1)}, err: order.ErrNoCurrency, pointer: "/currency"},
		"the currency that all products have":          {lines: []order.RequestedLine{line("SUSHI", 1), line("TEA", 1)}, total: yen(2000)},
		"one of two currencies, as it is wished":       {lines: []order.RequestedLine{line("TEA", 2)}, currency: "JPY", total: yen(2200)},
		"one of two currencies, and no wish":           {lines: []order.RequestedLine{line("TEA", 1)}, err: order.ErrNoCurrency, pointer: "/currency"},
		"a currency that a product is not sold in":     {lines: []order.RequestedLine{line("TEA", 1), line("MUG", 1)}, currency: "JPY", err: order.ErrNoCurrency, pointer: "/currency"},
		"a line that costs more than can be asked for": {lines: []order.RequestedLine{line("DEAR", 2)}, err: money.ErrOutOfRange},
		"a sum that is more than can be asked for":     {lines: []order.RequestedLine{line("DEAR", 1), line("MUG", 1)}, err: money.ErrOutOfRange},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			wish := order.Request{Lines: c.lines, Currency: c.currency, Email: "anna@example.com", PaymentMethod: "pm_card_visa", ExpectedTotal: c.expected}
			o, facts, err := order.Place("ord_1", anna, wish, prices, "fingerprint", ordertest.Noon.Add(999), order.Terms{RetryDelay: ordertest.RetryDelay, Window: ordertest.Window})
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
			assert.Equal(t, []any{"ord_1", saga.Shop("main"), "anna", "anna@example.com", order.StatusPlaced, "pm_card_visa", "fingerprint"}, []any{o.ID, o.Shop, o.Owner, o.Email, o.Status(), o.PaymentMethod, o.Fingerprint})
			assert.Equal(t, []time.Time{ordertest.Noon, ordertest.Noon.Add(ordertest.RetryDelay), ordertest.Noon.Add(ordertest.Window)}, []time.Time{o.PlacedAt, o.Due, o.ExpiresAt}, "to the millisecond, as it is stored")
		})
	}
}

func TestEverySKUIsAskedForOnce(t *testing.T) {
	w := order.Request{Lines: []order.RequestedLine{{SKU: "B"}, {SKU: "A"}, {SKU: "B"}}}
	assert.Equal(t, []string{"B", "A"}, w.SKUs())
}
