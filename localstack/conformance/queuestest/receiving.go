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
	{"an empty queue has nothing to give", func(d desk) { d.none(d.queue(nil)) }},
	{"one message is received, or up to as many as are asked for", func(d desk) {
		url := d.queue(nil)
		for i := range 12 {
			d.send(url, strconv.Itoa(i))
		}
		got := 0
		for _, most := range []int32{0, 3, 10} {
			out, err := d.sqs.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: most})
			require.NoError(d, err)
			require.LessOrEqual(d, len(out.Messages), max(1, int(most)))
			got += len(out.Messages)
		}
		require.LessOrEqual(d, got, 12)
		d.take(url, 12-got, 0)
	}},
	{"every message is received once while it is hidden", func(d desk) {
		url, sent := d.queue(nil), []string{}
		for i := range 25 {
			sent = append(sent, strconv.Itoa(i))
		}
		d.send(url, sent...)
		require.ElementsMatch(d, sent, bodies(d.take(url, 25, 60)))
		d.none(url)
	}},
	{"a receive asks for ten messages at most", func(d desk) {
		url := d.queue(nil)
		for _, wrong := range []int32{11, -2} {
			d.notReceived(sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: wrong})
		}
	}},
	{"a receive hides for half a day at most", func(d desk) {
		url := d.queue(nil)
		for _, wrong := range []int32{43201, -1} {
			d.notReceived(sqs.ReceiveMessageInput{QueueUrl: &url, VisibilityTimeout: wrong})
		}
	}},
	{"a receive waits for 20 seconds at most", func(d desk) {
		url := d.queue(nil)
		for _, wrong := range []int32{-1, 21} {
			d.notReceived(sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: wrong})
		}
	}},
	{"a message tells when it was sent and how often it was received", func(d desk) {
		url := d.queue(attributes{"VisibilityTimeout": "0"})
		d.send(url, "x")
		first := d.one(url, 0)
		require.Equal(d, "1", first.Attributes["ApproximateReceiveCount"])
		sent, firstReceived := millis(d, first, "SentTimestamp"), millis(d, first, "ApproximateFirstReceiveTimestamp")
		require.LessOrEqual(d, sent, firstReceived)
		require.NotContains(d, first.Attributes, "DeadLetterQueueSourceArn")
		d.cloud.Sleep(50 * time.Millisecond)
		second := d.one(url, 0)
		require.Equal(d, "2", second.Attributes["ApproximateReceiveCount"])
		require.Equal(d, sent, millis(d, second, "SentTimestamp"))
		require.Equal(d, firstReceived, millis(d, second, "ApproximateFirstReceiveTimestamp"))
		require.Equal(d, *first.MessageId, *second.MessageId)
		require.NotEqual(d, *first.ReceiptHandle, *second.ReceiptHandle)
	}},
	{"a message tells only what it is asked", func(d desk) {
		url := d.queue(attributes{"VisibilityTimeout": "0"})
		d.send(url, "x")
		for _, asked := range [][]string{nil, {"SentTimestamp"}, {"ApproximateReceiveCount", "SentTimestamp"}} {
			var now []types.MessageSystemAttributeName
			var once []types.QueueAttributeName
			for _, name := range asked {
				now, once = append(now, types.MessageSystemAttributeName(name)), append(once, types.QueueAttributeName(name))
			}
			for _, in := range []sqs.ReceiveMessageInput{{MessageSystemAttributeNames: now}, {AttributeNames: once}} {
				in.QueueUrl = &url
				out, err := d.sqs.ReceiveMessage(d.Context(), &in)
				require.NoError(d, err)
				require.Len(d, out.Messages, 1)
				told := []string{}
				for name := range out.Messages[0].Attributes {
					told = append(told, name)
				}
				require.ElementsMatch(d, asked, told)
			}
		}
	}},
}

// notReceived holds that a receive is refused for its parameters, and at once.
func (d desk) notReceived(in sqs.ReceiveMessageInput) {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), 2*time.Second)
	defer cancel()
	_, err := d.sqs.ReceiveMessage(ctx, &in)
	d.refused("InvalidParameterValue", err, in.MaxNumberOfMessages, in.VisibilityTimeout, in.WaitTimeSeconds)
}

// millis returns a time that a message tells.
func millis(d desk, m types.Message, name string) int64 {
	d.Helper()
	at, err := strconv.ParseInt(m.Attributes[name], 10, 64)
	require.NoError(d, err, name)
	require.Greater(d, at, int64(1_000_000_000_000), "milliseconds")
	return at
}

