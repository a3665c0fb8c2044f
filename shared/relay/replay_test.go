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

// paid is a row with the data of most facts.
type line struct {
	SKU      string `dynamodbav:"sku" record:"key"`
	Quantity int64  `dynamodbav:"quantity"`
	Price    int64  `dynamodbav:"price"`
}

type paid struct {
	Order         string    `dynamodbav:"order"`
	Shop          saga.Shop `dynamodbav:"shop"`
	Owner         string    `dynamodbav:"owner"`
	Lines         []line    `dynamodbav:"lines"`
	Total         int64     `dynamodbav:"total"`
	Currency      string    `dynamodbav:"currency"`
	PaymentMethod string    `dynamodbav:"payment_method,omitempty"`
}

func row(order string) paid {
	return paid{Order: order, Shop: "main", Owner: "anna@example.com", Lines: []line{}, Total: 1 << 53,
		Currency: "EUR", PaymentMethod: "pm"}
}

// versionedTable is a table whose rows are written version by version.
type versionedTable struct {
	*cloudtest.Cloud
	rows.Table
	id string
}

// write adds a version to a row, an hour after the last, and returns its stream record.
func (a versionedTable) write(t *testing.T, item paid, facts ...saga.Fact) events.DynamoDBEventRecord {
	t.Helper()
	key := rows.Key(item.Shop, item.Order)
	history, err := a.Load(t.Context(), key, &struct{}{})
	if err != nil {
		require.ErrorIs(t, err, rows.ErrNotFound)
	}
	require.NoError(t,
		a.Save(t.Context(),
			rows.Change{Key: key, Item: item, History: history, Cause: saga.Cause{ID: "event", Actor: "test"},
				Facts: facts}))
	a.Clock.Pass(time.Hour)
	return a.Record(a.id, key)
}

// messages drains all queues and counts the equal messages, by queue and body.
func messages(t *testing.T, c *cloudtest.Cloud) map[string]int {
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

func TestReplay_SendsLostFactsAgainFromTheTables(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	orders := versionedTable{c, c.Runtime().Table(c.Table("Orders")), "Orders"}
	reservations := versionedTable{c, c.Runtime().Table(c.Table("Reservations")), "Reservations"}
	orders.write(t, row("ord_old"), saga.OrderPlaced)
	gap := c.Clock.Now()
	lost := []events.DynamoDBEventRecord{
		orders.write(t, row("ord_1"), saga.OrderPlaced),
		orders.write(t, row("ord_old"), saga.OrderRetried, saga.ReserveDue, saga.PaymentCheckDue),
		reservations.write(t, row("ord_old"), saga.StockReserved),
	}
	orders.write(t, row("ord_old"), saga.OrderNeedsAttention)

	require.NoError(t, r.Read(t.Context(), lost))
	first := messages(t, c)
	require.Len(t, first, 4)

	again := relay.Replay{Queues: r.Queues, Rate: 1000}
	for range 2 {
		summary, err := again.Send(t.Context(), orders.Table, gap)
		require.NoError(t, err)
		assert.Equal(t, relay.Summary{
			Rows: 2, Facts: map[saga.Fact]int{saga.OrderPlaced: 1, saga.ReserveDue: 1, saga.PaymentCheckDue: 1},
			Unrecoverable: map[string][]string{},
		}, summary)
		summary, err = again.Send(t.Context(), reservations.Table, gap)
		require.NoError(t, err)
		assert.Equal(t,
			relay.Summary{Rows: 1, Facts: map[saga.Fact]int{saga.StockReserved: 1},
				Unrecoverable: map[string][]string{}}, summary)
		assert.Equal(t, first, messages(t, c), "every message as from the stream, with the same id")
	}
}

func TestReplay_DryRunSendsNothing(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	orders := versionedTable{c, c.Runtime().Table(c.Table("Orders")), "Orders"}
	orders.write(t, row("ord_1"), saga.OrderPlaced)

	summary,
		err := relay.Replay{Queues: r.Queues, Rate: 1000, DryRun: true}.Send(t.Context(), orders.Table, cloudtest.Epoch)

	require.NoError(t, err)
	assert.Equal(t, map[saga.Fact]int{saga.OrderPlaced: 1}, summary.Facts)
	assert.Empty(t, messages(t, c))
}

func TestReplay_NamesRowsThatLostTheDataOfAFact(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	reservations := versionedTable{c, c.Runtime().Table(c.Table("Reservations")), "Reservations"}
	for _, order := range []string{"ord_1", "ord_2"} {
		reservations.write(t, row(order), saga.StockReserved)
		released := row(order)
		released.PaymentMethod = ""
		reservations.write(t, released, saga.StockReleased)
	}
	c.Put("Reservations", `{"pk":"main#what"}`)

	summary, err := relay.Replay{Queues: r.Queues, Rate: 1000}.Send(t.Context(), reservations.Table, cloudtest.Epoch)

	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"main#ord_1", "main#ord_2"},
		summary.Unrecoverable[`StockReserved: the row has no attribute "payment_method"`])
	assert.Len(t, summary.Unrecoverable, 2, "the other is not a row of ours: %v", summary.Unrecoverable)
	assert.Equal(t, map[saga.Fact]int{saga.StockReleased: 2}, summary.Facts)
	for message := range messages(t, c) {
		var e saga.Event
		require.NoError(t, json.Unmarshal([]byte(message[len("AdvanceOrderQueue "):]), &e))
		assert.Equal(t, saga.StockReleased, e.Type)
	}
}

func TestReplay_ReadsNoFasterThanItsRate(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	for i := range 201 {
		c.Put("Reservations", `{"pk":"main#ord_`+string(rune('a'+i%26))+string(rune('a'+i/26))+
			`","version":1,"nonce":"n","order":"o","shop":"main","history":[]}`)
	}
	began := time.Now()

	summary,
		err := relay.Replay{Queues: r.Queues, Rate: 400}.Send(t.Context(), c.Runtime().Table(c.Table("Reservations")),
		cloudtest.Epoch)

	require.NoError(t, err)
	assert.Equal(t, 201, summary.Rows, "all pages")
	assert.GreaterOrEqual(t, time.Since(began), 500*time.Millisecond)
}

func TestReplay_StopsAtAQueueThatRefuses(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	orders := versionedTable{c, c.Runtime().Table(c.Table("Orders")), "Orders"}
	orders.write(t, row("ord_1"), saga.OrderPlaced)
	c.Remove("ReserveStockQueue")

	summary, err := relay.Replay{Queues: r.Queues, Rate: 1000}.Send(t.Context(), orders.Table, cloudtest.Epoch)

	require.ErrorContains(t, err, "reserve-stock")
	assert.Zero(t, summary.Rows)
}
