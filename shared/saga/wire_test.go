package saga_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/record"
	"backroom/shared/saga"
	"backroom/shared/stock"
	"backroom/shared/stock/stockdb"
)

var update = flag.Bool("update", false, "write shared/saga/testdata instead of comparing it")

// stores writes the rows of one order, as in production.
type stores struct {
	*cloudtest.Cloud
	orders  orderdb.Store
	stock   stockdb.Store
	charges paymentdb.Store
}

const shop, id = "main", "ord_1"

var cause = saga.Cause{ID: "the-cause", Actor: "the-actor"}

func newStores(t *testing.T) stores {
	c := cloudtest.New(t)
	rows := func(table string) record.Table {
		r := c.Runtime().Table(c.Table(table))
		r.Nonce = func() string { return "nonce" }
		return r
	}
	levels := stockdb.Levels{DB: c.Runtime().DynamoDB(), Name: c.Table("Levels")}
	return stores{
		c, orderdb.Store{Table: rows("Orders")}, stockdb.Store{Reservations: rows("Reservations"), Levels: levels},
		paymentdb.Store{Table: rows("Charges")},
	}
}

var placed = order.Order{
	ID: id, Shop: shop, Owner: "anna", Email: "anna@example.com",
	PaymentMethod: "pm_card_visa", Fingerprint: "fingerprint",
	Lines: []saga.Line{{SKU: "MUG-1", Quantity: 2, Price: 1250}, {SKU: "RUG-1", Quantity: 1, Price: money.Max - 2500}},
	Total: money.Money{Amount: money.Max, Currency: "EUR"}, PlacedAt: cloudtest.Epoch, ExpiresAt: cloudtest.Epoch,
	Awaits: []order.Awaited{order.AwaitsOutcome}, Due: cloudtest.Epoch.Add(time.Minute),
}

var contents = saga.OrderContents{
	Order: id, Shop: shop, Lines: placed.Lines, Total: placed.Total.Amount, Currency: "EUR",
	PaymentMethod: "pm_card_visa",
}

var authorized = payment.Intent{ID: "pi_1", Observed: payment.Authorized}

// recorded has, for each fact with consumers, a function by which its domain records it. It returns
// the row.
var recorded = map[saga.Fact]func(t *testing.T, s stores) (table, key string){
	saga.OrderPlaced: func(t *testing.T, s stores) (string, string) {
		_, err := s.orders.Create(t.Context(), placed, cause, saga.OrderPlaced)
		require.NoError(t, err)
		return "Orders", record.Key(shop, id)
	},
	saga.ReserveDue:        changes(overdueNow),
	saga.PaymentCheckDue:   changes(overdueNow),
	saga.OrderConfirmed:    changes(confirmed),
	saga.CaptureDue:        changes(confirmed, overdueNow),
	saga.OrderRejected:     changes(rejected),
	saga.OrderExpired:      changes(overdueNow, overdueNow),
	saga.OrderCanceling:    changes(canceled),
	saga.ReleaseDue:        changes(canceled, overdueNow),
	saga.ReturnDue:         changes(canceled, overdueNow),
	saga.OrderCanceled:     changes(canceled, order.StockReleased, moneyBack),
	saga.OrderRefunding:    changes(confirmed, order.Captured, refund),
	saga.RefundDue:         changes(confirmed, order.Captured, refund, overdueNow),
	saga.RefundsWrittenOff: changes(confirmed, order.Captured, refund, writtenOff),
	saga.PaymentWrittenOff: changes(confirmed, writtenOff),
	saga.OrderRefunded:     changes(confirmed, order.Captured, refund, refunded),
	saga.StockReserved: func(t *testing.T, s stores) (string, string) {
		for _, l := range contents.Lines {
			s.Put("Levels", `{"pk":"main#sku#`+l.SKU+`","sellable":10}`)
		}
		reservation, fact := stock.Reserve(contents)
		require.NoError(t, s.stock.Create(t.Context(), reservation, cause, fact))
		return "Reservations", record.Key(shop, id)
	},
	saga.StockShort: func(t *testing.T, s stores) (string, string) {
		reservation, _ := stock.Reserve(contents)
		refused, fact := stock.Refuse(reservation, []string{"RUG-1"})
		require.NoError(t, s.stock.Create(t.Context(), refused, cause, fact))
		return "Reservations", record.Key(shop, id)
	},
	saga.StockReleased: func(t *testing.T, s stores) (string, string) {
		r, fact := stock.Release(stock.Reservation{Order: id, Shop: shop, Observed: stock.Nothing})
		require.NoError(t, s.stock.Save(t.Context(), r, stock.Nothing, cause, fact))
		return "Reservations", record.Key(shop, id)
	},
	saga.PaymentAuthorized: func(t *testing.T, s stores) (string, string) {
		return charge(t, s, authorized)
	},
	saga.PaymentCaptured: func(t *testing.T, s stores) (string, string) {
		return charge(t, s, authorized, intent(payment.Intent{ID: "pi_1", Observed: payment.Captured}))
	},
	saga.CaptureFailed: func(t *testing.T, s stores) (string, string) {
		return charge(t, s, authorized, intent(payment.Intent{
			ID: "pi_1", Observed: payment.Canceled, Reason: payment.PaymentCanceled,
		}))
	},
	saga.PaymentReturned: func(t *testing.T, s stores) (string, string) {
		_, err := s.charges.Create(t.Context(), payment.Tombstone(shop, id), cause, saga.PaymentReturned)
		require.NoError(t, err)
		return "Charges", paymentdb.Key(shop, id)
	},
	saga.ReturnFailed:    refunds(saga.RefundStatusSucceeded, saga.RefundStatusFailed, returned),
	saga.PaymentRefunded: refunds(saga.RefundStatusPending, saga.RefundStatusSucceeded, partly),
	saga.RefundFailed:    refunds(saga.RefundStatusPending, saga.RefundStatusFailed, partly),
	saga.RefundRefused:   refunds(saga.RefundStatusPending, saga.RefundStatusRefused, partly),
	saga.ExternalMoneyMoved: func(t *testing.T, s stores) (string, string) {
		return charge(t, s, payment.Intent{ID: "pi_1", Observed: payment.Captured},
			func(c payment.Charge) (payment.Charge, []saga.Fact) { return payment.ApplyBalance(c, disputed) })
	},
	saga.PaymentDeclined: func(t *testing.T, s stores) (string, string) {
		return charge(t, s, payment.Intent{
			ID: "pi_1", Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card",
		})
	},
}