var aboutVisibility = []demand{
	{"a received message is hidden for as long as its queue says", func(d desk) {
		url := d.queue(attributes{"VisibilityTimeout": "1"})
		d.send(url, "x")
		d.one(url, 0)
		d.none(url)
		require.Equal(d, "0 1 0", d.counts(url))
		d.later(1)
		d.one(url, 0)
	}},
	{"a receive says itself for how long", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		d.one(url, 1)
		d.none(url)
		d.later(1)
		d.one(url, 60)
		d.later(1)
		d.none(url)
	}},
	{"a queue's new timeout holds for new receives only", func(d desk) {
		url := d.queue(attributes{"VisibilityTimeout": "60"})
		d.send(url, "x")
		d.one(url, 0)
		_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"VisibilityTimeout": "1"}})
		require.NoError(d, err)
		d.send(url, "y")
		require.Equal(d, "y", *d.one(url, 0).Body)
		d.later(1)
		require.Equal(d, "y", *d.one(url, 0).Body)
	}},
	{"a message can be hidden for longer, from then on", func(d desk) {
		url := d.queue(attributes{"VisibilityTimeout": "1"})
		d.send(url, "x")
		require.NoError(d, d.hide(url, d.one(url, 0), 3))
		d.later(1)
		d.none(url)
		d.later(2)
		d.one(url, 0)
	}},
	{"a message can be hidden for shorter", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		require.NoError(d, d.hide(url, d.one(url, 0), 1))
		d.none(url)
		d.later(1)
		d.one(url, 0)
	}},
	{"a message that is hidden for no time can be received at once", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		for receives := 1; receives <= 3; receives++ {
			m := d.one(url, 0)
			require.Equal(d, strconv.Itoa(receives), m.Attributes["ApproximateReceiveCount"], "showing it is no receive")
			require.NoError(d, d.hide(url, m, 0))
		}
		require.Equal(d, "1 0 0", d.counts(url))
	}},
	{"a message whose time is over is not hidden again by its old receipt", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		m := d.one(url, 1)
		d.counted(url, "1 0 0")
		if err := d.hide(url, m, 60); err != nil {
			d.refused("MessageNotInflight", err)
		}
		d.one(url, 0)
	}},
	{"a deleted message cannot be hidden", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		m := d.one(url, 0)
		require.NoError(d, d.remove(url, m))
		d.refused("InvalidParameterValue", d.hide(url, m, 60))
	}},
	{"nothing is hidden for more than half a day", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		m := d.one(url, 0)
		d.refused("InvalidParameterValue", d.hide(url, m, 43201))
		d.refused("InvalidParameterValue", d.hide(url, m, -1))
		require.NoError(d, d.hide(url, m, 43000))
	}},
	{"a receipt that SQS never gave hides nothing", func(d desk) {
		url := d.queue(nil)
		d.refused("ReceiptHandleIsInvalid", d.hide(url, types.Message{ReceiptHandle: aws.String("made up")}, 60))
	}},
}

var aboutDeleting = []demand{
	{"a deleted message does not come back", func(d desk) {
		url := d.queue(attributes{"VisibilityTimeout": "1"})
		d.send(url, "x", "y")
		for _, m := range d.take(url, 2, 0) {
			if *m.Body == "x" {
				require.NoError(d, d.remove(url, m))
			}
		}
		d.later(1)
		require.Equal(d, "y", *d.one(url, 0).Body)
		require.Equal(d, "0 1 0", d.counts(url))
	}},
	{"a message can be deleted twice", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		m := d.one(url, 0)
		require.NoError(d, d.remove(url, m))
		require.NoError(d, d.remove(url, m))
	}},
	{"a message that is visible again is deleted by its old receipt", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		m := d.one(url, 0)
		require.NoError(d, d.hide(url, m, 0))
		require.NoError(d, d.remove(url, m))
		d.none(url)
		require.Equal(d, "0 0 0", d.counts(url))
	}},
	{"a message that was received again is deleted by its newest receipt, and by its old one or not", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		old := d.one(url, 0)
		require.NoError(d, d.hide(url, old, 0))
		newest := d.one(url, 0)
		require.NotEqual(d, old.ReceiptHandle, newest.ReceiptHandle)
		if err := d.remove(url, old); err != nil {
			d.refused("ReceiptHandleIsInvalid", err)
		}
		require.Contains(d, []string{"0 0 0", "0 1 0"}, d.counts(url), "AWS promises neither")
		require.NoError(d, d.remove(url, newest))
		require.Equal(d, "0 0 0", d.counts(url))
	}},
	{"a receipt that SQS never gave deletes nothing", func(d desk) {
		url := d.queue(nil)
		d.send(url, "x")
		d.refused("ReceiptHandleIsInvalid", d.remove(url, types.Message{ReceiptHandle: aws.String("made up")}))
		d.one(url, 0)
	}},
}
