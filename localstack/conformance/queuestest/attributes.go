package queuestest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

var aboutAttributes = []demand{
	{"a queue is as nobody said otherwise", func(d desk) {
		url := d.queue(nil)
		out, err := d.sqs.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
		require.NoError(d, err)
		for name, value := range map[string]string{
			"VisibilityTimeout": "30", "DelaySeconds": "0", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
			"MaximumMessageSize": "1048576", "SqsManagedSseEnabled": "true",
			"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
		} {
			require.Equal(d, value, out.Attributes[name], name)
		}
		require.Regexp(d, `^arn:aws:sqs:[a-z0-9-]+:\d{12}:`+nameOf(url)+`$`, out.Attributes["QueueArn"])
		require.NotContains(d, out.Attributes, "RedrivePolicy")
	}},
	{"attributes are read as they were said", func(d desk) {
		deadLetters := d.queue(attributes{"MessageRetentionPeriod": "1209600"})
		policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":20}`, d.attribute(deadLetters, "QueueArn"))
		said := attributes{
			"VisibilityTimeout": "60", "DelaySeconds": "3", "MessageRetentionPeriod": "86400", "ReceiveMessageWaitTimeSeconds": "5",
			"MaximumMessageSize": "2048", "SqsManagedSseEnabled": "false",
		}
		url := d.queue(said)
		for name, value := range said {
			require.Equal(d, value, d.attribute(url, types.QueueAttributeName(name)), name)
		}
		_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"VisibilityTimeout": "61", "RedrivePolicy": policy}})
		require.NoError(d, err)
		require.Equal(d, "61", d.attribute(url, "VisibilityTimeout"))
		require.Equal(d, "3", d.attribute(url, "DelaySeconds"), "it stays")
		require.JSONEq(d, policy, d.attribute(url, "RedrivePolicy"))
	}},
	{"only the attributes that are asked for are told", func(d desk) {
		url := d.queue(nil)
		out, err := d.sqs.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"VisibilityTimeout", "QueueArn"}})
		require.NoError(d, err)
		require.Len(d, out.Attributes, 2)
	}},
	{"who asks for no attributes is told none", func(d desk) {
		url := d.queue(nil)
		out, err := d.sqs.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url})
		require.NoError(d, err)
		require.Empty(d, out.Attributes)
	}},
	{"an unknown attribute is refused", func(d desk) {
		url := d.queue(nil)
		_, err := d.sqs.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"Colour"}})
		d.refused("InvalidAttributeName", err)
		_, err = d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"Colour": "blue"}})
		d.refused("InvalidAttributeName", err)
	}},
	{"attributes have limits", func(d desk) {
		url := d.queue(nil)
		set := func(name, value string) error {
			_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{name: value}})
			return err
		}
		for name, limits := range map[string][4]string{ // too little, least, most, too much
			"VisibilityTimeout": {"-1", "0", "43200", "43201"}, "DelaySeconds": {"-1", "0", "900", "901"},
			"MessageRetentionPeriod": {"59", "60", "1209600", "1209601"}, "ReceiveMessageWaitTimeSeconds": {"-1", "0", "20", "21"},
			"MaximumMessageSize": {"1023", "1024", "1048576", "1048577"},
		} {
			require.NoError(d, set(name, limits[1]), name)
			require.NoError(d, set(name, limits[2]), name)
			for _, wrong := range []string{limits[0], limits[3], "many", ""} {
				d.refused("InvalidAttributeValue", set(name, wrong), name, wrong)
			}
			require.Equal(d, limits[2], d.attribute(url, types.QueueAttributeName(name)))
		}
	}},
	{"a redrive policy names how often, from 1 to 1000, and where to", func(d desk) {
		url, target := d.queue(nil), d.attribute(d.queue(nil), "QueueArn")
		set := func(policy string) error {
			_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"RedrivePolicy": policy}})
			return err
		}
		for _, right := range []string{`1`, `1000`, `"5"`} {
			require.NoError(d, set(`{"deadLetterTargetArn":"`+target+`","maxReceiveCount":`+right+`}`), right)
		}
		for _, wrong := range []string{
			`{"deadLetterTargetArn":"` + target + `","maxReceiveCount":0}`, `{"deadLetterTargetArn":"` + target + `","maxReceiveCount":1001}`,
			`{"deadLetterTargetArn":"` + target + `"}`, `{"maxReceiveCount":3}`,
		} {
			d.refused("InvalidParameterValue", set(wrong), wrong)
		}
	}},
	{"a redrive policy that is no JSON is refused", func(d desk) {
		url := d.queue(nil)
		_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"RedrivePolicy": "{"}})
		d.refused("InvalidParameterValue", err)
	}},
	{"a redrive policy's target must be there", func(d desk) {
		here := d.attribute(d.queue(nil), "QueueArn")
		away := here[:strings.LastIndex(here, ":")+1] + d.name()
		_, err := d.create(d.name(), attributes{"RedrivePolicy": `{"deadLetterTargetArn":"` + away + `","maxReceiveCount":3}`})
		d.refused("InvalidParameterValue", err)
	}},
	{"a queue counts what is visible, in flight and delayed", func(d desk) {
		url := d.queue(nil)
		d.send(url, "a", "b", "c")
		out, err := d.sqs.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
		require.NoError(d, err)
		require.Len(d, out.Messages, 1)
		for range 3 {
			_, err := d.sqs.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: out.Messages[0].Body, DelaySeconds: 60})
			require.NoError(d, err)
		}
		require.Equal(d, "2 1 3", d.counts(url))
		require.NoError(d, d.hide(url, out.Messages[0], 0))
		require.Equal(d, "3 0 3", d.counts(url))
		require.NoError(d, d.remove(url, out.Messages[0]))
		require.Equal(d, "2 0 3", d.counts(url))
	}},
}
