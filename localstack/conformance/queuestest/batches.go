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

// entries returns a batch of messages with the ids "0", "1" and so on.
func entries(messages ...string) []types.SendMessageBatchRequestEntry {
	all := []types.SendMessageBatchRequestEntry{}
	for i, body := range messages {
		all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &body})
	}
	return all
}

func (f fixture) sendBatch(url string, batch []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput,
	error) {
	return f.sqs.SendMessageBatch(f.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: batch})
}

// batches sends, deletes and hides batches whose entries have the ids. It returns the error of each
// operation.
func (f fixture) batches(url string, ids []string) map[string]error {
	handle := aws.String("unknown")
	send, remove, hide := []types.SendMessageBatchRequestEntry{}, []types.DeleteMessageBatchRequestEntry{},
		[]types.ChangeMessageVisibilityBatchRequestEntry{}
	for _, id := range ids {
		send = append(send, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("x")})
		remove = append(remove, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: handle})
		hide = append(hide, types.ChangeMessageVisibilityBatchRequestEntry{Id: &id, ReceiptHandle: handle})
	}
	failed := map[string]error{}
	_, failed["send"] = f.sendBatch(url, send)
	_, failed["delete"] = f.sqs.DeleteMessageBatch(f.Context(), &sqs.DeleteMessageBatchInput{
		QueueUrl: &url, Entries: remove,
	})
	_, failed["hide"] = f.sqs.ChangeMessageVisibilityBatch(f.Context(), &sqs.ChangeMessageVisibilityBatchInput{
		QueueUrl: &url, Entries: hide,
	})
	return failed
}

// outcome returns the ids of the entries that succeeded, then the ids and the codes of those that
// failed.
func outcome[S any](done []S, id func(S) *string, failed []types.BatchResultErrorEntry) string {
	parts := []string{}
	for _, s := range done {
		parts = append(parts, *id(s))
	}
	for _, e := range failed {
		parts = append(parts, *e.Id+" "+cmp.Or(generic[*e.Code], *e.Code))
	}
	return strings.Join(parts, ", ")
}

