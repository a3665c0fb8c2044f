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

// A world is where the rows of one story are written, by the stores that write them in production.
type world struct {
	*cloudtest.Cloud
	orders  orderdb.Store
	shelf   stockdb.Store
	charges paymentdb.Store
}

const shop, id = "main", "ord_1"

var cause = saga.Cause{ID: "the-cause", Actor: "the-actor"}

func newWorld(t *testing.T) world {
	c := cloudtest.New(t)
	rows := func(table string) record.Table {
		r := c.Runtime().Table(c.Table(table))
		r.Nonce = func() string { return "nonce" }
		return r
	}
	return world{
		c, orderdb.Store{Table: rows("Orders")}, stockdb.Store{Reservations: rows("Reservations"), Levels: stockdb.Levels{DB: c.Runtime().DynamoDB(), Name: c.Table("Levels")}},
		paymentdb.Store{Table: rows("Charges")},
	}
}

var placed = order.Order{
	ID: id, Shop: shop, Owner: "anna", Email: "anna@example.com", PaymentMethod: "pm_card_visa", Fingerprint: "fingerprint",
	Lines: []saga.Line{{SKU: "MUG-1", Quantity: 2, Price: 1250}, {SKU: "RUG-1", Quantity: 1, Price: money.Max - 2500}},
	Total: money.Money{Amount: money.Max, Currency: "EUR"}, PlacedAt: cloudtest.Epoch, ExpiresAt: cloudtest.Epoch,
	Awaits: []order.Awaited{order.AwaitsOutcome}, Due: cloudtest.Epoch.Add(time.Minute),
}

var wanted = saga.OrderContents{Order: id, Shop: shop, Lines: placed.Lines, Total: placed.Total.Amount, Currency: "EUR", PaymentMethod: "pm_card_visa"}

