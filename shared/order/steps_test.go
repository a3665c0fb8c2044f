package order_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/order"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

// store keeps one order.
type store struct {
	order  order.Order
	races  int // how often another writer changes the order just before it is saved
	absent bool
	facts  []saga.Fact
}

func (s *store) Load(context.Context, saga.Shop, string) (order.Order, error) {
	if s.absent {
		return order.Order{}, fault.NotFound
	}
	return s.order, nil
}

func (s *store) Save(_ context.Context, o order.Order, _ saga.Cause, facts ...saga.Fact) error {
	if s.races > 0 {
		s.races--
		return fault.Conflict
	}
	s.order, s.facts = o, append(s.facts, facts...)
	return nil
}

func (s *store) step() order.AdvanceStep {
	return order.AdvanceStep{
		Orders: s, Now: func() time.Time { return ordertest.Noon.Add(3 * time.Minute) },
		RetryDelay: ordertest.RetryDelay,
	}
}

// event returns an event about the order.
func event(t *testing.T, fact saga.Fact, data any) saga.Event {
	t.Helper()
	encoded, err := json.Marshal(data)
	require.NoError(t, err)
	return saga.Event{ID: "event", Type: fact, Subject: "ord_1", Shop: "main", Data: encoded}
}

func TestAdvanceStep_SavesWhatEachFactMeans(t *testing.T) {
	ref := saga.OrderRef{Order: "ord_1", Shop: "main"}
	for sentence, c := range map[string]struct {
		event  func(*testing.T) saga.Event
		store  store
		status order.Status
		reason string
		facts  []saga.Fact
		err    error
	}{
		"an authorized payment confirms the order": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.PaymentAuthorized, ref) },
			store:  store{order: ordertest.Given(order.StatusPlaced)},
			status: order.StatusConfirmed, facts: []saga.Fact{saga.OrderConfirmed},
		},
		"a declined payment rejects the order with its reason": {
			event: func(t *testing.T) saga.Event {
				return event(
					t, saga.PaymentDeclined, saga.Declined{Order: "ord_1", Shop: "main", Reason: "card-declined"},
				)
			},
			store:  store{order: ordertest.Given(order.StatusPlaced)},
			status: order.StatusRejected, reason: "card-declined", facts: []saga.Fact{saga.OrderRejected},
		},
		"missing stock rejects the order": {
			event: func(t *testing.T) saga.Event {
				return event(t, saga.StockShort, saga.Short{Order: "ord_1", Shop: "main", Short: []string{"MUG"}})
			},
			store:  store{order: ordertest.Given(order.StatusPlaced)},
			status: order.StatusRejected, reason: order.OutOfStock, facts: []saga.Fact{saga.OrderRejected},
		},
		"an overdue order asks again": {
			event: func(t *testing.T) saga.Event {
				return event(
					t, saga.OrderOverdue,
					saga.Overdue{
						Order: "ord_1", Shop: "main", Due: ordertest.Noon.Add(ordertest.RetryDelay).UnixMilli(),
					},
				)
			},
			store:  store{order: ordertest.Given(order.StatusPlaced)},
			status: order.StatusPlaced, facts: []saga.Fact{
				saga.ReserveDue, saga.PaymentCheckDue,
			},
		},
		"a message with an earlier due time changes nothing": {
			event: func(t *testing.T) saga.Event {
				return event(
					t, saga.OrderOverdue,
					saga.Overdue{Order: "ord_1", Shop: "main", Due: ordertest.Noon.UnixMilli()},
				)
			},
			store:  store{order: ordertest.Given(order.StatusPlaced)},
			status: order.StatusPlaced,
		},
		"a captured payment settles the order": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.PaymentCaptured, ref) },
			store:  store{order: ordertest.Given(order.StatusConfirmed)},
			status: order.StatusPaid, facts: []saga.Fact{saga.OrderSettled},
		},
		"an order whose capture failed needs attention": {
			event: func(t *testing.T) saga.Event {
				return event(
					t, saga.CaptureFailed,
					saga.Declined{Order: "ord_1", Shop: "main", Reason: "authorization-lapsed"},
				)
			},
			store:  store{order: ordertest.Given(order.StatusConfirmed)},
			status: order.StatusNeedsAttention, facts: []saga.Fact{
				saga.OrderNeedsAttention,
			},
		},
		"stock that is back is no longer awaited": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.StockReleased, ref) },
			store:  store{order: ordertest.Given(order.StatusCanceling)},
			status: order.StatusCanceling, facts: []saga.Fact{
				saga.OrderStockReleased,
			},
		},
		"money that is back is no longer awaited": {
			event: func(t *testing.T) saga.Event {
				return event(t, saga.PaymentReturned, saga.ChargeVersion{Order: "ord_1", Shop: "main", Version: 4})
			},
			store:  store{order: ordertest.Given(order.StatusCanceling)},
			status: order.StatusCanceling, facts: []saga.Fact{
				saga.OrderMoneyReturned,
			},
		},
		"money that did not arrive is awaited again": {
			event: func(t *testing.T) saga.Event {
				return event(t, saga.ReturnFailed, saga.ChargeVersion{Order: "ord_1", Shop: "main", Version: 5})
			},
			store:  store{order: ordertest.Given(order.StatusCanceled)},
			status: order.StatusCanceling, facts: []saga.Fact{saga.OrderReopened},
		},
		"an event that was handled before changes nothing": {
			event: func(t *testing.T) saga.Event {
				return event(t, saga.ReturnFailed, saga.ChargeVersion{Order: "ord_1", Shop: "main", Version: 5})
			},
			store: store{order: func() order.Order {
				o := ordertest.Given(order.StatusCanceled)
				o.History.Entries = []saga.Entry{
					{Fact: saga.OrderReopened, Cause: saga.Cause{ID: "event"}},
					{Fact: saga.OrderCanceled, Cause: saga.Cause{ID: "another"}},
				}
				return o
			}()}, status: order.StatusCanceled,
		},
		"after a lost race the step decides again": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.PaymentAuthorized, ref) },
			store:  store{order: ordertest.Given(order.StatusPlaced), races: 2},
			status: order.StatusConfirmed, facts: []saga.Fact{saga.OrderConfirmed},
		},
		"after three lost races the message goes back to the queue": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.PaymentAuthorized, ref) },
			store:  store{order: ordertest.Given(order.StatusPlaced), races: 3},
			status: order.StatusPlaced, err: fault.Conflict,
		},
		"an absent order is an error": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.PaymentAuthorized, ref) },
			store:  store{absent: true},
			status: order.StatusPlaced, err: fault.NotFound,
		},
		"unreadable data is an error": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.PaymentDeclined, ref) },
			store:  store{order: ordertest.Given(order.StatusPlaced)},
			status: order.StatusPlaced, err: fault.Malformed,
		},
		"a fact without a rule is an error": {
			event:  func(t *testing.T) saga.Event { return event(t, saga.OrderPlaced, ref) },
			store:  store{order: ordertest.Given(order.StatusPlaced)},
			status: order.StatusPlaced, err: fault.Internal,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := c.store
			err := s.step().Handle(t.Context(), c.event(t))
			assert.Equal(t, fault.KindOf(c.err), fault.KindOf(err), "%v", err)
			assert.Equal(t, c.facts, s.facts)
			assert.Equal(t, [2]string{string(c.status), c.reason}, [2]string{string(s.order.Status()), s.order.Reason})
		})
	}
}