// decision is a change of an order and the facts it leads to.
type decision func(order.Order) (order.Order, []saga.Fact)

// changes returns the row of an order after these decisions, one write each.
func changes(decisions ...decision) func(t *testing.T, s stores) (table, key string) {
	return func(t *testing.T, s stores) (table, key string) {
		_, err := s.orders.Create(t.Context(), placed, cause, saga.OrderPlaced)
		require.NoError(t, err)
		for _, decide := range decisions {
			o, err := s.orders.Load(t.Context(), shop, id)
			require.NoError(t, err)
			next, facts := decide(o)
			require.NoError(t, s.orders.Save(t.Context(), next, cause, facts...))
		}
		return "Orders", record.Key(shop, id)
	}
}

func overdueNow(o order.Order) (order.Order, []saga.Fact) {
	return order.Overdue(o, o.Due, o.Due.Add(time.Second), time.Minute)
}

func confirmed(o order.Order) (order.Order, []saga.Fact) {
	return order.Confirm(o, cloudtest.Epoch, time.Minute)
}

func rejected(o order.Order) (order.Order, []saga.Fact) {
	return order.Reject(o, order.OutOfStock, cloudtest.Epoch, time.Minute)
}

func canceled(o order.Order) (order.Order, []saga.Fact) {
	o, facts, _ := order.Cancel(o, "anna changed her mind", cloudtest.Epoch, time.Minute)
	return o, facts
}

func refund(o order.Order) (order.Order, []saga.Fact) {
	note := order.RefundNote{ID: "rfn_1", Reason: "anna is not happy", By: "carl", At: cloudtest.Epoch}
	o, facts, _ := order.Refund(o, note, 1250, cloudtest.Epoch, time.Minute)
	return o, facts
}

func moneyBack(o order.Order) (order.Order, []saga.Fact) { return order.MoneyReturned(o, 4) }

func writtenOff(o order.Order) (order.Order, []saga.Fact) {
	o.Attention = order.NoAnswer
	resolution := order.Resolution{
		ID: "res_1", Action: order.WriteOff, Reason: "anna was paid in cash", By: "carl", At: cloudtest.Epoch,
	}
	o, facts, _ := order.Resolve(o, resolution, cloudtest.Epoch, time.Minute)
	return o, facts
}

func refunded(o order.Order) (order.Order, []saga.Fact) {
	succeeded := []saga.Refund{{ID: "rfn_1", Amount: 1250, Try: 1, Status: saga.RefundStatusSucceeded}}
	return order.ApplyRefunds(o, succeeded, cloudtest.Epoch, time.Minute)
}

// refunds returns the row of a captured charge with a refund that has one status at first, and then
// another.
func refunds(
	first, then saga.RefundStatus, apply func(payment.Charge, payment.ProviderRefund) (payment.Charge, []saga.Fact),
) func(t *testing.T, s stores) (table, key string) {
	return func(t *testing.T, s stores) (table, key string) {
		with := func(status saga.RefundStatus) func(payment.Charge) (payment.Charge, []saga.Fact) {
			return func(c payment.Charge) (payment.Charge, []saga.Fact) {
				return apply(c, payment.ProviderRefund{ID: "re_1", Try: 1, Amount: 1250, Status: status})
			}
		}
		return charge(t, s, payment.Intent{ID: "pi_1", Observed: payment.Captured}, with(first), with(then))
	}
}

