package queuestest

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

var aboutReceiving = []demand{
	{"an empty queue returns no message", func(f fixture) { f.none(f.queue(nil)) }},
	{"one message is received, or up to the requested number", func(f fixture) {
		url := f.queue(nil)
		for i := range 12 {
			f.send(url, strconv.Itoa(i))
		}
		got := 0
		for _, most := range []int32{0, 3, 10} {
			out,
				err := f.sqs.ReceiveMessage(f.Context(),
				&sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: most})
			require.NoError(f, err)
			require.LessOrEqual(f, len(out.Messages), max(1, int(most)))
			got += len(out.Messages)
		}
		require.LessOrEqual(f, got, 12)
		f.take(url, 12-got, 0)
	}},
	{"a hidden message is not received again", func(f fixture) {
		url, sent := f.queue(nil), []string{}
		for i := range 25 {
			sent = append(sent, strconv.Itoa(i))
		}
		f.send(url, sent...)
		require.ElementsMatch(f, sent, bodies(f.take(url, 25, 60)))
		f.none(url)
	}},
	{"a receive returns at most ten messages", func(f fixture) {
		url := f.queue(nil)
		for _, wrong := range []int32{11, -2} {
			f.notReceived(sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: wrong})
		}
	}},
	{"a receive hides messages for at most twelve hours", func(f fixture) {
		url := f.queue(nil)
		for _, wrong := range []int32{43201, -1} {
			f.notReceived(sqs.ReceiveMessageInput{QueueUrl: &url, VisibilityTimeout: wrong})
		}
	}},
	{"a receive waits for at most 20 seconds", func(f fixture) {
		url := f.queue(nil)
		for _, wrong := range []int32{-1, 21} {
			f.notReceived(sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: wrong})
		}
	}},
	{"a message shows when it was sent and how often it was received", func(f fixture) {
		url := f.queue(attributes{"VisibilityTimeout": "0"})
		f.send(url, "x")
		first := f.one(url, 0)
		require.Equal(f, "1", first.Attributes["ApproximateReceiveCount"])
		sent, firstReceived := millis(f, first, "SentTimestamp"), millis(f, first, "ApproximateFirstReceiveTimestamp")
		require.LessOrEqual(f, sent, firstReceived)
		require.NotContains(f, first.Attributes, "DeadLetterQueueSourceArn")
		f.cloud.Sleep(50 * time.Millisecond)
		second := f.one(url, 0)
		require.Equal(f, "2", second.Attributes["ApproximateReceiveCount"])
		require.Equal(f, sent, millis(f, second, "SentTimestamp"))
		require.Equal(f, firstReceived, millis(f, second, "ApproximateFirstReceiveTimestamp"))
		require.Equal(f, *first.MessageId, *second.MessageId)
		require.NotEqual(f, *first.ReceiptHandle, *second.ReceiptHandle)
	}},
	{"a message shows only the requested system attributes", func(f fixture) {
		url := f.queue(attributes{"VisibilityTimeout": "0"})
		f.send(url, "x")
		for _, asked := range [][]string{nil, {"SentTimestamp"}, {"ApproximateReceiveCount", "SentTimestamp"}} {
			var now []types.MessageSystemAttributeName
			var once []types.QueueAttributeName
			for _, name := range asked {
				now, once = append(now, types.MessageSystemAttributeName(name)),
					append(once, types.QueueAttributeName(name))
			}
			for _, in := range []sqs.ReceiveMessageInput{{MessageSystemAttributeNames: now}, {AttributeNames: once}} {
				in.QueueUrl = &url
				out, err := f.sqs.ReceiveMessage(f.Context(), &in)
				require.NoError(f, err)
				require.Len(f, out.Messages, 1)
				got := []string{}
				for name := range out.Messages[0].Attributes {
					got = append(got, name)
				}
				require.ElementsMatch(f, asked, got)
			}
		}
	}},
}

// notReceived asserts that a receive is refused at once because of its parameters.
func (f fixture) notReceived(in sqs.ReceiveMessageInput) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 2*time.Second)
	defer cancel()
	_, err := f.sqs.ReceiveMessage(ctx, &in)
	f.refused("InvalidParameterValue", err, in.MaxNumberOfMessages, in.VisibilityTimeout, in.WaitTimeSeconds)
}

// millis returns a system attribute that is a time in milliseconds.
func millis(f fixture, m types.Message, name string) int64 {
	f.Helper()
	at, err := strconv.ParseInt(m.Attributes[name], 10, 64)
	require.NoError(f, err, name)
	require.Greater(f, at, int64(1_000_000_000_000), "milliseconds")
	return at
}

