// Package queue sends messages to steps and delays messages that failed. A step's queue URL is a
// common prefix and the step's name.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"backroom/shared/chance"
	"backroom/shared/saga"
)

const (
	batchEntries = 10      // SendMessageBatch accepts ten messages
	batchBytes   = 1 << 20 // and 1 MiB in all
	batchTries   = 3
)

// Sender sends messages to the queues of their steps.
type Sender struct {
	SQS    *sqs.Client
	Prefix string // of every step's queue URL, as in https://sqs.eu-central-1.amazonaws.com/123456789012/backroom-
}

// Send sends all messages in batches per queue, and sends the failed entries of a batch again. A
// failing queue does not stop the messages for other queues; the error names every queue that did not
// accept all its messages. Messages may arrive more than once and in any order.
func (s Sender) Send(ctx context.Context, messages ...saga.Message) error {
	bodies := map[saga.Step][]string{}
	for _, m := range messages {
		body, err := json.Marshal(m.Event)
		if err != nil {
			return fmt.Errorf("queue: encode %s: %w", m.Event.ID, err)
		}
		bodies[m.To] = append(bodies[m.To], string(body))
	}
	var failures []error
	for _, step := range saga.Steps {
		if err := s.SendTo(ctx, s.Prefix+string(step), bodies[step]); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// SendTo sends plain bodies to one queue in as few calls as possible.
func (s Sender) SendTo(ctx context.Context, url string, bodies []string) error {
	var failures []error
	for len(bodies) > 0 {
		n, size := 0, 0
		for n < len(bodies) && n < batchEntries && (n == 0 || size+len(bodies[n]) <= batchBytes) {
			size += len(bodies[n])
			n++
		}
		if err := s.batch(ctx, url, bodies[:n]); err != nil {
			failures = append(failures, err)
		}
		bodies = bodies[n:]
	}
	return errors.Join(failures...)
}

// batch sends up to ten bodies. SQS answers 200 even if some of them failed; batch sends those again.
func (s Sender) batch(ctx context.Context, url string, bodies []string) error {
	entries := make([]types.SendMessageBatchRequestEntry, len(bodies))
	for i := range bodies {
		id := strconv.Itoa(i)
		entries[i] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &bodies[i]}
	}
	var last error
	for try := 0; try < batchTries && len(entries) > 0; try++ {
		out, err := s.SQS.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
		if err != nil {
			return fmt.Errorf("queue: send to %s: %w", name(url), err)
		}
		entries = entries[:0:0]
		for _, f := range out.Failed {
			i, err := strconv.Atoi(*f.Id)
			if err != nil || i < 0 || i >= len(bodies) {
				return fmt.Errorf("queue: send to %s: answer about an unknown entry %q", name(url), *f.Id)
			}
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: f.Id, MessageBody: &bodies[i]})
			last = fmt.Errorf("queue: send to %s: %s", name(url), value(f.Code)+" "+value(f.Message))
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w (%d of %d messages)", last, len(entries), len(bodies))
	}
	return nil
}

// longestDelay is the longest delay that SQS supports.
const longestDelay = 15 * time.Minute

// SendLater sends a plain body to one queue. It can be received after d, or after 15 minutes if d is
// longer.
func (s Sender) SendLater(ctx context.Context, url, body string, d time.Duration) error {
	d = min(max(d, 0), longestDelay)
	_, err := s.SQS.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &url, MessageBody: &body, DelaySeconds: int32((d + time.Second - 1) / time.Second),
	})
	if err != nil {
		return fmt.Errorf("queue: send to %s: %w", name(url), err)
	}
	return nil
}

// HideFor hides a received message for d: at most 12 hours less the time since it was received.
// With 0 it can be received again at once.
func HideFor(ctx context.Context, client *sqs.Client, url, receipt string, d time.Duration) error {
	_, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &url, ReceiptHandle: &receipt, VisibilityTimeout: int32(d / time.Second),
	})
	if err != nil {
		return fmt.Errorf("queue: hide message of %s: %w", name(url), err)
	}
	return nil
}

// RetryDelay returns how long a message waits after its nth failure: up to 2, 4, 8 … seconds, at
// most 5 minutes, with full jitter, and at least one second.
func RetryDelay(ctx context.Context, receives int) time.Duration {
	longest := min(time.Second<<min(max(receives, 1), 9), 5*time.Minute)
	return max(time.Second, time.Duration(chance.Float(ctx)*float64(longest)))
}

// URL returns the URL of the queue with the ARN: on AWS, or at endpoint if it is not empty.
func URL(queueARN, endpoint string) (string, error) {
	a, err := arn.Parse(queueARN)
	if err != nil || a.Service != "sqs" {
		return "", fmt.Errorf("queue: %q is not the ARN of a queue", queueARN)
	}
	if endpoint == "" {
		suffix := "amazonaws.com"
		if a.Partition == "aws-cn" {
			suffix = "amazonaws.com.cn"
		}
		endpoint = "https://sqs." + a.Region + "." + suffix
	}
	return strings.TrimSuffix(endpoint, "/") + "/" + a.AccountID + "/" + a.Resource, nil
}

func name(url string) string { return url[strings.LastIndex(url, "/")+1:] }

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