func TestAdvanceStep_CountsPaymentFactsOnce(t *testing.T) {
	failed := event(t, saga.CaptureFailed, saga.Declined{Order: "ord_1", Shop: "main", Reason: "authorization-lapsed"})
	for sentence, c := range map[string]struct {
		event   saga.Event
		store   store
		counted []string
	}{
		"a captured payment": {
			event(t, saga.PaymentCaptured, saga.OrderRef{Order: "ord_1", Shop: "main"}),
			store{order: ordertest.Given(order.StatusConfirmed)}, []string{"OrdersSettled", "PaymentsCaptured"},
		},
		"a failed capture": {
			failed, store{order: ordertest.Given(order.StatusConfirmed)},
			[]string{"CapturesFailed", "OrdersNeedAttention"},
		},
		"a fact that changes nothing": {failed, store{order: ordertest.Given(order.StatusPaid)}, nil},
		"a change that is not saved":  {failed, store{order: ordertest.Given(order.StatusConfirmed), races: 3}, nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			var written bytes.Buffer
			ctx, line := observe.Begin(t.Context(), slog.New(slog.NewJSONHandler(&written, nil)))
			err := c.store.step().Handle(ctx, c.event)
			line.Done(ctx, "done", err, true)
			var fields map[string]any
			require.NoError(t, json.Unmarshal(written.Bytes(), &fields))
			var counted []string
			for name, values := range fields {
				if counts, ok := values.([]any); ok {
					require.Equal(t, []any{1.0}, counts, name)
					counted = append(counted, name)
				}
			}
			assert.ElementsMatch(t, c.counted, counted)
		})
	}
}

