package queuestest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

const mebibyte = 1 << 20

// post sends one message as it is said, and returns why it was not taken.
func (d desk) post(in sqs.SendMessageInput, url string) (*sqs.SendMessageOutput, error) {
	in.QueueUrl = &url
	return d.sqs.SendMessage(d.Context(), &in)
}

// text and number return message attributes.
func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func number(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: &value}
}

func blob(value []byte) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: value}
}

// some are message attributes of every kind, someSum their MD5 and textSum that of the attribute "trace" alone, as every client
// of AWS computes them.
var some = map[string]types.MessageAttributeValue{
	"trace": text("00-0af7651916cd43dd8448eb211c80319c-01"), "trace.state": text("ü=1"), "tries": number("3"), "blob": blob([]byte{0, 1, 255}),
	"weight": {DataType: aws.String("Number.kg"), StringValue: aws.String("1.5")},
}

const (
	someSum = "e6777f120aa4e7a4332408b89e07e869"
	textSum = "3bbd5d358cfd7352ffbc78c6df3085a3"
)

var aboutSending = []demand{
	{"a message is received as it was sent", func(d desk) {
		url := d.queue(nil)
		for _, body := range []string{`{"type":"order.placed","lines":[{"price":1250}]}`, "tabs\tand\nlines\r\n", `<b>&amp;"quoted"\`, "Größe 😀 \u2028 \ufffd \ue000", " "} {
			sent, err := d.post(sqs.SendMessageInput{MessageBody: &body}, url)
			require.NoError(d, err)
			m := d.one(url, 0)
			require.Equal(d, body, *m.Body)
			require.Equal(d, *sent.MessageId, *m.MessageId)
			require.Equal(d, *sent.MD5OfMessageBody, *m.MD5OfBody)
			require.Nil(d, sent.MD5OfMessageAttributes)
			require.NoError(d, d.remove(url, m))
		}
	}},
	{"every message has its own id, in the form of a UUID", func(d desk) {
		url, ids := d.queue(nil), map[string]bool{}
		for range 20 {
			sent, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("the same")}, url)
			require.NoError(d, err)
			require.Regexp(d, `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, *sent.MessageId)
			ids[*sent.MessageId] = true
		}
		require.Len(d, ids, 20)
	}},
	{"message attributes are received as they were sent", func(d desk) {
		url := d.queue(nil)
		sent, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: some}, url)
		require.NoError(d, err)
		require.Equal(d, someSum, *sent.MD5OfMessageAttributes)
		m := d.one(url, 0)
		require.Equal(d, some, m.MessageAttributes)
		require.Equal(d, someSum, *m.MD5OfMessageAttributes)
	}},
	{"only the message attributes that are asked for are received", func(d desk) {
		url := d.queue(attributes{"VisibilityTimeout": "0"})
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: some}, url)
		require.NoError(d, err)
		for _, c := range []struct{ asked, told []string }{
			{nil, nil}, {[]string{"unknown"}, nil}, {[]string{"trace"}, []string{"trace"}}, {[]string{"tries", "blob"}, []string{"tries", "blob"}},
			{[]string{"trace.*"}, []string{"trace", "trace.state"}},
			{[]string{"All"}, []string{"trace", "trace.state", "tries", "blob", "weight"}}, {[]string{".*"}, []string{"trace", "trace.state", "tries", "blob", "weight"}},
		} {
			out, err := d.sqs.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MessageAttributeNames: c.asked})
			require.NoError(d, err)
			require.Len(d, out.Messages, 1)
			told := []string{}
			for name := range out.Messages[0].MessageAttributes {
				told = append(told, name)
			}
			require.ElementsMatch(d, c.told, told, "asked for %v", c.asked)
			switch {
			case len(told) == 0:
				require.Nil(d, out.Messages[0].MD5OfMessageAttributes)
			case len(told) == 1:
				require.Equal(d, textSum, *out.Messages[0].MD5OfMessageAttributes, "of what is told")
			}
		}
	}},
	{"a trace header travels beside the message", func(d desk) {
		url, header := d.queue(nil), "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: &header},
		}}, url)
		require.NoError(d, err)
		require.Equal(d, header, d.one(url, 0).Attributes["AWSTraceHeader"])
	}},
	{"message attributes have a name and a type that SQS knows", func(d desk) {
		url := d.queue(nil)
		for why, wrong := range map[string]map[string]types.MessageAttributeValue{
			"a reserved name":     {"AWS.trace": text("x")},
			"a dot in front":      {".trace": text("x")},
			"a dot at the end":    {"trace.": text("x")},
			"a blank in the name": {"a trace": text("x")},
			"a name too long":     {strings.Repeat("n", 257): text("x")},
			"an unknown type":     {"trace": {DataType: aws.String("Colour"), StringValue: aws.String("blue")}},
		} {
			_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: wrong}, url)
			d.refused("InvalidParameterValue", err, why)
		}
	}},
	{"message attributes have a value", func(d desk) {
		url := d.queue(nil)
		for why, wrong := range map[string]types.MessageAttributeValue{"an empty text": text(""), "an empty blob": blob(nil)} {
			_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{"trace": wrong}}, url)
			d.refused("InvalidParameterValue", err, why)
		}
	}},
	{"a message has ten attributes at most", func(d desk) {
		url := d.queue(nil)
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: many(10)}, url)
		require.NoError(d, err)
		_, err = d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: many(11)}, url)
		d.refused("InvalidParameterValue", err)
	}},
	{"a number that is none is refused", func(d desk) {
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{"tries": number("three")}}, d.queue(nil))
		d.refused("InvalidParameterValue", err)
	}},
	{"a message is of one mebibyte at most", func(d desk) {
		url := d.queue(nil)
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", mebibyte))}, url)
		require.NoError(d, err)
		require.Len(d, *d.one(url, 0).Body, mebibyte)
		_, err = d.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", mebibyte+1))}, url)
		d.refused("InvalidParameterValue", err)
	}},
	{"a queue takes messages as large as it says, in bytes", func(d desk) {
		url := d.queue(attributes{"MaximumMessageSize": "1024"})
		for _, right := range []string{strings.Repeat("x", 1024), strings.Repeat("ü", 512)} {
			_, err := d.post(sqs.SendMessageInput{MessageBody: &right}, url)
			require.NoError(d, err)
		}
		for _, wrong := range []string{strings.Repeat("x", 1025), strings.Repeat("ü", 512) + "x"} {
			_, err := d.post(sqs.SendMessageInput{MessageBody: &wrong}, url)
			d.refused("InvalidParameterValue", err)
		}
	}},
	{"message attributes count: their names, types and values", func(d desk) {
		url := d.queue(attributes{"MaximumMessageSize": "1024"})
		weight := len("trace") + len("String") + len("12345") // 16
		with := map[string]types.MessageAttributeValue{"trace": text("12345")}
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1024-weight)), MessageAttributes: with}, url)
		require.NoError(d, err)
		_, err = d.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1024-weight+1)), MessageAttributes: with}, url)
		d.refused("InvalidParameterValue", err)
	}},
	{"a message says something", func(d desk) {
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("")}, d.queue(nil))
		d.refused("MissingParameter", err)
	}},
	{"a message is made of characters that XML knows", func(d desk) {
		url := d.queue(nil)
		for _, wrong := range []string{"\x00", "\x0b", "\x1f", "\ufffe", "\uffff"} {
			_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("a" + wrong + "z")}, url)
			d.refused("InvalidMessageContents", err, fmt.Sprintf("%q", wrong))
		}
		d.none(url)
	}},
	{"a delayed message is received when its delay is over", func(d desk) {
		url := d.queue(nil)
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("later"), DelaySeconds: 1}, url)
		require.NoError(d, err)
		d.none(url)
		require.Equal(d, "0 0 1", d.counts(url))
		d.later(1)
		d.one(url, 0)
	}},
	{"a queue's delay holds for messages that have none", func(d desk) {
		url := d.queue(attributes{"DelaySeconds": "1"})
		d.send(url, "by the queue")
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("by itself"), DelaySeconds: 60}, url)
		require.NoError(d, err)
		d.none(url)
		d.later(1)
		require.Equal(d, "by the queue", *d.one(url, 0).Body)
		require.Equal(d, "0 1 1", d.counts(url))
	}},
	{"a queue's new delay holds for new messages only", func(d desk) {
		url := d.queue(attributes{"DelaySeconds": "60"})
		d.send(url, "old")
		_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"DelaySeconds": "0"}})
		require.NoError(d, err)
		d.send(url, "new")
		require.Equal(d, "new", *d.one(url, 0).Body)
		require.Equal(d, "0 1 1", d.counts(url))
	}},
	{"a delay is of a quarter of an hour at most", func(d desk) {
		url := d.queue(nil)
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 900}, url)
		require.NoError(d, err)
		for _, wrong := range []int32{901, -1} {
			_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: wrong}, url)
			d.refused("InvalidParameterValue", err, wrong)
		}
	}},
	{"a standard queue knows no deduplication", func(d desk) {
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("once")}, d.queue(nil))
		d.refused("InvalidParameterValue", err)
	}},
}

// many returns n message attributes.
func many(n int) map[string]types.MessageAttributeValue {
	all := map[string]types.MessageAttributeValue{}
	for i := range n {
		all[fmt.Sprintf("attribute-%d", i)] = text("x")
	}
	return all
}
