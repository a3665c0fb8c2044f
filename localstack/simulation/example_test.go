package simulation_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/simulation"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

// This test is the story of one order, from the request that places it to the mail about it. Read
// it from the first line to the last: each paragraph is one step of the saga, and asserts what that
// step wrote. shared/saga/routes.go has all facts and routes. The functions are those that are
// deployed; the cloud around them is simulated (package simulation).
func TestExample_OrderIsPaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Staff add products at 1.00, 1.01 … EUR and deliver 10 units of each. A level counts what
		// can be sold and what is promised.
		s := open(t, simulation.Settings{Seed: 1}, 10)
		assert.Equal(t, [2]int{10, 0}, s.level("SKU-0"))

		// A customer places an order: POST /orders, one unit each of two products, with a card that
		// pays. place-order prices the lines and writes one row, the order. The fact OrderPlaced is
		// in the log of that row, so both are written or neither is. The answer is 202: the order
		// is accepted, and everything else happens later.
		o := s.buyer("ada").place(basket("pm_card_visa", 2))
		assert.Equal(t, "placed", o.row("Orders").Status)
		assert.Equal(t, []string{"ada: OrderPlaced"}, o.facts())

		// relay-facts reads the stream of the table and sends OrderPlaced to the queue of
		// reserve-stock. That step moves the units of all lines from sellable to promised, and
		// writes a row of its own, in one transaction: it takes all lines or none.
		o.until(saga.StockReserved)
		assert.Equal(t, "reserved", o.row("Reservations").Observed)
		assert.Equal(t, [2]int{9, 1}, s.level("SKU-0"))

		// StockReserved goes to authorize-payment. It makes a payment intent at the provider and
		// stores its id before it confirms it. A retry finds that intent again, so no customer is
		// charged twice. The amount is held on the card; it is not taken yet.
		o.until(saga.PaymentIntended)
		assert.Equal(t, "nothing", o.row("Charges").Observed)
		o.until(saga.PaymentAuthorized)
		assert.Equal(t, "authorized", o.row("Charges").Observed)
		assert.Equal(t, "requires_capture", o.intent().Status)
		assert.Zero(t, o.intent().Received)

		// PaymentAuthorized goes to advance-order. Only the order decides how it ends: it has its
		// stock and its payment, and confirms.
		o.until(saga.OrderConfirmed)
		assert.Equal(t, "confirmed", o.row("Orders").Outcome)

		// OrderConfirmed goes to three steps, which run in any order. commit-stock marks the
		// reservation as sold. The units stay promised, because they are still in the warehouse.
		o.until(saga.StockSold)
		assert.Equal(t, "sold", o.row("Reservations").Observed)
		assert.Equal(t, [2]int{9, 1}, s.level("SKU-0"))

		// capture-payment takes the money: 2.01 EUR, once.
		o.until(saga.PaymentCaptured)
		assert.Equal(t, "captured", o.row("Charges").Observed)
		assert.EqualValues(t, 201, o.intent().Received)
		assert.Equal(t, 1, o.intent().Captures)

		// send-notification mails the customer, once. PaymentCaptured goes to advance-order, and
		// the order waits for nothing more.
		o.until(saga.OrderSettled)
		require.True(t, s.Run(time.Hour, s.Quiet), "something is still under way")
		assert.Equal(t, map[string]int{"confirmed": 1}, o.mails())

		// GET /orders/{id} shows the customer the order's status, and what has happened to it.
		shown := o.get()
		assert.EqualValues(t, "paid", shown.Status)
		assert.EqualValues(t, "confirmed", shown.Outcome)
		assert.ElementsMatch(t, []string{
			"ada: OrderPlaced",
			"reserve-stock: StockReserved",
			"authorize-payment: PaymentIntended", "authorize-payment: PaymentAuthorized",
			"advance-order: OrderConfirmed",
			"commit-stock: StockSold", "capture-payment: PaymentCaptured",
			"advance-order: OrderSettled",
		}, o.facts())
		assert.Len(t, shown.Timeline, len(o.facts()))
		assert.Equal(t, map[string]int{"paid confirmed": 1}, s.audit(harm{}))
	})
}