// told are the facts that rows tell, each written by the domain that tells it.
var told = map[saga.Fact]func(t *testing.T, w world) (table, key string){
	saga.OrderPlaced: func(t *testing.T, w world) (string, string) {
		_, err := w.orders.Create(t.Context(), placed, cause, saga.OrderPlaced)
		require.NoError(t, err)
		return "Orders", record.Key(shop, id)
	},
	saga.ReserveDue:        story(overdueNow),
	saga.PaymentCheckDue:   story(overdueNow),
	saga.OrderConfirmed:    story(confirmed),
	saga.CaptureDue:        story(confirmed, overdueNow),
	saga.OrderRejected:     story(rejected),
	saga.OrderExpired:      story(overdueNow, overdueNow),
	saga.OrderCanceling:    story(canceled),
	saga.ReleaseDue:        story(canceled, overdueNow),
	saga.ReturnDue:         story(canceled, overdueNow),
	saga.OrderCanceled:     story(canceled, order.StockReleased, moneyBack),
	saga.OrderRefunding:    story(confirmed, order.Captured, refund),
	saga.RefundDue:         story(confirmed, order.Captured, refund, overdueNow),
	saga.RefundsWrittenOff: story(confirmed, order.Captured, refund, gaveUp),
	saga.PaymentWrittenOff: story(confirmed, gaveUp),
	saga.OrderRefunded:     story(confirmed, order.Captured, refund, refunded),
	saga.StockReserved: func(t *testing.T, w world) (string, string) {
		for _, l := range wanted.Lines {
			w.Put("Levels", `{"pk":"main#sku#`+l.SKU+`","sellable":10}`)
		}
		hold, fact := stock.Reserve(wanted)
		require.NoError(t, w.shelf.Create(t.Context(), hold, cause, fact))
		return "Reservations", record.Key(shop, id)
	},
	saga.StockShort: func(t *testing.T, w world) (string, string) {
		hold, _ := stock.Reserve(wanted)
		none, fact := stock.Refuse(hold, []string{"RUG-1"})
		require.NoError(t, w.shelf.Create(t.Context(), none, cause, fact))
		return "Reservations", record.Key(shop, id)
	},
	saga.StockReleased: func(t *testing.T, w world) (string, string) {
		r, fact := stock.Release(stock.Reservation{Order: id, Shop: shop, Observed: stock.Nothing})
		require.NoError(t, w.shelf.Save(t.Context(), r, stock.Nothing, cause, fact))
		return "Reservations", record.Key(shop, id)
	},
	saga.PaymentAuthorized: func(t *testing.T, w world) (string, string) {
		return charge(t, w, payment.Intent{ID: "pi_1", Observed: payment.Authorized})
	},
	saga.PaymentCaptured: func(t *testing.T, w world) (string, string) {
		return charge(t, w, payment.Intent{ID: "pi_1", Observed: payment.Authorized}, func(c payment.Charge) (payment.Charge, []saga.Fact) {
			return payment.ApplyIntent(c, payment.Intent{ID: "pi_1", Observed: payment.Captured})
		})
	},
	saga.CaptureFailed: func(t *testing.T, w world) (string, string) {
		return charge(t, w, payment.Intent{ID: "pi_1", Observed: payment.Authorized}, func(c payment.Charge) (payment.Charge, []saga.Fact) {
			return payment.ApplyIntent(c, payment.Intent{ID: "pi_1", Observed: payment.Canceled, Reason: payment.PaymentCanceled})
		})
	},
	saga.PaymentReturned: func(t *testing.T, w world) (string, string) {
		_, err := w.charges.Create(t.Context(), payment.Tombstone(shop, id), cause, saga.PaymentReturned)
		require.NoError(t, err)
		return "Charges", paymentdb.Key(shop, id)
	},
	saga.ReturnFailed:    refunds(saga.RefundStatusSucceeded, saga.RefundStatusFailed, returned),
	saga.PaymentRefunded: refunds(saga.RefundStatusPending, saga.RefundStatusSucceeded, wantedBack),
	saga.RefundFailed:    refunds(saga.RefundStatusPending, saga.RefundStatusFailed, wantedBack),
	saga.PaymentDeclined: func(t *testing.T, w world) (string, string) {
		return charge(t, w, payment.Intent{ID: "pi_1", Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"})
	},
}

// decision is what becomes of an order.
type decision func(order.Order) (order.Order, []saga.Fact)

// story returns the row of an order to which all of this happened, one write each.
func story(decisions ...decision) func(t *testing.T, w world) (table, key string) {
	return func(t *testing.T, w world) (table, key string) {
		_, err := w.orders.Create(t.Context(), placed, cause, saga.OrderPlaced)
		require.NoError(t, err)
		for _, decide := range decisions {
			o, err := w.orders.Load(t.Context(), shop, id)
			require.NoError(t, err)
			next, facts := decide(o)
			require.NoError(t, w.orders.Save(t.Context(), next, cause, facts...))
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
	o, facts, _ := order.Refund(o, order.RefundNote{ID: "rfn_1", Reason: "anna is not happy", By: "carl", At: cloudtest.Epoch}, 1250, cloudtest.Epoch, time.Minute)
	return o, facts
}

func moneyBack(o order.Order) (order.Order, []saga.Fact) { return order.MoneyReturned(o, 4) }

func gaveUp(o order.Order) (order.Order, []saga.Fact) {
	o.Attention = order.NoAnswer
	o, facts, _ := order.Resolve(o, order.Resolution{ID: "res_1", Action: order.WriteOff, Reason: "anna was paid in cash", By: "carl", At: cloudtest.Epoch}, cloudtest.Epoch, time.Minute)
	return o, facts
}

func refunded(o order.Order) (order.Order, []saga.Fact) {
	return order.ApplyRefunds(o, []saga.Refund{{ID: "rfn_1", Amount: 1250, Try: 1, Status: saga.RefundStatusSucceeded}}, cloudtest.Epoch, time.Minute)
}

// refunds returns the row of a captured charge of which a refund stood one way, and then another.
func refunds(first, then saga.RefundStatus, what func(payment.Charge, payment.ProviderRefund) (payment.Charge, []saga.Fact)) func(t *testing.T, w world) (table, key string) {
	return func(t *testing.T, w world) (table, key string) {
		stands := func(state saga.RefundStatus) func(payment.Charge) (payment.Charge, []saga.Fact) {
			return func(c payment.Charge) (payment.Charge, []saga.Fact) {
				return what(c, payment.ProviderRefund{ID: "re_1", Try: 1, Amount: 1250, Status: state})
			}
		}
		return charge(t, w, payment.Intent{ID: "pi_1", Observed: payment.Captured}, stands(first), stands(then))
	}
}

// returned is a refund of everything, for an order that was given up.
func returned(c payment.Charge, m payment.ProviderRefund) (payment.Charge, []saga.Fact) {
	c.Desired, m.Refund = payment.DesiredReturn, payment.FullRefundID
	return payment.ApplyReturn(c, []payment.ProviderRefund{m})
}

// wantedBack is a refund that an order asked for.
func wantedBack(c payment.Charge, m payment.ProviderRefund) (payment.Charge, []saga.Fact) {
	before := c.Refunds
	m.Refund = "rfn_1"
	c = payment.ApplyRefunds(payment.RequestRefunds(c, []saga.Refund{{ID: "rfn_1", Amount: 1250, Try: 1, Status: saga.RefundStatusRequested}}), []payment.ProviderRefund{m})
	return c, payment.RefundFacts(before, c.Refunds)
}

// charge returns the row of a charge that began with an intent, and of which this became, one write each.
func charge(t *testing.T, w world, i payment.Intent, then ...func(payment.Charge) (payment.Charge, []saga.Fact)) (table, key string) {
	c, fact := payment.Begin(payment.New(saga.Payable{Order: id, Shop: shop, Total: 1250, Currency: "EUR", PaymentMethod: "pm_card_visa"}), i)
	c, err := w.charges.Create(t.Context(), c, cause, fact)
	require.NoError(t, err)
	for _, next := range then {
		changed, facts := next(c)
		c, err = w.charges.Save(t.Context(), changed, cause, facts...)
		require.NoError(t, err)
	}
	return "Charges", paymentdb.Key(shop, id)
}

// How every fact looks on its way. Messages wait in queues, and for days in dead-letter queues, while the code that reads
// them changes: a difference here is a change of the language.
func TestHowEveryFactLooksOnItsWay(t *testing.T) {
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
				require.Contains(t, told, fact, "who tells it?")
				w := newWorld(t)
				table, key := told[fact](t, w)
				event = find(t, w, table, key, fact)
			}
			golden(t, fact, event)
			assert.NotContains(t, string(event.Data), "anna", "no personal data")
		})
	}
}

// find reads a row's image as the stream shows it, and returns the event of the fact.
func find(t *testing.T, w world, table, key string, fact saga.Fact) saga.Event {
	t.Helper()
	tells, err := record.Events(w.Record(table, key).Change.NewImage)
	require.NoError(t, err)
	for _, e := range tells {
		if e.Type == fact {
			return e
		}
	}
	t.Fatalf("the row does not tell %s", fact)
	return saga.Event{}
}

func overdue(t *testing.T) (event saga.Event) {
	t.Helper()
	job := order.WakeJob{
		Now: func() time.Time { return cloudtest.Epoch.Add(90 * time.Second) },
		Overdue: func(_ context.Context, _ time.Time, each func(order.Late) error) error {
			return each(order.Late{Shop: shop, ID: id, Due: placed.Due})
		},
		Send: func(_ context.Context, letters ...saga.Message) error {
			require.Len(t, letters, 1)
			event = letters[0].Event
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
	assert.Equal(t, string(kept), string(body)+"\n", "if the change is meant: go test ./shared/saga -run Looks -update")
}
