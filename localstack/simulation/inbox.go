package simulation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"backroom/localstack/cloudsim"
)

// inbox is the event source mapping of a queue. It receives messages in batches, invokes the function with
// them, and deletes those that the function does not report as failed
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
type inbox struct {
	sim         *Simulation
	function    *deployed
	url, arn    string
	batch       int
	concurrency int  // how many invocations may run at once
	partial     bool // ReportBatchItemFailures
	hidden      time.Duration

	running int
	planned bool
	alarm   time.Time // when it looks at the queue again
}

// look plans a delivery if messages are visible. Otherwise it looks again when the next message becomes visible.
func (b *inbox) look() {
	s := b.sim
	if visible := s.Cloud.Queues.Visible(b.url); visible > 0 {
		if b.running < b.concurrency && (!s.settings.Full || visible >= b.batch) {
			b.plan()
		}
		return
	}
	next, any := s.Cloud.Queues.Next(b.url)
	if !any || !b.alarm.IsZero() && !b.alarm.Before(s.Now()) && !next.Before(b.alarm) {
		return
	}
	b.alarm = next
	s.after(max(0, time.Until(next)), func() {
		b.alarm = time.Time{}
		b.look()
	})
}

// plan schedules the delivery of a batch.
func (b *inbox) plan() {
	if b.planned {
		return
	}
	b.planned = true
	b.sim.planned++
	b.sim.after(b.sim.between(time.Millisecond, 20*time.Millisecond), func() {
		b.planned = false
		b.sim.planned--
		b.deliver()
		b.look()
	})
}

// deliver receives a batch and invokes the function with it.
func (b *inbox) deliver() {
	s := b.sim
	var batch events.SQSEvent
	for len(batch.Records) < b.batch {
		got := b.receive(min(10, b.batch-len(batch.Records)))
		if len(got) == 0 {
			break
		}
		batch.Records = append(batch.Records, got...)
	}
	batch.Records = slices.DeleteFunc(batch.Records, func(m events.SQSMessage) bool {
		switch f := s.faults.Message(b.function.name, s.dice); f {
		case Late:
			s.strike(f)
			b.ask("ChangeMessageVisibility",
				map[string]any{"ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": 3600})
			s.trace.note(s.Now(), "late", b.function.name, m.MessageId)
			return true
		case Duplicate:
			if s.Cloud.Queues.Duplicate(b.url, m.MessageId) {
				s.strike(f)
			}
			s.trace.note(s.Now(), "duplicate", b.function.name, m.MessageId)
		}
		return false
	})
	if len(batch.Records) == 0 {
		return
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		s.t.Error(err)
		return
	}
	b.running++
	b.function.invoke(payload, b.hidden, func(answer []byte, err error) {
		b.running--
		done := b.done(batch.Records, answer, err)
		if len(done) > 0 && s.faults.Batch(b.function.name, s.dice) == Undeleted {
			s.strike(Undeleted)
			s.trace.note(s.Now(), "undeleted", b.function.name)
			done = nil
		}
		b.delete(done)
		b.look()
	})
}

// done returns the messages that were handled. It returns none if the function fails, if Lambda does not
// understand its answer, or if the answer names a message that was not in the batch.
func (b *inbox) done(batch []events.SQSMessage, answer []byte, err error) []events.SQSMessage {
	if err != nil {
		return nil
	}
	var said events.SQSEventResponse
	if !b.partial || len(answer) == 0 || string(answer) == "null" {
		return batch
	}
	if json.Unmarshal(answer, &said) != nil {
		return nil
	}
	failed := map[string]bool{}
	for _, f := range said.BatchItemFailures {
		if !slices.ContainsFunc(batch, func(m events.SQSMessage) bool { return m.MessageId == f.ItemIdentifier }) {
			return nil
		}
		failed[f.ItemIdentifier] = true
	}
	return slices.DeleteFunc(slices.Clone(batch), func(m events.SQSMessage) bool { return failed[m.MessageId] })
}

// receive receives up to n messages, in the form in which Lambda passes them on.
func (b *inbox) receive(n int) []events.SQSMessage {
	var got struct {
		Messages []struct {
			MessageId, ReceiptHandle, Body, MD5OfBody string
			Attributes                                map[string]string
		}
	}
	answer := b.ask("ReceiveMessage", map[string]any{"MaxNumberOfMessages": n, "AttributeNames": []string{"All"}})
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		b.sim.t.Errorf("receive from %s: %v", b.url, err)
	}
	var batch []events.SQSMessage
	for _, m := range got.Messages {
		batch = append(batch, events.SQSMessage{
			MessageId: m.MessageId, ReceiptHandle: m.ReceiptHandle, Body: m.Body, Md5OfBody: m.MD5OfBody,
			Attributes:  m.Attributes,
			EventSource: "aws:sqs", EventSourceARN: b.arn, AWSRegion: cloudsim.Region,
			MessageAttributes: map[string]events.SQSMessageAttribute{},
		})
	}
	return batch
}

// delete deletes messages, ten at a time.
func (b *inbox) delete(done []events.SQSMessage) {
	for some := range slices.Chunk(done, 10) {
		var entries []map[string]string
		for i, m := range some {
			entries = append(entries, map[string]string{"Id": fmt.Sprint(i), "ReceiptHandle": m.ReceiptHandle})
		}
		b.ask("DeleteMessageBatch", map[string]any{"Entries": entries})
	}
}

// ask sends a request of the mapping to the queue. The request is billed like the function's own.
func (b *inbox) ask(operation string, in map[string]any) cloudsim.Answer {
	in["QueueUrl"] = b.url
	r := cloudsim.Request{Service: cloudsim.SQS, Operation: operation, Body: document(in).Body}
	a := b.sim.Cloud.Answer(r)
	b.sim.Ledger.called(b.function.name, r, a)
	return a
}

// urlOf returns the queue that a request is about.
func urlOf(body []byte) string {
	var about struct{ QueueUrl string }
	if json.Unmarshal(body, &about) != nil {
		return ""
	}
	return strings.TrimSpace(about.QueueUrl)
}