// returned applies a refund of everything, for an order whose money must come back.
func returned(c payment.Charge, r payment.ProviderRefund) (payment.Charge, []saga.Fact) {
	c.Desired, r.Refund = payment.DesiredReturn, payment.FullRefundID
	return payment.ApplyReturn(c, payment.Balance{Received: 1250, Refunds: []payment.ProviderRefund{r}})
}

// disputed is the balance of a charge of which a person refunded a part, and a bank disputes another.
var disputed = payment.Balance{
	Received: 1250, Refunds: []payment.ProviderRefund{{ID: "re_0", Amount: 400, Status: saga.RefundStatusSucceeded}},
	Disputes: []payment.Dispute{{ID: "dp_1", Amount: 100, Status: payment.DisputeOpen}},
}

// partly applies a refund that an order requested.
func partly(c payment.Charge, r payment.ProviderRefund) (payment.Charge, []saga.Fact) {
	before := c.Refunds
	r.Refund = "rfn_1"
	c = payment.RequestRefunds(c,
		[]saga.Refund{{ID: "rfn_1", Amount: 1250, Try: 1, Status: saga.RefundStatusRequested}})
	c = payment.ApplyRefunds(c, []payment.ProviderRefund{r})
	c, _ = payment.ApplyBalance(c, disputed)
	return c, payment.RefundFacts(before, c.Refunds)
}

// intent returns the change of a charge whose intent is i.
func intent(i payment.Intent) func(payment.Charge) (payment.Charge, []saga.Fact) {
	return func(c payment.Charge) (payment.Charge, []saga.Fact) { return payment.ApplyIntent(c, i) }
}

// charge returns the row of a charge that begins with an intent, after these changes, one write
// each.
func charge(
	t *testing.T, s stores, i payment.Intent, then ...func(payment.Charge) (payment.Charge, []saga.Fact),
) (table, key string) {
	payable := saga.Payable{Order: id, Shop: shop, Total: 1250, Currency: "EUR", PaymentMethod: "pm_card_visa"}
	c, fact := payment.Begin(payment.New(payable), i)
	c, err := s.charges.Create(t.Context(), c, cause, fact)
	require.NoError(t, err)
	for _, next := range then {
		changed, facts := next(c)
		c, err = s.charges.Save(t.Context(), changed, cause, facts...)
		require.NoError(t, err)
	}
	return "Charges", paymentdb.Key(shop, id)
}

// Messages wait in queues, and for days in dead-letter queues, while the code that reads them
// changes. A difference from a golden message is a change of the protocol between versions.
func TestEvent_EveryFactLooksLikeItsGoldenMessage(t *testing.T) {
	for fact, route := range saga.Routes {
		if !fact.HasConsumers() {
			continue
		}
		t.Run(string(fact), func(t *testing.T) {
			t.Parallel()
			var event saga.Event
			if route.Source == saga.Clock {
				event = overdue(t)
			} else {
				require.Contains(t, recorded, fact, "add how its domain records it")
				s := newStores(t)
				table, key := recorded[fact](t, s)
				event = find(t, s, table, key, fact)
			}
			golden(t, fact, event)
			assert.NotContains(t, string(event.Data), "anna", "no personal data")
		})
	}
}

// find reads a row's image as the stream has it, and returns the event of the fact.
func find(t *testing.T, s stores, table, key string, fact saga.Fact) saga.Event {
	t.Helper()
	events, err := record.Events(s.Record(table, key).Change.NewImage)
	require.NoError(t, err)
	for _, e := range events {
		if e.Type == fact {
			return e
		}
	}
	t.Fatalf("the row has not recorded %s", fact)
	return saga.Event{}
}

func overdue(t *testing.T) (event saga.Event) {
	t.Helper()
	job := order.WakeJob{
		Now: func() time.Time { return cloudtest.Epoch.Add(90 * time.Second) },
		Overdue: func(_ context.Context, _ time.Time, each func(order.Late) error) error {
			return each(order.Late{Shop: shop, ID: id, Due: placed.Due})
		},
		Send: func(_ context.Context, messages ...saga.Message) error {
			require.Len(t, messages, 1)
			event = messages[0].Event
			return nil
		},
	}
	require.NoError(t, job.Run(t.Context()))
	return event
}

func golden(t *testing.T, fact saga.Fact, e saga.Event) {
	t.Helper()
	file := filepath.Join("testdata", string(fact)+".json")
	body, err := json.MarshalIndent(e, "", "  ")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, append(body, '\n'), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(kept), string(body)+"\n",
		"if the change is intended: go test ./shared/saga -run GoldenMessage -update")
}
