package wire_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/relay-facts/wire"
	"backroom/localstack/cloudtest"
	"backroom/localstack/template"
	"backroom/shared/function"
	"backroom/shared/saga"
)

const name = "relay-facts"

var build = function.Relaying(wire.New)

func TestRelayFacts_SendsAFactToItsConsumers(t *testing.T) {
	for event, want := range map[string]struct {
		queues  []string
		message string
	}{
		"relay-facts.json":             {[]string{"ReserveStockQueue"}, "reserve-stock.json"},
		"relay-facts.reservation.json": {[]string{"AuthorizePaymentQueue"}, "authorize-payment.json"},
		"relay-facts.charge.json":      {[]string{"AdvanceOrderQueue"}, "advance-order.json"},
		"relay-facts.confirmed.json": {[]string{"CommitStockQueue", "CapturePaymentQueue", "SendNotificationQueue"},
			"commit-stock.json"},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			c := cloudtest.New(t)
			for range 2 { // sent twice, both messages have the same id
				c.Invoke(build, name, event)
				for _, queue := range queues() {
					messages := c.Drain(queue)
					if !slices.Contains(want.queues, queue) {
						assert.Empty(t, messages, queue)
						continue
					}
					require.Len(t, messages, 1, queue)
					assert.JSONEq(t, c.Message(want.message), messages[0],
						"the message equals the sample of its consumer")
				}
			}
			for table, rows := range c.State() {
				assert.Empty(t, rows, "the relay writes no row into %s", table)
			}
		})
	}
}

// queues returns the queues of all steps, and the relay's dead-message queue.
func queues() []string {
	all := []string{"RelayFactsDeadLetters"}
	for _, step := range saga.Steps {
		all = append(all, template.LogicalID(string(step))+"Queue")
	}
	return all
}

func TestRelayFacts_KeepsAnUnreadableRecordWhole(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	var batch struct{ Records []json.RawMessage }
	require.NoError(t, json.Unmarshal(c.Event("relay-facts.unreadable.json"), &batch))

	for range 2 {
		c.Invoke(build, name, "relay-facts.unreadable.json")

		dead := c.Drain("RelayFactsDeadLetters")
		require.Len(t, dead, 1)
		assert.Equal(t, change(t, batch.Records[0]), change(t, []byte(dead[0])),
			"every attribute of the image is there")
		assert.Contains(t, c.Log.String(), `has no attribute \"lines\"`)
		assert.Len(t, c.Drain("ReserveStockQueue"), 1, "its neighbour is sent")
	}
}

// change returns the change of a row in a stream record.
func change(t *testing.T, record []byte) any {
	t.Helper()
	var r struct {
		Change struct {
			Keys, NewImage any
			SequenceNumber string
		} `json:"dynamodb"`
		EventSourceARN string `json:"eventSourceARN"`
	}
	require.NoError(t, json.Unmarshal(record, &r))
	return r
}
