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
const hidden = 5 * time.Minute

// A DeadLetter is a message that a step gave up on.
type DeadLetter struct {
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
	Still int     // how many messages the queue reports afterwards; the number may be a minute old
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

// DeadLetters returns the messages of a step's dead-letter queue, which stay there; limit 0 means
// all.
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
	letter := DeadLetter{}
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
// deletes a message if do returns nil. The others stay: they are hidden until the end, so that take
// receives none twice, and then become visible. kept has the error of each.
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
		taken += len(got.Messages)
		for _, m := range got.Messages {
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
	}
	return kept, nil
}

// count returns how many visible messages the queue reports.
func (q deadLetters) count(ctx context.Context) (int, error) {
	const name = types.QueueAttributeNameApproximateNumberOfMessages
	got,
		err := q.sqs.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(got.Attributes[string(name)])
}
