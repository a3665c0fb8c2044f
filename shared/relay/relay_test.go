package relay_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/relay"
	"backroom/shared/saga"
)

// record returns a stream record of a row with these facts in its latest version, and one before.
func record(order string, facts ...saga.Fact) events.DynamoDBEventRecord {
	number, text := events.NewNumberAttribute, events.NewStringAttribute
	entry := func(version string, f saga.Fact) events.DynamoDBAttributeValue {
		return events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{
			"v": number(version), "fact": text(string(f)), "at": number("1772366400000"), "cause": text("c"),
			"actor": text("a"),
		})
	}
	none := events.NewListAttribute([]events.DynamoDBAttributeValue{})
	history := []events.DynamoDBAttributeValue{entry("1", saga.OrderPlaced)}
	for _, f := range facts {
		history = append(history, entry("2", f))
	}
	return events.DynamoDBEventRecord{EventSourceArn: "the-stream", Change: events.DynamoDBStreamRecord{
		SequenceNumber: "sequence-" + order,
		NewImage: map[string]events.DynamoDBAttributeValue{
			"pk": text("main#" + order), "version": number("2"), "nonce": text("n"), "order": text(order),
			"shop":    text("main"),
			"history": events.NewListAttribute(history), "lines": none, "short": none,
			"total": number("1"), "currency": text("EUR"), "payment_method": text("pm"), "reason": text("no"),
			"owner": text("anna@example.com"),
		},
	}}
}

func without(r events.DynamoDBEventRecord, attribute string) events.DynamoDBEventRecord {
	delete(r.Change.NewImage, attribute)
	return r
}

func with(r events.DynamoDBEventRecord, attribute string,
	value events.DynamoDBAttributeValue) events.DynamoDBEventRecord {
	r.Change.NewImage[attribute] = value
	return r
}

// newRelay returns the relay with the queues of every step.
func newRelay(t *testing.T) (relay.Relay, *cloudtest.Cloud) {
	c := cloudtest.New(t)
	environment := c.Environment("relay-facts")
	rt := c.Runtime()
	return relay.Relay{Queues: rt.Queues(environment["QUEUES"]), DeadLetter: environment["DEAD_LETTER"], Log: rt.Log}, c
}

// sent drains all queues and returns, per queue, the facts and orders of its messages.
func sent(t *testing.T, c *cloudtest.Cloud) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, queue := range []string{"ReserveStockQueue", "AuthorizePaymentQueue", "AdvanceOrderQueue"} {
		for _, body := range c.Drain(queue) {
			var e saga.Event
			require.NoError(t, json.Unmarshal([]byte(body), &e))
			assert.NotContains(t, body, "anna", "attributes that the fact does not carry stay in the row")
			all[queue] = append(all[queue], string(e.Type)+" "+e.Subject)
		}
	}
	return all
}

func TestRead_SendsEachFactToItsConsumers(t *testing.T) {
	for name, c := range map[string]struct {
		record events.DynamoDBEventRecord
		sent   map[string][]string
	}{
		"the facts of this version, not of earlier ones": {record("ord_1", saga.StockReserved),
			map[string][]string{"AuthorizePaymentQueue": {"StockReserved ord_1"}}},
		"each fact to its own step": {
			record("ord_1", saga.ReserveDue, saga.PaymentCheckDue),
			map[string][]string{"ReserveStockQueue": {"ReserveDue ord_1"},
				"AuthorizePaymentQueue": {"PaymentCheckDue ord_1"}},
		},
		"nothing for a fact without consumers": {record("ord_1", saga.OrderSettled), map[string][]string{}},
		"nothing for a deleted row": {events.DynamoDBEventRecord{EventName: "REMOVE"},
			map[string][]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, cloud := newRelay(t)
			require.NoError(t, r.Read(t.Context(), []events.DynamoDBEventRecord{c.record}))
			assert.Equal(t, c.sent, sent(t, cloud))
			assert.Empty(t, cloud.Drain("RelayFactsDeadLetters"))
		})
	}
}

func TestRead_SendsTheSameMessageForARepeatedRecord(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	for range 2 {
		require.NoError(t, r.Read(t.Context(), []events.DynamoDBEventRecord{record("ord_1", saga.StockReserved)}))
	}
	messages := c.Drain("AuthorizePaymentQueue")
	require.Len(t, messages, 2)
	assert.Equal(t, messages[0], messages[1])
	assert.Contains(t, messages[0], `"reservations:main#ord_1@2.0~n"`)
}

func TestRead_SendsAnUnreadableRecordToTheDeadLetterQueue(t *testing.T) {
	bad := map[string]events.DynamoDBEventRecord{
		"it lacks data of its fact": without(record("ord_bad", saga.OrderPlaced), "total"),
		"its fact is unknown":       record("ord_bad", "OrderEaten"),
		"it is not a row of ours":   without(record("ord_bad", saga.OrderPlaced), "version"),
		"it names no order":         without(record("ord_bad", saga.OrderPlaced), "order"),
		"its version is not a number": with(record("ord_bad", saga.OrderPlaced), "version",
			events.NewStringAttribute("two")),
		"its history is not a list": with(record("ord_bad", saga.OrderPlaced), "history",
			events.NewStringAttribute("none")),
		"it has a binary attribute": with(record("ord_bad", saga.OrderPlaced), "total",
			events.NewBinaryAttribute([]byte("x"))),
	}
	for name, r := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader, c := newRelay(t)
			good := record("ord_good", saga.StockReserved)

			require.NoError(t, reader.Read(t.Context(), []events.DynamoDBEventRecord{good, r, good}),
				"the batch does not fail")

			assert.Equal(t,
				map[string][]string{"AuthorizePaymentQueue": {"StockReserved ord_good", "StockReserved ord_good"}},
				sent(t, c))
			dead := c.Drain("RelayFactsDeadLetters")
			require.Len(t, dead, 1)
			var kept events.DynamoDBEventRecord
			require.NoError(t, json.Unmarshal([]byte(dead[0]), &kept))
			assert.Equal(t, r.Change.NewImage, kept.Change.NewImage, "the dead letter is the whole record")
			assert.Equal(t, []string{r.Change.SequenceNumber, "the-stream"},
				[]string{kept.Change.SequenceNumber, kept.EventSourceArn})
			assert.Equal(t, 1, strings.Count(c.Log.String(), `"level":"ERROR"`))
			assert.Contains(t, c.Log.String(), "sequence-ord_bad")
			assert.NotContains(t, c.Log.String(), "anna")
		})
	}
}

func TestRead_FailsTheBatchAfterAllOtherSends(t *testing.T) {
	t.Parallel()
	r, c := newRelay(t)
	c.Remove("ReserveStockQueue")

	err := r.Read(t.Context(), []events.DynamoDBEventRecord{
		record("ord_1", saga.ReserveDue, saga.PaymentCheckDue), without(record("ord_bad", saga.OrderPlaced), "total"),
		record("ord_2", saga.PaymentAuthorized),
	})

	require.ErrorContains(t, err, "reserve-stock", "the batch is read again")
	assert.Len(t, c.Drain("AuthorizePaymentQueue"), 1)
	assert.Len(t, c.Drain("AdvanceOrderQueue"), 1)
	assert.Len(t, c.Drain("RelayFactsDeadLetters"), 1)
}