// This test is the story of an order that is canceled at the worst moment: its stock is reserved,
// and its payment is on the way. No step calls another back. Each moves what is desired, and the
// step that sees a difference acts on it.
func TestExample_OrderIsCanceledWhileItIsPaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The provider takes three seconds to answer about this card. authorize-payment has stored
		// the intent, and waits.
		s := open(t, simulation.Settings{Seed: 1}, 10)
		o := s.buyer("ada").place(basket("pm_sandbox_slow_3000", 2))
		o.until(saga.PaymentIntended)
		assert.Equal(t, [2]int{9, 1}, s.level("SKU-0"))

		// The customer cancels: POST /orders/{id}/cancellation. The outcome is given at once, in
		// the order's own row. The order now waits for two things: that its stock is back, and that
		// its money is.
		o.cancel()
		assert.Equal(t, "canceling", o.row("Orders").Status)
		assert.Equal(t, "canceled", o.row("Orders").Outcome)
		assert.NotContains(t, o.facts(), "authorize-payment: PaymentAuthorized", "the payment is no longer on the way")

		// OrderCanceling goes to release-stock, which moves the units back to sellable. The
		// reservation never takes stock again, whatever message comes late.
		o.until(saga.StockReleased)
		assert.Equal(t, "nothing", o.row("Reservations").Observed)
		assert.Equal(t, [2]int{10, 0}, s.level("SKU-0"))

		// It goes to return-payment, too. Once the provider knows what became of the payment, the
		// intent is canceled there: the amount is no longer held on the card, and none of it was
		// taken.
		o.until(saga.PaymentReturned)
		assert.Equal(t, "canceled", o.row("Charges").Observed)
		assert.Equal(t, "canceled", o.intent().Status)
		assert.Zero(t, o.intent().Received)

		// Stock and money are back. advance-order ends the order, and send-notification mails the
		// customer about that alone.
		o.until(saga.OrderCanceled)
		require.True(t, s.Run(time.Hour, s.Quiet), "something is still under way")
		assert.EqualValues(t, "canceled", o.get().Status)
		assert.Equal(t, map[string]int{"canceled": 1}, o.mails())

		// The audit compares all orders with stock, money, mails and queues. The other tests run it
		// after many faults.
		assert.Equal(t, map[string]int{"canceled": 1}, s.audit(harm{}))
	})
}

// level returns how many units of a product can be sold, and how many are promised to orders.
func (s *store) level(sku string) [2]int {
	l := s.rows("Levels")["main#sku#"+sku]
	return [2]int{l.Sellable, l.Promised}
}

// customer is a client of the API with the token of one customer.
type customer struct {
	*store
	name, token string
}

func (s *store) buyer(name string) customer {
	c := customer{store: s, name: name}
	c.call(func(api shop.API) { c.token = s.token(api, name) })
	return c
}

// call runs a request of the customer while the system goes on.
func (c customer) call(request func(shop.API)) {
	c.t.Helper()
	c.Meanwhile(time.Hour, func(connection *http.Client) { request(c.api(connection)) })
}

// purchase is one order, of one customer.
type purchase struct {
	customer
	id string
}

func (c customer) place(b client.OrderRequest) (o purchase) {
	o.customer = c
	c.call(func(api shop.API) { o.id = c.store.place(api, c.token, c.name, b) })
	return o
}

func (o purchase) cancel() {
	o.call(func(api shop.API) {
		accepted, err := api.Cancel(context.Background(), o.token, o.id, "ordered by mistake")
		assert.NoError(o.t, err)
		assert.True(o.t, accepted)
	})
}

func (o purchase) get() (shown client.Order) {
	o.call(func(api shop.API) {
		var err error
		shown, err = api.Order(context.Background(), o.token, o.id)
		assert.NoError(o.t, err)
	})
	return shown
}

// until runs the system until a fact is in the log of one of the order's rows.
func (o purchase) until(fact saga.Fact) {
	o.t.Helper()
	happened := func() bool {
		return slices.ContainsFunc(o.facts(),
			func(line string) bool { return strings.HasSuffix(line, ": "+string(fact)) })
	}
	require.True(o.t, o.Run(time.Hour, happened), "%s never happens", fact)
}

// facts returns what the logs of the order's rows say: the actor, and the fact.
func (o purchase) facts() (lines []string) {
	for _, table := range []string{"Orders", "Reservations", "Charges"} {
		for _, entry := range o.row(table).Log {
			lines = append(lines, entry.Actor+": "+string(entry.Fact))
		}
	}
	return lines
}

// row returns the order's row of a table. Each order has one in each.
func (o purchase) row(table string) row {
	for _, r := range o.rows(table) {
		if r.Order == o.id {
			return r
		}
	}
	return row{}
}

// intent returns the order's payment as the provider knows it.
func (o purchase) intent() row {
	for _, r := range o.rows("Sandbox") {
		if r.Metadata["order"] == o.id {
			return r
		}
	}
	return row{}
}

// mails returns how often each mail about the order was sent, by its template.
func (o purchase) mails() map[string]int {
	sent := map[string]int{}
	for _, mail := range o.rows("Mailbox") {
		if mail.Order == o.id {
			sent[mail.Template] += mail.Sends
		}
	}
	return sent
}