var aboutBatches = []demand{
	{"a batch of ten is accepted, and each entry is answered", func(f fixture) {
		url, messages := f.queue(nil), []string{}
		for i := range 10 {
			messages = append(messages, fmt.Sprintf("message %d", i))
		}
		out, err := f.sendBatch(url, entries(messages...))
		require.NoError(f, err)
		require.Empty(f, out.Failed)
		require.Len(f, out.Successful, 10)
		sent := map[string]string{}
		for _, s := range out.Successful {
			i, err := strconv.Atoi(*s.Id)
			require.NoError(f, err)
			sent[*s.MessageId] = messages[i]
		}
		for _, m := range f.take(url, 10, 0) {
			require.Equal(f, sent[*m.MessageId], *m.Body)
		}
	}},
	{"an entry of a batch has its own attributes and delay", func(f fixture) {
		url, batch := f.queue(nil), entries("now", "later")
		batch[0].MessageAttributes, batch[1].DelaySeconds = some, 60
		out, err := f.sendBatch(url, batch)
		require.NoError(f, err)
		for _, s := range out.Successful {
			if *s.Id == "0" {
				require.Equal(f, someSum, *s.MD5OfMessageAttributes)
			}
		}
		m := f.one(url, 0)
		require.Equal(f, "now", *m.Body)
		require.Equal(f, some, m.MessageAttributes)
		require.Equal(f, "0 1 1", f.counts(url))
	}},
	{"an invalid message fails alone", func(f fixture) {
		url := f.queue(attributes{"MaximumMessageSize": "1024"})
		out, err := f.sendBatch(url, entries("good", strings.Repeat("x", 1025), "bad \x00", "also good"))
		require.NoError(f, err)
		require.Equal(f, "0, 3, 1 InvalidParameterValue, 2 InvalidMessageContents",
			outcome(out.Successful, func(s types.SendMessageBatchResultEntry) *string { return s.Id }, out.Failed))
		require.ElementsMatch(f, []string{"good", "also good"}, bodies(f.take(url, 2, 0)))
	}},
	{"an invalid entry has SenderFault true", func(f fixture) {
		url := f.queue(nil)
		sent, err := f.sendBatch(url, entries("bad \x00"))
		require.NoError(f, err)
		deleted,
			err := f.sqs.DeleteMessageBatch(f.Context(),
			&sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("a"), ReceiptHandle: aws.String("unknown")},
			}})
		require.NoError(f, err)
		for _, failed := range [][]types.BatchResultErrorEntry{sent.Failed, deleted.Failed} {
			require.Len(f, failed, 1)
			require.True(f, failed[0].SenderFault)
		}
	}},
	{"an empty batch is refused", func(f fixture) {
		for operation, err := range f.batches(f.queue(nil), nil) {
			f.refused("EmptyBatchRequest", err, operation)
		}
	}},
	{"a batch of eleven entries is refused", func(f fixture) {
		url := f.queue(nil)
		for operation, err := range f.batches(url, strings.Split("abcdefghijk", "")) {
			f.refused("TooManyEntriesInBatchRequest", err, operation)
		}
		f.none(url)
	}},
	{"the ids of a batch must be distinct", func(f fixture) {
		url := f.queue(nil)
		for operation, err := range f.batches(url, []string{"a", "b", "a"}) {
			f.refused("BatchEntryIdsNotDistinct", err, operation)
		}
		f.none(url)
	}},
	{"an entry's id has at most 80 letters, digits, hyphens and underscores", func(f fixture) {
		url := f.queue(nil)
		_, err := f.sendBatch(url, []types.SendMessageBatchRequestEntry{
			{Id: aws.String(strings.Repeat("_A-9", 20)), MessageBody: aws.String("x")},
		})
		require.NoError(f, err)
		for _, wrong := range []string{"a b", "a.b", strings.Repeat("a", 81)} {
			for operation, err := range f.batches(url, []string{wrong}) {
				f.refused("InvalidBatchEntryId", err, operation, wrong)
			}
		}
	}},
	{"a batch has at most 1 MiB", func(f fixture) {
		url, half := f.queue(nil), strings.Repeat("x", mebibyte/2)
		out, err := f.sendBatch(url, entries(half, half))
		require.NoError(f, err)
		require.Len(f, out.Successful, 2)
		_, err = f.sendBatch(url, entries(half, half+"x"))
		f.refused("BatchRequestTooLong", err)
		require.Equal(f, "2 0 0", f.counts(url))
	}},
	{"a batch deletes, and an unknown receipt fails alone", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x", "y", "z")
		got := f.take(url, 3, 0)
		out,
			err := f.sqs.DeleteMessageBatch(f.Context(),
			&sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle},
				{Id: aws.String("b"), ReceiptHandle: aws.String("unknown")},
				{Id: aws.String("c"), ReceiptHandle: got[1].ReceiptHandle},
			}})
		require.NoError(f, err)
		require.Equal(f, "a, c, b ReceiptHandleIsInvalid",
			outcome(out.Successful, func(s types.DeleteMessageBatchResultEntry) *string { return s.Id }, out.Failed))
		require.Equal(f, "0 1 0", f.counts(url))
	}},
	{"a batch changes visibility, and an unknown receipt fails alone", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x", "y")
		got := f.take(url, 2, 0)
		out,
			err := f.sqs.ChangeMessageVisibilityBatch(f.Context(),
			&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url,
				Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
					{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0},
					{Id: aws.String("b"), ReceiptHandle: aws.String("unknown"), VisibilityTimeout: 60},
					{Id: aws.String("c"), ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 60},
				}})
		require.NoError(f, err)
		require.Equal(f, "a, c, b ReceiptHandleIsInvalid",
			outcome(out.Successful, func(s types.ChangeMessageVisibilityBatchResultEntry) *string { return s.Id },
				out.Failed))
		require.Equal(f, *got[0].Body, *f.one(url, 0).Body)
	}},
}
