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

// relayFacts is no step, but it has a dead-letter queue: of stream records, whole.
const relayFacts = saga.Step("relay-facts")

// hidden is how long a message of a dead-letter queue is kept from others while it is handled.
const hidden = 5 * time.Minute

// A DeadLetter is a message that a step gave up on.
type DeadLetter struct {
	Fact     saga.Fact // none, if it cannot be read
	Order    string
	Why      string // it cannot be read
	Receives int    // how often it was received, this time included
	Sent     time.Time
}

// Moved says what became of a dead-letter queue.
type Moved struct {
	Sent  int
	Kept  []error // why a message is still there, one each
	Still int     // how many messages the queue says it holds now; that may be behind by a minute
}

// Steps lists what has a dead-letter queue.
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
	return remedy.For(fmt.Errorf("there is no step %q", step), "one of "+strings.Join(Steps(), " "))
}

// DeadLetters shows what is in a step's dead-letter queue and leaves it there; limit 0 is all of it.
func (s Site) DeadLetters(ctx context.Context, step string, limit int) ([]DeadLetter, error) {
	from, read, err := s.deadLettersOf(step)
	if err != nil {
		return nil, err
	}
	var found []DeadLetter
	_, err = from.take(ctx, limit, func(m types.Message) error {
		found = append(found, describe(m, read))
		return errLeft
	})
	return found, err
}

// Redrive sends what is in a step's dead-letter queue back to the step and takes it out then, up to limit messages; limit 0 is
// as many as there are now, so that a message that fails again is not sent round and round. What cannot be sent stays.
//
// The records of relay-facts have no queue to go back to: what they tell is sent to who hears it, as relay-facts would.
func (s Site) Redrive(ctx context.Context, step string, limit int) (Moved, error) {
	from, read, err := s.deadLettersOf(step)
	if err != nil {
		return Moved{}, err
	}
	send := func(m types.Message) error { return s.sendBack(ctx, step, m) }
	if step == string(relayFacts) {
		send = func(m types.Message) error {
			told, err := read(aws.ToString(m.Body))
			if err != nil {
				return err
			}
			return s.Queues.Send(ctx, relay.Messages(told...)...)
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

// sendBack sends a message to the step, as it is.
func (s Site) sendBack(ctx context.Context, step string, m types.Message) error {
	_, err := s.Queues.SQS.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(s.Queues.Prefix + step), MessageBody: m.Body, MessageAttributes: m.MessageAttributes,
	})
	return err
}

// deadLettersOf returns the dead-letter queue of a step, and how what is in it is read.
func (s Site) deadLettersOf(step string) (deadLetters, func(body string) ([]saga.Event, error), error) {
	if err := CheckStep(step); err != nil {
		return deadLetters{}, nil, err
	}
	read := func(body string) ([]saga.Event, error) {
		e, err := saga.Decode(saga.Step(step), body)
		return []saga.Event{e}, err
	}
	if saga.Step(step) == relayFacts {
		read = tellsOf
	}
	return deadLetters{s.Queues.SQS, s.Queues.Prefix + step + "-dlq"}, read, nil
}

// tellsOf returns what a stream record tells that relay-facts once could not read.
func tellsOf(body string) ([]saga.Event, error) {
	var r events.DynamoDBEventRecord
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return nil, err
	}
	return record.Events(r.Change.NewImage)
}

// describe says what a message is about.
func describe(m types.Message, read func(body string) ([]saga.Event, error)) DeadLetter {
	letter := DeadLetter{}
	letter.Receives, _ = strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if sent, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64); err == nil {
		letter.Sent = time.UnixMilli(sent).UTC()
	}
	told, err := read(aws.ToString(m.Body))
	switch {
	case err != nil:
		letter.Why = err.Error()
	case len(told) > 0:
		letter.Fact, letter.Order = told[0].Type, told[0].Subject
	}
	return letter
}

// errLeft is why a message that was only looked at is still there.
var errLeft = errors.New("only looked at")

// deadLetters is a dead-letter queue.
type deadLetters struct {
	sqs *sqs.Client
	url string
}

// take has something done with each message, up to limit or, for 0, as many as there are now. A message with which that is done
// is deleted. The others stay: hidden until the end, so that none is met twice, and visible again then. It returns why, one
// error for each of them.
func (q deadLetters) take(ctx context.Context, limit int, do func(types.Message) error) (kept []error, err error) {
	if limit == 0 {
		there, err := q.count(ctx)
		if err != nil {
			return nil, err
		}
		limit = max(there, 1) // the count may be behind
	}
	var left []types.Message
	defer func() {
		for _, m := range left {
			shown := queue.HideFor(context.WithoutCancel(ctx), q.sqs, q.url, aws.ToString(m.ReceiptHandle), 0)
			err = errors.Join(err, shown)
		}
	}()
	for taken := 0; taken < limit; {
		got, err := q.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: int32(min(10, limit-taken)), WaitTimeSeconds: 1, VisibilityTimeout: int32(hidden / time.Second),
			MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return kept, err
		}
		if len(got.Messages) == 0 {
			break
		}
		taken += len(got.Messages)
		for _, m := range got.Messages {
			failed := do(m)
			if failed == nil {
				_, failed = q.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
			}
			if failed != nil {
				kept, left = append(kept, fmt.Errorf("message %s: %w", aws.ToString(m.MessageId), failed)), append(left, m)
			}
		}
	}
	return kept, nil
}

// count returns how many messages the queue says it has to give.
func (q deadLetters) count(ctx context.Context) (int, error) {
	const name = types.QueueAttributeNameApproximateNumberOfMessages
	got, err := q.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(got.Attributes[string(name)])
}
