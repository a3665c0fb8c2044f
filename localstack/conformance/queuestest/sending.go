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

// post sends one message to a queue.
func (f fixture) post(in sqs.SendMessageInput, url string) (*sqs.SendMessageOutput, error) {
	in.QueueUrl = &url
	return f.sqs.SendMessage(f.Context(), &in)
}

// text, number and blob return message attributes.
func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func number(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: &value}
}

func blob(value []byte) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: value}
}

// some are message attributes of every kind. someSum is their MD5 and textSum that of the attribute
// "trace" alone, as the AWS clients compute them.
var some = map[string]types.MessageAttributeValue{
	"trace": text("00-0af7651916cd43dd8448eb211c80319c-01"), "trace.state": text("ü=1"), "tries": number("3"),
	"blob":   blob([]byte{0, 1, 255}),
	"weight": {DataType: aws.String("Number.kg"), StringValue: aws.String("1.5")},
}

const (
	someSum = "e6777f120aa4e7a4332408b89e07e869"
	textSum = "3bbd5d358cfd7352ffbc78c6df3085a3"
)

var aboutSending = []demand{
	{"a message is received as it was sent", func(f fixture) {
		url := f.queue(nil)
		for _, body := range []string{`{"type":"order.placed","lines":[{"price":1250}]}`, "tabs\tand\nlines\r\n", `<b>&amp;"quoted"\`, "Größe 😀 \u2028 \ufffd \ue000", " "} {
			sent, err := f.post(sqs.SendMessageInput{MessageBody: &body}, url)
			require.NoError(f, err)
			m := f.one(url, 0)
			require.Equal(f, body, *m.Body)
			require.Equal(f, *sent.MessageId, *m.MessageId)
			require.Equal(f, *sent.MD5OfMessageBody, *m.MD5OfBody)
			require.Nil(f, sent.MD5OfMessageAttributes)
			require.NoError(f, f.remove(url, m))
		}
	}},
	{"every message has its own id, a UUID", func(f fixture) {
		url, ids := f.queue(nil), map[string]bool{}
		for range 20 {
			sent, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("the same")}, url)
			require.NoError(f, err)
			require.Regexp(f, `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, *sent.MessageId)
			ids[*sent.MessageId] = true
		}
		require.Len(f, ids, 20)
	}},
	{"message attributes are received as they were sent", func(f fixture) {
		url := f.queue(nil)
		sent, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: some}, url)
		require.NoError(f, err)
		require.Equal(f, someSum, *sent.MD5OfMessageAttributes)
		m := f.one(url, 0)
		require.Equal(f, some, m.MessageAttributes)
		require.Equal(f, someSum, *m.MD5OfMessageAttributes)
	}},
	{"only the requested message attributes are received", func(f fixture) {
		url := f.queue(attributes{"VisibilityTimeout": "0"})
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: some}, url)
		require.NoError(f, err)
		for _, c := range []struct{ asked, want []string }{
			{nil, nil}, {[]string{"unknown"}, nil}, {[]string{"trace"}, []string{"trace"}},
			{[]string{"tries", "blob"}, []string{"tries", "blob"}},
			{[]string{"trace.*"}, []string{"trace", "trace.state"}},
			{[]string{"All"}, []string{"trace", "trace.state", "tries", "blob", "weight"}},
			{[]string{".*"}, []string{"trace", "trace.state", "tries", "blob", "weight"}},
		} {
			out,
				err := f.sqs.ReceiveMessage(f.Context(),
				&sqs.ReceiveMessageInput{QueueUrl: &url, MessageAttributeNames: c.asked})
			require.NoError(f, err)
			require.Len(f, out.Messages, 1)
			got := []string{}
			for name := range out.Messages[0].MessageAttributes {
				got = append(got, name)
			}
			require.ElementsMatch(f, c.want, got, "asked for %v", c.asked)
			switch {
			case len(got) == 0:
				require.Nil(f, out.Messages[0].MD5OfMessageAttributes)
			case len(got) == 1:
				require.Equal(f, textSum, *out.Messages[0].MD5OfMessageAttributes,
					"the MD5 covers only the returned attributes")
			}
		}
	}},
	{"a trace header is received as a system attribute", func(f fixture) {
		url, header := f.queue(nil), "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: &header},
		}}, url)
		require.NoError(f, err)
		require.Equal(f, header, f.one(url, 0).Attributes["AWSTraceHeader"])
	}},
	{"message attributes must have a valid name and type", func(f fixture) {
		url := f.queue(nil)
		for why, wrong := range map[string]map[string]types.MessageAttributeValue{
			"a reserved name":     {"AWS.trace": text("x")},
			"a dot in front":      {".trace": text("x")},
			"a dot at the end":    {"trace.": text("x")},
			"a blank in the name": {"a trace": text("x")},
			"a name too long":     {strings.Repeat("n", 257): text("x")},
			"an unknown type":     {"trace": {DataType: aws.String("Colour"), StringValue: aws.String("blue")}},
		} {
			_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: wrong}, url)
			f.refused("InvalidParameterValue", err, why)
		}
	}},
	{"message attributes must have a value", func(f fixture) {
		url := f.queue(nil)
		for why, wrong := range map[string]types.MessageAttributeValue{
			"an empty text": text(""), "an empty blob": blob(nil),
		} {
			_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{"trace": wrong}}, url)
			f.refused("InvalidParameterValue", err, why)
		}
	}},
	{"a message has at most ten attributes", func(f fixture) {
		url := f.queue(nil)
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: many(10)}, url)
		require.NoError(f, err)
		_, err = f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: many(11)}, url)
		f.refused("InvalidParameterValue", err)
	}},
	{"a Number attribute must be a number", func(f fixture) {
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{"tries": number("three")}}, f.queue(nil))
		f.refused("InvalidParameterValue", err)
	}},
	{"a message has at most 1 MiB", func(f fixture) {
		url := f.queue(nil)
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", mebibyte))}, url)
		require.NoError(f, err)
		require.Len(f, *f.one(url, 0).Body, mebibyte)
		_, err = f.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", mebibyte+1))}, url)
		f.refused("InvalidParameterValue", err)
	}},
	{"a queue limits messages to its maximum size, in bytes", func(f fixture) {
		url := f.queue(attributes{"MaximumMessageSize": "1024"})
		for _, right := range []string{strings.Repeat("x", 1024), strings.Repeat("ü", 512)} {
			_, err := f.post(sqs.SendMessageInput{MessageBody: &right}, url)
			require.NoError(f, err)
		}
		for _, wrong := range []string{strings.Repeat("x", 1025), strings.Repeat("ü", 512) + "x"} {
			_, err := f.post(sqs.SendMessageInput{MessageBody: &wrong}, url)
			f.refused("InvalidParameterValue", err)
		}
	}},
	{"names, types and values of message attributes count as size", func(f fixture) {
		url := f.queue(attributes{"MaximumMessageSize": "1024"})
		size := len("trace") + len("String") + len("12345") // 16
		with := map[string]types.MessageAttributeValue{"trace": text("12345")}
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1024-size)), MessageAttributes: with}, url)
		require.NoError(f, err)
		_, err = f.post(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1024-size+1)), MessageAttributes: with}, url)
		f.refused("InvalidParameterValue", err)
	}},
	{"a message must have a body", func(f fixture) {
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("")}, f.queue(nil))
		f.refused("MissingParameter", err)
	}},
	{"a message has only characters that XML allows", func(f fixture) {
		url := f.queue(nil)
		for _, wrong := range []string{"\x00", "\x0b", "\x1f", "\ufffe", "\uffff"} {
			_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("a" + wrong + "z")}, url)
			f.refused("InvalidMessageContents", err, fmt.Sprintf("%q", wrong))
		}
		f.none(url)
	}},
	{"a delayed message is received when its delay is over", func(f fixture) {
		url := f.queue(nil)
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("later"), DelaySeconds: 1}, url)
		require.NoError(f, err)
		f.none(url)
		require.Equal(f, "0 0 1", f.counts(url))
		f.later(1)
		f.one(url, 0)
	}},
	{"a queue's delay applies to messages without their own", func(f fixture) {
		url := f.queue(attributes{"DelaySeconds": "1"})
		f.send(url, "by the queue")
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("by itself"), DelaySeconds: 60}, url)
		require.NoError(f, err)
		f.none(url)
		f.later(1)
		require.Equal(f, "by the queue", *f.one(url, 0).Body)
		require.Equal(f, "0 1 1", f.counts(url))
	}},
	{"a queue's new delay applies to new messages only", func(f fixture) {
		url := f.queue(attributes{"DelaySeconds": "60"})
		f.send(url, "old")
		_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: attributes{"DelaySeconds": "0"},
		})
		require.NoError(f, err)
		f.send(url, "new")
		require.Equal(f, "new", *f.one(url, 0).Body)
		require.Equal(f, "0 1 1", f.counts(url))
	}},
	{"a delay is at most 15 minutes", func(f fixture) {
		url := f.queue(nil)
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 900}, url)
		require.NoError(f, err)
		for _, wrong := range []int32{901, -1} {
			_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: wrong}, url)
			f.refused("InvalidParameterValue", err, wrong)
		}
	}},
	{"a standard queue refuses deduplication ids", func(f fixture) {
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("once")}, f.queue(nil))
		f.refused("InvalidParameterValue", err)
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
