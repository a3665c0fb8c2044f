// Package relay carries facts from the tables' streams to the queues of the steps that hear them.
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

// Relay reads stream records and sends what they tell.
type Relay struct {
	Queues     queue.Sender
	DeadLetter string // URL of the relay's own dead-letter queue: where records go that cannot be read or routed
	Log        *slog.Logger
}

// Read sends every fact that the records tell to every step that hears it. A record that it cannot read goes whole to the
// dead-letter queue with an error line and never fails the batch, so it cannot hold up its shard. A failed send fails the
// batch, after all other sends were tried: what was sent already is sent again, which changes nothing.
func (r Relay) Read(ctx context.Context, records []events.DynamoDBEventRecord) error {
	var letters []saga.Message
	var dead []string
	for _, rec := range records {
		if rec.Change.NewImage == nil {
			continue // the row is gone: nothing is told
		}
		told, err := record.Events(rec.Change.NewImage)
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
		letters = append(letters, Messages(told...)...)
	}
	observe.Note(ctx, slog.Int("records", len(records)), slog.Int("letters", len(letters)), slog.Int("dead", len(dead)))
	return errors.Join(r.Queues.Send(ctx, letters...), r.Queues.SendTo(ctx, r.DeadLetter, dead))
}

// Letters returns a letter for each event and each step that hears it.
func Messages(told ...saga.Event) []saga.Message {
	var letters []saga.Message
	for _, e := range told {
		for _, step := range saga.Routes[e.Type].To {
			letters = append(letters, saga.Message{To: step, Event: e})
		}
	}
	return letters
}
