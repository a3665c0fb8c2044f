package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"backroom/shared/ops/remedy"
	"backroom/shared/queue"
	"backroom/shared/record"
	"backroom/shared/relay"
	"backroom/shared/saga"
)

// relayFacts is not a step, but it has a dead-letter queue: of whole stream records.
const relayFacts = saga.Step("relay-facts")

// hidden is the visibility timeout of a dead letter while it is handled.
const hidden = time.Minute

// A DeadLetter is a message that a step gave up on.
type DeadLetter struct {
	ID       string    // of the message
	Fact     saga.Fact // empty if the message cannot be read
	Order    string
	Why      string // the message cannot be read; empty if it can
	Receives int    // how often it was received, including now
	Sent     time.Time
}

// Moved is the result of redriving a dead-letter queue.
type Moved struct {
	Sent  int
	Kept  []error // one per message that stays: why
	Still Held    // what the queue reports afterwards
}

// Held is how many messages a queue reports. SQS counts about, and the numbers may be a minute old.
type Held struct {
	Visible int
	Hidden  int // received by a reader that has not deleted them; they are visible again after its timeout
}

// Steps returns the names that have a dead-letter queue: the steps, and relay-facts.
func Steps() []string {
	var names []string
	for _, step := range append(slices.Clone(saga.Steps), relayFacts) {
		names = append(names, string(step))
	}
	return names
}

// CheckStep returns an error unless step has a dead-letter queue.
func CheckStep(step string) error {
	if slices.Contains(Steps(), step) {
		return nil
	}
	return remedy.For(fmt.Errorf("unknown step %q", step), "one of "+strings.Join(Steps(), " "))
}

// DeadLetters returns the visible messages of a step's dead-letter queue, which stay there, and what the
// queue reported before; limit 0 means all.
func (s Site) DeadLetters(ctx context.Context, step string, limit int) (found []DeadLetter, held Held, err error) {
	from, read, err := s.deadLettersOf(step)
	if err != nil {
		return nil, held, err
	}
	if held, err = from.count(ctx); err != nil {
		return nil, held, err
	}
	_, err = from.take(ctx, limit, func(m types.Message) error {
		found = append(found, describe(m, read))
		return errLeft
	})
	return found, held, err
}

// Redrive moves up to limit messages from a step's dead-letter queue back to the step's queue: it
// sends each, then deletes it. Limit 0 means as many as the queue holds at the start, so that a
// message that fails again does not circle. Messages that cannot be sent stay.
//
// The stream records of relay-facts have no queue. Redrive sends their facts to the steps that
// consume them, as relay-facts would.
func (s Site) Redrive(ctx context.Context, step string, limit int) (Moved, error) {
	from, read, err := s.deadLettersOf(step)
	if err != nil {
		return Moved{}, err
	}
	send := func(m types.Message) error { return s.sendBack(ctx, step, m) }
	if step == string(relayFacts) {
		send = func(m types.Message) error {
			published, err := read(aws.ToString(m.Body))
			if err != nil {
				return err
			}
			return s.Queues.Send(ctx, relay.Messages(published...)...)
		}
	}
	var moved Moved
	moved.Kept, err = from.take(ctx, limit, func(m types.Message) error {
		err := send(m)
		if err == nil {
			moved.Sent++
		}
		return err
	})
	if err != nil {
		return moved, err
	}
	moved.Still, err = from.count(ctx)
	return moved, err
}

// sendBack sends a message to the step with the same body and attributes.
func (s Site) sendBack(ctx context.Context, step string, m types.Message) error {
	_, err := s.Queues.SQS.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(s.Queues.Prefix + step), MessageBody: m.Body, MessageAttributes: m.MessageAttributes,
	})
	return err
}

