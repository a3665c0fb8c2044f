// Package queue sends facts to the steps that hear them and keeps failed messages away for a while. A step's queue is
// found by convention: a common prefix and the step's name.
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
	batchEntries = 10      // SendMessageBatch takes ten messages
	batchBytes   = 1 << 20 // and 1 MiB in all
	batchTries   = 3
)

// Sender sends letters to the queues of their steps.
type Sender struct {
	SQS    *sqs.Client
	Prefix string // of every step's queue URL, as in https://sqs.eu-central-1.amazonaws.com/123456789012/backroom-
}

// Send sends all letters, a batch per queue, and sends again what alone failed of a batch. A queue that fails does not keep
// another's letters back; the error names every queue that did not take all of its letters. Letters may arrive more than
// once and in any order.
func (s Sender) Send(ctx context.Context, letters ...saga.Message) error {
	bodies := map[saga.Step][]string{}
	for _, l := range letters {
		body, err := json.Marshal(l.Event)
		if err != nil {
			return fmt.Errorf("queue: encode %s: %w", l.Event.ID, err)
		}
		bodies[l.To] = append(bodies[l.To], string(body))
	}
	var failures []error
	for _, step := range saga.Steps {
		if err := s.SendTo(ctx, s.Prefix+string(step), bodies[step]); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// SendTo sends plain bodies to one queue in as few calls as it takes.
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

// batch sends up to ten bodies. SQS answers 200 even if some of them failed, so those are sent again.
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

// longestDelay is the longest that SQS keeps a message back.
const longestDelay = 15 * time.Minute

// SendLater sends a plain body to one queue, where it can be received when d has passed, or 15 minutes if d is longer.
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

// HideFor keeps a received message from coming back before d has passed (at most 12 hours less what has passed; 0: at once).
func HideFor(ctx context.Context, client *sqs.Client, url, receipt string, d time.Duration) error {
	_, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &url, ReceiptHandle: &receipt, VisibilityTimeout: int32(d / time.Second),
	})
	if err != nil {
		return fmt.Errorf("queue: hide message of %s: %w", name(url), err)
	}
	return nil
}

// Patience is how long a message that failed for the nth time waits: 2, 4, 8 … seconds, at most 5 minutes, with full
// jitter, and at least one second.
func RetryDelay(ctx context.Context, receives int) time.Duration {
	longest := min(time.Second<<min(max(receives, 1), 9), 5*time.Minute)
	return max(time.Second, time.Duration(chance.Float(ctx)*float64(longest)))
}

// URL returns the URL of the queue with the ARN: on AWS, or at a local cloud's endpoint where one is given.
func URL(queueARN, endpoint string) (string, error) {
	a, err := arn.Parse(queueARN)
	if err != nil || a.Service != "sqs" {
		return "", fmt.Errorf("queue: %q is no queue's ARN", queueARN)
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
