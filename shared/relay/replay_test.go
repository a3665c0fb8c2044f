package relay_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	rows "backroom/shared/record"
	"backroom/shared/relay"
	"backroom/shared/saga"
)

// A paid is a row that holds what most facts carry.
type paid struct {
	Order         string      `dynamodbav:"order"`
	Shop          saga.Shop   `dynamodbav:"shop"`
	Owner         string      `dynamodbav:"owner"`
	Lines         []saga.Line `dynamodbav:"lines"`
	Total         int64       `dynamodbav:"total"`
	Currency      string      `dynamodbav:"currency"`
	PaymentMethod string      `dynamodbav:"payment_method,omitempty"`
}

func row(order string) paid {
	return paid{Order: order, Shop: "main", Owner: "anna@example.com", Lines: []saga.Line{}, Total: 1 << 53, Currency: "EUR", PaymentMethod: "pm"}
}

// An archive is a table whose rows are written one version after the other.
type archive struct {
	*cloudtest.Cloud
	rows.Table
	id string
}

// write adds a version to a row, an hour after the last, and returns its stream record.
func (a archive) write(t *testing.T, item paid, facts ...saga.Fact) events.DynamoDBEventRecord {
	t.Helper()
	key := rows.Key(item.Shop, item.Order)
	d, err := a.Load(t.Context(), key, &struct{}{})
	if err != nil {
		require.ErrorIs(t, err, rows.ErrNotFound)
	}
	require.NoError(t, a.Save(t.Context(), rows.Change{Key: key, Item: item, History: d, Cause: saga.Cause{ID: "event", Actor: "test"}, Facts: facts}))
	a.Clock.Pass(time.Hour)
	return a.Record(a.id, key)
}

// letters drains all queues and returns how often each letter was in one, by its queue and body.
func letters(t *testing.T, c *cloudtest.Cloud) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, queue := range []string{"ReserveStockQueue", "AuthorizePaymentQueue", "AdvanceOrderQueue"} {
		for _, body := range c.Drain(queue) {
			assert.NotContains(t, body, "anna")
			all[queue+" "+body]++
		}
	}
	return all
}

func TestWhatTheStreamsForgotIsSentAgainFromTheTables(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	orders, holds := archive{c, c.Runtime().Table(c.Table("Orders")), "Orders"}, archive{c, c.Runtime().Table(c.Table("Reservations")), "Reservations"}
	orders.write(t, row("ord_old"), saga.OrderPlaced)
	gap := c.Clock.Now()
	lost := []events.DynamoDBEventRecord{
		orders.write(t, row("ord_1"), saga.OrderPlaced),
		orders.write(t, row("ord_old"), saga.OrderRetried, saga.ReserveDue, saga.PaymentCheckDue),
		holds.write(t, row("ord_old"), saga.StockReserved),
	}
	orders.write(t, row("ord_old"), saga.OrderNeedsAttention)

	require.NoError(t, r.Read(t.Context(), lost))
	first := letters(t, c)
	require.Len(t, first, 4)

	again := relay.Replay{Queues: r.Queues, Rate: 1000}
	for range 2 {
		tally, err := again.Send(t.Context(), orders.Table, gap)
		require.NoError(t, err)
		assert.Equal(t, relay.Summary{
			Rows: 2, Facts: map[saga.Fact]int{saga.OrderPlaced: 1, saga.ReserveDue: 1, saga.PaymentCheckDue: 1}, Unrecoverable: map[string][]string{},
		}, tally)
		tally, err = again.Send(t.Context(), holds.Table, gap)
		require.NoError(t, err)
		assert.Equal(t, relay.Summary{Rows: 1, Facts: map[saga.Fact]int{saga.StockReserved: 1}, Unrecoverable: map[string][]string{}}, tally)
		assert.Equal(t, first, letters(t, c), "every letter as the stream would have told it, to its id")
	}
}

func TestWhatIsOnlyLookedAtIsNotSent(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	orders := archive{c, c.Runtime().Table(c.Table("Orders")), "Orders"}
	orders.write(t, row("ord_1"), saga.OrderPlaced)

	tally, err := relay.Replay{Queues: r.Queues, Rate: 1000, DryRun: true}.Send(t.Context(), orders.Table, cloudtest.Epoch)

	require.NoError(t, err)
	assert.Equal(t, map[saga.Fact]int{saga.OrderPlaced: 1}, tally.Facts)
	assert.Empty(t, letters(t, c))
}

func TestARowThatCannotTellItsFactAnyMoreIsNamed(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	holds := archive{c, c.Runtime().Table(c.Table("Reservations")), "Reservations"}
	for _, order := range []string{"ord_1", "ord_2"} {
		holds.write(t, row(order), saga.StockReserved)
		released := row(order)
		released.PaymentMethod = ""
		holds.write(t, released, saga.StockReleased)
	}
	c.Put("Reservations", `{"pk":"main#what"}`)

	tally, err := relay.Replay{Queues: r.Queues, Rate: 1000}.Send(t.Context(), holds.Table, cloudtest.Epoch)

	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"main#ord_1", "main#ord_2"}, tally.Unrecoverable[`StockReserved: the row has no attribute "payment_method"`])
	assert.Len(t, tally.Unrecoverable, 2, "the other is no row of ours: %v", tally.Unrecoverable)
	assert.Equal(t, map[saga.Fact]int{saga.StockReleased: 2}, tally.Facts)
	for letter := range letters(t, c) {
		var e saga.Event
		require.NoError(t, json.Unmarshal([]byte(letter[len("AdvanceOrderQueue "):]), &e))
		assert.Equal(t, saga.StockReleased, e.Type)
	}
}

func TestManyRowsAreReadAtARate(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	for i := range 201 {
		c.Put("Reservations", `{"pk":"main#ord_`+string(rune('a'+i%26))+string(rune('a'+i/26))+`","version":1,"nonce":"n","order":"o","shop":"main","history":[]}`)
	}
	began := time.Now()

	tally, err := relay.Replay{Queues: r.Queues, Rate: 400}.Send(t.Context(), c.Runtime().Table(c.Table("Reservations")), cloudtest.Epoch)

	require.NoError(t, err)
	assert.Equal(t, 201, tally.Rows, "page after page")
	assert.GreaterOrEqual(t, time.Since(began), 500*time.Millisecond)
}

func TestAQueueThatTakesNothingEndsIt(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	orders := archive{c, c.Runtime().Table(c.Table("Orders")), "Orders"}
	orders.write(t, row("ord_1"), saga.OrderPlaced)
	c.Remove("ReserveStockQueue")

	tally, err := relay.Replay{Queues: r.Queues, Rate: 1000}.Send(t.Context(), orders.Table, cloudtest.Epoch)

	require.ErrorContains(t, err, "reserve-stock")
	assert.Zero(t, tally.Rows)
}