// deadLettersOf returns the dead-letter queue of a step, and a function that decodes its messages.
func (s Site) deadLettersOf(step string) (deadLetters, func(body string) ([]saga.Event, error), error) {
	if err := CheckStep(step); err != nil {
		return deadLetters{}, nil, err
	}
	read := func(body string) ([]saga.Event, error) {
		e, err := saga.Decode(saga.Step(step), body)
		return []saga.Event{e}, err
	}
	if saga.Step(step) == relayFacts {
		read = factsOf
	}
	return deadLetters{s.Queues.SQS, s.Queues.Prefix + step + "-dlq"}, read, nil
}

// factsOf returns the facts of a stream record that relay-facts gave up on.
func factsOf(body string) ([]saga.Event, error) {
	var r events.DynamoDBEventRecord
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return nil, err
	}
	return record.Events(r.Change.NewImage)
}

// describe returns a message as a DeadLetter.
func describe(m types.Message, read func(body string) ([]saga.Event, error)) DeadLetter {
	letter := DeadLetter{ID: aws.ToString(m.MessageId)}
	letter.Receives, _ = strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if sent,
		err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10,
		64); err == nil {
		letter.Sent = time.UnixMilli(sent).UTC()
	}
	facts, err := read(aws.ToString(m.Body))
	switch {
	case err != nil:
		letter.Why = err.Error()
	case len(facts) > 0:
		letter.Fact, letter.Order = facts[0].Type, facts[0].Subject
	}
	return letter
}

// errLeft is why a message that was only listed stays.
var errLeft = errors.New("only listed")

// deadLetters is a dead-letter queue.
type deadLetters struct {
	sqs *sqs.Client
	url string
}

// take calls do with each message, up to limit; 0 means as many as the queue holds at the start. It
// deletes a message if do returns nil. The others stay: they are hidden until the end, and then become
// visible. kept has the error of each. A message that is received twice is handled once.
func (q deadLetters) take(ctx context.Context, limit int, do func(types.Message) error) (kept []error, err error) {
	if limit == 0 {
		there, err := q.count(ctx)
		if err != nil {
			return nil, err
		}
		limit = max(there.Visible, 1) // the count may be behind
	}
	var left []types.Message
	seen := map[string]bool{}
	defer func() {
		for _, m := range left {
			shownErr := queue.HideFor(context.WithoutCancel(ctx), q.sqs, q.url, aws.ToString(m.ReceiptHandle), 0)
			err = errors.Join(err, shownErr)
		}
	}()
	for taken := 0; taken < limit; {
		got, err := q.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: int32(min(10, limit-taken)), WaitTimeSeconds: 1,
			VisibilityTimeout:           int32(hidden / time.Second),
			MessageAttributeNames:       []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return kept, err
		}
		if len(got.Messages) == 0 {
			break
		}
		before := taken
		for _, m := range got.Messages {
			id := aws.ToString(m.MessageId)
			if seen[id] {
				left = append(left, m)
				continue
			}
			seen[id] = true
			taken++
			failed := do(m)
			if failed == nil {
				_, failed = q.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{
					QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle,
				})
			}
			if failed != nil {
				kept, left = append(kept, fmt.Errorf("message %s: %w", aws.ToString(m.MessageId), failed)),
					append(left, m)
			}
		}
		if taken == before {
			break // only messages that were kept come back
		}
	}
	return kept, nil
}

// count returns what the queue reports.
func (q deadLetters) count(ctx context.Context) (held Held, err error) {
	const (
		visible = types.QueueAttributeNameApproximateNumberOfMessages
		taken   = types.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	)
	got, err := q.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{visible, taken},
	})
	if err != nil {
		return held, err
	}
	if held.Visible, err = strconv.Atoi(got.Attributes[string(visible)]); err != nil {
		return held, fmt.Errorf("the queue's %s: %w", visible, err)
	}
	if held.Hidden, err = strconv.Atoi(got.Attributes[string(taken)]); err != nil {
		return held, fmt.Errorf("the queue's %s: %w", taken, err)
	}
	return held, nil
}