func TestAdvanceStep_HasARuleForEveryFactThatRoutesSendsToIt(t *testing.T) {
	for fact, route := range saga.Routes {
		for _, step := range route.To {
			if step != saga.AdvanceOrder {
				continue
			}
			s := store{order: ordertest.Given(order.StatusConfirmed)}
			err := s.step().Handle(
				t.Context(),
				event(
					t, fact,
					map[string]any{
						"order": "ord_1", "shop": "main", "due": 1, "reason": "r", "short": []string{},
						"refunds": []saga.Refund{}, "version": 3, "external": saga.External{},
					},
				),
			)
			assert.NoError(t, err, fact)
		}
	}
}

func TestWakeJob_SendsLessOftenTheLongerAnOrderIsLate(t *testing.T) {
	for _, c := range []struct {
		late time.Duration
		sent bool
	}{
		{30 * time.Second, true}, {time.Minute, true}, {2*time.Minute + 59*time.Second, true}, {3 * time.Minute, false},
		{
			4 * time.Minute, true,
		},
		{5 * time.Minute, false}, {7 * time.Minute, false}, {8 * time.Minute, true}, {63 * time.Minute, false}, {
			64 * time.Minute, true,
		},
	} {
		var sent []saga.Message
		job := wake(&sent, nil, order.Late{Shop: "main", ID: "ord_1", Due: ordertest.Noon.Add(-c.late)})
		require.NoError(t, job.Run(t.Context()))
		assert.Equal(t, c.sent, len(sent) == 1, "%s after it was due", c.late)
	}
}

// wake returns a job that runs at noon, finds these orders, and then gets an error, if there is
// one.
func wake(sent *[]saga.Message, failure error, late ...order.Late) order.WakeJob {
	return order.WakeJob{
		Now: func() time.Time { return ordertest.Noon },
		Overdue: func(_ context.Context, now time.Time, each func(order.Late) error) error {
			for _, l := range late {
				if err := each(l); err != nil {
					return err
				}
			}
			return failure
		},
		Send: func(_ context.Context, messages ...saga.Message) error {
			*sent = append(*sent, messages...)
			return nil
		},
	}
}

func TestWakeJob_SendsWhatItFoundBeforeAnError(t *testing.T) {
	var sent []saga.Message
	unavailable := errors.New("the index is unavailable")
	job := wake(
		&sent, unavailable, order.Late{Shop: "main", ID: "ord_1", Due: ordertest.Noon.Add(-time.Second)},
		order.Late{Shop: "other", ID: "ord_1", Due: ordertest.Noon.Add(-time.Second)},
	)
	assert.ErrorIs(t, job.Run(t.Context()), unavailable, "the run fails")
	require.Len(t, sent, 2)
	assert.NotEqual(t, sent[0].Event.ID, sent[1].Event.ID, "two shops may have orders with the same id")
	assert.Equal(t, saga.AdvanceOrder, sent[0].To)
	overdue, err := saga.As[saga.Overdue](sent[0].Event)
	require.NoError(t, err)
	assert.Equal(
		t, saga.Overdue{Order: "ord_1", Shop: "main", Due: ordertest.Noon.Add(-time.Second).UnixMilli()}, overdue,
	)
}