var aboutVisibility = []demand{
	{"a received message is hidden for its queue's visibility timeout", func(f fixture) {
		url := f.queue(attributes{"VisibilityTimeout": "1"})
		f.send(url, "x")
		f.one(url, 0)
		f.none(url)
		require.Equal(f, "0 1 0", f.counts(url))
		f.later(1)
		f.one(url, 0)
	}},
	{"a receive can set its own visibility timeout", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		f.one(url, 1)
		f.none(url)
		f.later(1)
		f.one(url, 60)
		f.later(1)
		f.none(url)
	}},
	{"a new visibility timeout applies to new receives only", func(f fixture) {
		url := f.queue(attributes{"VisibilityTimeout": "60"})
		f.send(url, "x")
		f.one(url, 0)
		_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: attributes{"VisibilityTimeout": "1"},
		})
		require.NoError(f, err)
		f.send(url, "y")
		require.Equal(f, "y", *f.one(url, 0).Body)
		f.later(1)
		require.Equal(f, "y", *f.one(url, 0).Body)
	}},
	{"a message can be hidden for longer, counted from the request", func(f fixture) {
		url := f.queue(attributes{"VisibilityTimeout": "1"})
		f.send(url, "x")
		require.NoError(f, f.hide(url, f.one(url, 0), 3))
		f.later(1)
		f.none(url)
		f.later(2)
		f.one(url, 0)
	}},
	{"a message can be hidden for a shorter time", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		require.NoError(f, f.hide(url, f.one(url, 0), 1))
		f.none(url)
		f.later(1)
		f.one(url, 0)
	}},
	{"a message with timeout 0 can be received at once", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		for receives := 1; receives <= 3; receives++ {
			m := f.one(url, 0)
			require.Equal(f, strconv.Itoa(receives), m.Attributes["ApproximateReceiveCount"],
				"making a message visible is not counted as a receive")
			require.NoError(f, f.hide(url, m, 0))
		}
		require.Equal(f, "1 0 0", f.counts(url))
	}},
	{"a receipt cannot hide a message after its timeout", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		m := f.one(url, 1)
		f.counted(url, "1 0 0")
		if err := f.hide(url, m, 60); err != nil {
			f.refused("MessageNotInflight", err)
		}
		f.one(url, 0)
	}},
	{"a deleted message cannot be hidden", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		m := f.one(url, 0)
		require.NoError(f, f.remove(url, m))
		f.refused("InvalidParameterValue", f.hide(url, m, 60))
	}},
	{"a visibility timeout is at most twelve hours", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		m := f.one(url, 0)
		f.refused("InvalidParameterValue", f.hide(url, m, 43201))
		f.refused("InvalidParameterValue", f.hide(url, m, -1))
		require.NoError(f, f.hide(url, m, 43000))
	}},
	{"an unknown receipt cannot hide a message", func(f fixture) {
		url := f.queue(nil)
		f.refused("ReceiptHandleIsInvalid", f.hide(url, types.Message{ReceiptHandle: aws.String("unknown")}, 60))
	}},
}

var aboutDeleting = []demand{
	{"a deleted message is not received again", func(f fixture) {
		url := f.queue(attributes{"VisibilityTimeout": "1"})
		f.send(url, "x", "y")
		for _, m := range f.take(url, 2, 0) {
			if *m.Body == "x" {
				require.NoError(f, f.remove(url, m))
			}
		}
		f.later(1)
		require.Equal(f, "y", *f.one(url, 0).Body)
		require.Equal(f, "0 1 0", f.counts(url))
	}},
	{"a message can be deleted twice", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		m := f.one(url, 0)
		require.NoError(f, f.remove(url, m))
		require.NoError(f, f.remove(url, m))
	}},
	{"an old receipt deletes a message that is visible again", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		m := f.one(url, 0)
		require.NoError(f, f.hide(url, m, 0))
		require.NoError(f, f.remove(url, m))
		f.none(url)
		require.Equal(f, "0 0 0", f.counts(url))
	}},
	{"the newest receipt deletes a message, and an older one may", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		old := f.one(url, 0)
		require.NoError(f, f.hide(url, old, 0))
		newest := f.one(url, 0)
		require.NotEqual(f, old.ReceiptHandle, newest.ReceiptHandle)
		if err := f.remove(url, old); err != nil {
			f.refused("ReceiptHandleIsInvalid", err)
		}
		require.Contains(f, []string{"0 0 0", "0 1 0"}, f.counts(url), "AWS promises neither")
		require.NoError(f, f.remove(url, newest))
		require.Equal(f, "0 0 0", f.counts(url))
	}},
	{"an unknown receipt deletes nothing", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "x")
		f.refused("ReceiptHandleIsInvalid", f.remove(url, types.Message{ReceiptHandle: aws.String("unknown")}))
		f.one(url, 0)
	}},
}
