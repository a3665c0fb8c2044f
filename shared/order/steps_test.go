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

// desk keeps one order. Races is how often another moves it just before it is saved.
type desk struct {
	order  order.Order
	races  int
	absent bool
	facts  []saga.Fact
	loads  int
}

func (d *desk) Load(context.Context, saga.Shop, string) (order.Order, error) {
	d.loads++
	if d.absent {
		return order.Order{}, fault.NotFound
	}
	return d.order, nil
}

func (d *desk) Save(_ context.Context, o order.Order, _ saga.Cause, facts ...saga.Fact) error {
	if d.races > 0 {
		d.races--
		return fault.Conflict
	}
	d.order, d.facts = o, append(d.facts, facts...)
	return nil
}

func (d *desk) step() order.AdvanceStep {
	return order.AdvanceStep{Orders: d, Now: func() time.Time { return ordertest.Noon.Add(3 * time.Minute) }, RetryDelay: ordertest.RetryDelay}
}

// about returns an event about the order.
func about(t *testing.T, fact saga.Fact, carries any) saga.Event {
	t.Helper()
	data, err := json.Marshal(carries)
	require.NoError(t, err)
	return saga.Event{ID: "event", Type: fact, Subject: "ord_1", Shop: "main", Data: data}
}

func TestAdvancing(t *testing.T) {
	whole := saga.OrderRef{Order: "ord_1", Shop: "main"}
	for sentence, c := range map[string]struct {
		event  func(*testing.T) saga.Event
		desk   desk
		status order.Status
		reason string
		facts  []saga.Fact
		err    error
	}{
		"an authorized payment confirms": {
			event: func(t *testing.T) saga.Event { return about(t, saga.PaymentAuthorized, whole) },
			desk:  desk{order: ordertest.Given(order.StatusPlaced)}, status: order.StatusConfirmed, facts: []saga.Fact{saga.OrderConfirmed},
		},
		"a declined payment rejects with its reason": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.PaymentDeclined, saga.Declined{Order: "ord_1", Shop: "main", Reason: "card-declined"})
			},
			desk: desk{order: ordertest.Given(order.StatusPlaced)}, status: order.StatusRejected, reason: "card-declined", facts: []saga.Fact{saga.OrderRejected},
		},
		"missing stock rejects": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.StockShort, saga.Short{Order: "ord_1", Shop: "main", Short: []string{"MUG"}})
			},
			desk: desk{order: ordertest.Given(order.StatusPlaced)}, status: order.StatusRejected, reason: order.OutOfStock, facts: []saga.Fact{saga.OrderRejected},
		},
		"a wake-up call asks": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.OrderOverdue, saga.Overdue{Order: "ord_1", Shop: "main", Due: ordertest.Noon.Add(ordertest.RetryDelay).UnixMilli()})
			},
			desk: desk{order: ordertest.Given(order.StatusPlaced)}, status: order.StatusPlaced, facts: []saga.Fact{saga.ReserveDue, saga.PaymentCheckDue},
		},
		"a wake-up call that is out of date does nothing": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.OrderOverdue, saga.Overdue{Order: "ord_1", Shop: "main", Due: ordertest.Noon.UnixMilli()})
			},
			desk: desk{order: ordertest.Given(order.StatusPlaced)}, status: order.StatusPlaced,
		},
		"a captured payment closes": {
			event: func(t *testing.T) saga.Event { return about(t, saga.PaymentCaptured, whole) },
			desk:  desk{order: ordertest.Given(order.StatusConfirmed)}, status: order.StatusPaid, facts: []saga.Fact{saga.OrderSettled},
		},
		"a payment that can not be captured needs a person": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.CaptureFailed, saga.Declined{Order: "ord_1", Shop: "main", Reason: "authorization-lapsed"})
			},
			desk: desk{order: ordertest.Given(order.StatusConfirmed)}, status: order.StatusNeedsAttention, facts: []saga.Fact{saga.OrderNeedsAttention},
		},
		"stock that came back is struck": {
			event: func(t *testing.T) saga.Event { return about(t, saga.StockReleased, whole) },
			desk:  desk{order: ordertest.Given(order.StatusCanceling)}, status: order.StatusCanceling, facts: []saga.Fact{saga.OrderStockReleased},
		},
		"money that came back is struck": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.PaymentReturned, saga.ChargeVersion{Order: "ord_1", Shop: "main", Version: 4})
			},
			desk: desk{order: ordertest.Given(order.StatusCanceling)}, status: order.StatusCanceling, facts: []saga.Fact{saga.OrderMoneyReturned},
		},
		"money that did not arrive is owed again": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.ReturnFailed, saga.ChargeVersion{Order: "ord_1", Shop: "main", Version: 5})
			},
			desk: desk{order: ordertest.Given(order.StatusCanceled)}, status: order.StatusCanceling, facts: []saga.Fact{saga.OrderReopened},
		},
		"an event that was heeded once is not heeded again": {
			event: func(t *testing.T) saga.Event {
				return about(t, saga.ReturnFailed, saga.ChargeVersion{Order: "ord_1", Shop: "main", Version: 5})
			},
			desk: desk{order: func() order.Order {
				o := ordertest.Given(order.StatusCanceled)
				o.History.Entries = []saga.Entry{{Fact: saga.OrderReopened, Cause: saga.Cause{ID: "event"}}, {Fact: saga.OrderCanceled, Cause: saga.Cause{ID: "another"}}}
				return o
			}()}, status: order.StatusCanceled,
		},
		"a lost race is decided anew": {
			event: func(t *testing.T) saga.Event { return about(t, saga.PaymentAuthorized, whole) },
			desk:  desk{order: ordertest.Given(order.StatusPlaced), races: 2}, status: order.StatusConfirmed, facts: []saga.Fact{saga.OrderConfirmed},
		},
		"a race that is lost again and again goes back to the queue": {
			event: func(t *testing.T) saga.Event { return about(t, saga.PaymentAuthorized, whole) },
			desk:  desk{order: ordertest.Given(order.StatusPlaced), races: 3}, status: order.StatusPlaced, err: fault.Conflict,
		},
		"an order that is not there is a bug": {
			event: func(t *testing.T) saga.Event { return about(t, saga.PaymentAuthorized, whole) },
			desk:  desk{absent: true}, status: order.StatusPlaced, err: fault.NotFound,
		},
		"an unreadable fact is a bug": {
			event: func(t *testing.T) saga.Event { return about(t, saga.PaymentDeclined, whole) },
			desk:  desk{order: ordertest.Given(order.StatusPlaced)}, status: order.StatusPlaced, err: fault.Malformed,
		},
		"a fact without a rule is a bug": {
			event: func(t *testing.T) saga.Event { return about(t, saga.OrderPlaced, whole) },
			desk:  desk{order: ordertest.Given(order.StatusPlaced)}, status: order.StatusPlaced, err: fault.Internal,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			d := c.desk
			err := d.step().Handle(t.Context(), c.event(t))
			assert.Equal(t, fault.KindOf(c.err), fault.KindOf(err), "%v", err)
			assert.Equal(t, c.facts, d.facts)
			assert.Equal(t, [2]string{string(c.status), c.reason}, [2]string{string(d.order.Status()), d.order.Reason})
		})
	}
}

