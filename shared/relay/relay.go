// Package relay sends facts from the tables' streams to the queues of their consumers.
package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"backroom/shared/observe"
	"backroom/shared/queue"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Relay reads stream records and sends their events.
type Relay struct {
	Queues     queue.Sender
	DeadLetter string // URL of the relay's own dead-letter queue, for unreadable records
	Log        *slog.Logger
}

// Read sends every event of the records to each of its consumers. It logs a record that it cannot
// read as an error and sends it whole to the dead-letter queue; such a record never fails the
// batch, so that it cannot block its shard. A failed send fails the batch after all other sends
// were tried. The sent events are then sent again, which changes nothing.
func (r Relay) Read(ctx context.Context, records []events.DynamoDBEventRecord) error {
	var messages []saga.Message
	var dead []string
	for _, rec := range records {
		if rec.Change.NewImage == nil {
			continue // the row was deleted
		}
		published, err := record.Events(rec.Change.NewImage)
		if err != nil {
			body, marshalErr := json.Marshal(rec)
			if marshalErr != nil {
				return fmt.Errorf("relay: %w", errors.Join(err, marshalErr))
			}
			r.Log.ErrorContext(ctx, "a stream record cannot be read; it goes to the dead-letter queue",
				"error", err.Error(), "sequence", rec.Change.SequenceNumber, "stream", rec.EventSourceArn)
			dead = append(dead, string(body))
			continue
		}
		messages = append(messages, Messages(published...)...)
	}
	observe.Note(ctx,
		slog.Int("records", len(records)), slog.Int("sent", len(messages)), slog.Int("dead", len(dead)))
	return errors.Join(r.Queues.Send(ctx, messages...), r.Queues.SendTo(ctx, r.DeadLetter, dead))
}

// Messages returns a message for each event and each of its consumers.
func Messages(all ...saga.Event) []saga.Message {
	var messages []saga.Message
	for _, e := range all {
		for _, step := range saga.Routes[e.Type].To {
			messages = append(messages, saga.Message{To: step, Event: e})
		}
	}
	return messages
}
