package queuestest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

// entries returns a batch of messages, with ids from "0".
func entries(messages ...string) []types.SendMessageBatchRequestEntry {
	all := []types.SendMessageBatchRequestEntry{}
	for i, body := range messages {
		all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &body})
	}
	return all
}

func (d desk) sendBatch(url string, batch []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
	return d.sqs.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: batch})
}

// batches sends, deletes and hides a batch of entries with the ids, each.
func (d desk) batches(url string, ids []string) map[string]error {
	handle := aws.String("made up")
	send, remove, hide := []types.SendMessageBatchRequestEntry{}, []types.DeleteMessageBatchRequestEntry{}, []types.ChangeMessageVisibilityBatchRequestEntry{}
	for _, id := range ids {
		send = append(send, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("x")})
		remove = append(remove, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: handle})
		hide = append(hide, types.ChangeMessageVisibilityBatchRequestEntry{Id: &id, ReceiptHandle: handle})
	}
	failed := map[string]error{}
	_, failed["send"] = d.sendBatch(url, send)
	_, failed["delete"] = d.sqs.DeleteMessageBatch(d.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: remove})
	_, failed["hide"] = d.sqs.ChangeMessageVisibilityBatch(d.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: hide})
	return failed
}

// outcome returns what became of a batch: the ids that were done, and those that were not, with what they failed with.
func outcome[S any](done []S, id func(S) *string, failed []types.BatchResultErrorEntry) string {
	parts := []string{}
	for _, s := range done {
		parts = append(parts, *id(s))
	}
	for _, f := range failed {
		parts = append(parts, *f.Id+" "+cmp.Or(generic[*f.Code], *f.Code))
	}
	return strings.Join(parts, ", ")
}

var aboutBatches = []demand{
	{"a batch of ten is taken, and each entry is answered", func(d desk) {
		url, said := d.queue(nil), []string{}
		for i := range 10 {
			said = append(said, fmt.Sprintf("message %d", i))
		}
		out, err := d.sendBatch(url, entries(said...))
		require.NoError(d, err)
		require.Empty(d, out.Failed)
		require.Len(d, out.Successful, 10)
		sent := map[string]string{}
		for _, s := range out.Successful {
			i, err := strconv.Atoi(*s.Id)
			require.NoError(d, err)
			sent[*s.MessageId] = said[i]
		}
		for _, m := range d.take(url, 10, 0) {
			require.Equal(d, sent[*m.MessageId], *m.Body)
		}
	}},
	{"an entry of a batch has its own attributes and delay", func(d desk) {
		url, batch := d.queue(nil), entries("now", "later")
		batch[0].MessageAttributes, batch[1].DelaySeconds = some, 60
		out, err := d.sendBatch(url, batch)
		require.NoError(d, err)
		for _, s := range out.Successful {
			if *s.Id == "0" {
				require.Equal(d, someSum, *s.MD5OfMessageAttributes)
			}
		}
		m := d.one(url, 0)
		require.Equal(d, "now", *m.Body)
		require.Equal(d, some, m.MessageAttributes)
		require.Equal(d, "0 1 1", d.counts(url))
	}},
	{"a message that a queue does not take fails alone", func(d desk) {
		url := d.queue(attributes{"MaximumMessageSize": "1024"})
		out, err := d.sendBatch(url, entries("good", strings.Repeat("x", 1025), "bad \x00", "also good"))
		require.NoError(d, err)
		require.Equal(d, "0, 3, 1 InvalidParameterValue, 2 InvalidMessageContents", outcome(out.Successful, func(s types.SendMessageBatchResultEntry) *string { return s.Id }, out.Failed))
		require.ElementsMatch(d, []string{"good", "also good"}, bodies(d.take(url, 2, 0)))
	}},
	{"an entry that fails for what it says is its sender's fault", func(d desk) {
		url := d.queue(nil)
		sent, err := d.sendBatch(url, entries("bad \x00"))
		require.NoError(d, err)
		deleted, err := d.sqs.DeleteMessageBatch(d.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: aws.String("made up")},
		}})
		require.NoError(d, err)
		for _, failed := range [][]types.BatchResultErrorEntry{sent.Failed, deleted.Failed} {
			require.Len(d, failed, 1)
			require.True(d, failed[0].SenderFault)
		}
	}},
	{"a batch of none is refused", func(d desk) {
		for operation, err := range d.batches(d.queue(nil), nil) {
			d.refused("EmptyBatchRequest", err, operation)
		}
	}},
	{"a batch of eleven is refused", func(d desk) {
		url := d.queue(nil)
		for operation, err := range d.batches(url, strings.Split("abcdefghijk", "")) {
			d.refused("TooManyEntriesInBatchRequest", err, operation)
		}
		d.none(url)
	}},
	{"two entries of a batch have two ids", func(d desk) {
		url := d.queue(nil)
		for operation, err := range d.batches(url, []string{"a", "b", "a"}) {
			d.refused("BatchEntryIdsNotDistinct", err, operation)
		}
		d.none(url)
	}},
	{"an entry's id is of letters, digits, hyphens and underscores, 80 at most", func(d desk) {
		url := d.queue(nil)
		_, err := d.sendBatch(url, []types.SendMessageBatchRequestEntry{{Id: aws.String(strings.Repeat("_A-9", 20)), MessageBody: aws.String("x")}})
		require.NoError(d, err)
		for _, wrong := range []string{"a b", "a.b", strings.Repeat("a", 81)} {
			for operation, err := range d.batches(url, []string{wrong}) {
				d.refused("InvalidBatchEntryId", err, operation, wrong)
			}
		}
	}},
	{"a batch is of one mebibyte at most", func(d desk) {
		url, half := d.queue(nil), strings.Repeat("x", mebibyte/2)
		out, err := d.sendBatch(url, entries(half, half))
		require.NoError(d, err)
		require.Len(d, out.Successful, 2)
		_, err = d.sendBatch(url, entries(half, half+"x"))
		d.refused("BatchRequestTooLong", err)
		require.Equal(d, "2 0 0", d.counts(url))
	}},
	{"a batch deletes, and a receipt that SQS never gave fails alone", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x", "y", "z")
		got := d.take(url, 3, 0)
		out, err := d.sqs.DeleteMessageBatch(d.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("b"), ReceiptHandle: aws.String("made up")}, {Id: aws.String("c"), ReceiptHandle: got[1].ReceiptHandle},
		}})
		require.NoError(d, err)
		require.Equal(d, "a, c, b ReceiptHandleIsInvalid", outcome(out.Successful, func(s types.DeleteMessageBatchResultEntry) *string { return s.Id }, out.Failed))
		require.Equal(d, "0 1 0", d.counts(url))
	}},
	{"a batch hides and shows, and a receipt that SQS never gave fails alone", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x", "y")
		got := d.take(url, 2, 0)
		out, err := d.sqs.ChangeMessageVisibilityBatch(d.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0}, {Id: aws.String("b"), ReceiptHandle: aws.String("made up"), VisibilityTimeout: 60},
			{Id: aws.String("c"), ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 60},
		}})
		require.NoError(d, err)
		require.Equal(d, "a, c, b ReceiptHandleIsInvalid", outcome(out.Successful, func(s types.ChangeMessageVisibilityBatchResultEntry) *string { return s.Id }, out.Failed))
		require.Equal(d, *got[0].Body, *d.one(url, 0).Body)
	}},
}