func TestWhatAnOrderHearsOfItsMoneyIsCountedOnce(t *testing.T) {
	failed := about(t, saga.CaptureFailed, saga.Declined{Order: "ord_1", Shop: "main", Reason: "authorization-lapsed"})
	for sentence, c := range map[string]struct {
		event   saga.Event
		desk    desk
		counted []string
	}{
		"a payment that was taken":     {about(t, saga.PaymentCaptured, saga.OrderRef{Order: "ord_1", Shop: "main"}), desk{order: ordertest.Given(order.StatusConfirmed)}, []string{"OrdersSettled", "PaymentsCaptured"}},
		"a payment that was not taken": {failed, desk{order: ordertest.Given(order.StatusConfirmed)}, []string{"CapturesFailed", "OrdersNeedAttention"}},
		"what changes nothing":         {failed, desk{order: ordertest.Given(order.StatusPaid)}, nil},
		"what could not be saved":      {failed, desk{order: ordertest.Given(order.StatusConfirmed), races: 3}, nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			var written bytes.Buffer
			ctx, line := observe.Begin(t.Context(), slog.New(slog.NewJSONHandler(&written, nil)))
			err := c.desk.step().Handle(ctx, c.event)
			line.Done(ctx, "done", err, true)
			var fields map[string]any
			require.NoError(t, json.Unmarshal(written.Bytes(), &fields))
			var counted []string
			for name, values := range fields {
				if many, ok := values.([]any); ok {
					require.Equal(t, []any{1.0}, many, name)
					counted = append(counted, name)
				}
			}
			assert.ElementsMatch(t, c.counted, counted)
		})
	}
}

func TestEveryFactThatTheOrderHearsHasARule(t *testing.T) {
	for fact, route := range saga.Routes {
		for _, step := range route.To {
			if step != saga.AdvanceOrder {
				continue
			}
			d := desk{order: ordertest.Given(order.StatusConfirmed)}
			err := d.step().Handle(t.Context(), about(t, fact, map[string]any{"order": "ord_1", "shop": "main", "due": 1, "reason": "r", "short": []string{}, "refunds": []saga.Refund{}, "version": 3}))
			assert.NoError(t, err, fact)
		}
	}
}

func TestWhenALateOrderIsWoken(t *testing.T) {
	for _, c := range []struct {
		late  time.Duration
		woken bool
	}{
		{30 * time.Second, true}, {time.Minute, true}, {2*time.Minute + 59*time.Second, true}, {3 * time.Minute, false}, {4 * time.Minute, true},
		{5 * time.Minute, false}, {7 * time.Minute, false}, {8 * time.Minute, true}, {63 * time.Minute, false}, {64 * time.Minute, true},
	} {
		var sent []saga.Message
		job := wake(&sent, nil, order.Late{Shop: "main", ID: "ord_1", Due: ordertest.Noon.Add(-c.late)})
		require.NoError(t, job.Run(t.Context()))
		assert.Equal(t, c.woken, len(sent) == 1, "%s after it was due", c.late)
	}
}

// wake returns the job that finds these orders at noon, and then perhaps an error.
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
		Send: func(_ context.Context, letters ...saga.Message) error {
			*sent = append(*sent, letters...)
			return nil
		},
	}
}

func TestWhatWasFoundIsSentThoughTheRestCouldNotBeRead(t *testing.T) {
	var sent []saga.Message
	away := errors.New("the index is away")
	job := wake(&sent, away, order.Late{Shop: "main", ID: "ord_1", Due: ordertest.Noon.Add(-time.Second)}, order.Late{Shop: "other", ID: "ord_1", Due: ordertest.Noon.Add(-time.Second)})
	assert.ErrorIs(t, job.Run(t.Context()), away, "and the run fails")
	require.Len(t, sent, 2)
	assert.NotEqual(t, sent[0].Event.ID, sent[1].Event.ID, "two shops may have orders of one id")
	assert.Equal(t, saga.AdvanceOrder, sent[0].To)
	overdue, err := saga.As[saga.Overdue](sent[0].Event)
	require.NoError(t, err)
	assert.Equal(t, saga.Overdue{Order: "ord_1", Shop: "main", Due: ordertest.Noon.Add(-time.Second).UnixMilli()}, overdue)
}
