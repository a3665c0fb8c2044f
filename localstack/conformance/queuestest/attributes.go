package queuestest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

var aboutAttributes = []demand{
	{"a queue has default attributes", func(f fixture) {
		url := f.queue(nil)
		out,
			err := f.sqs.GetQueueAttributes(f.Context(),
			&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
		require.NoError(f, err)
		for name, value := range map[string]string{
			"VisibilityTimeout": "30", "DelaySeconds": "0", "MessageRetentionPeriod": "345600",
			"ReceiveMessageWaitTimeSeconds": "0",
			"MaximumMessageSize":            "1048576", "SqsManagedSseEnabled": "true",
			"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
			"ApproximateNumberOfMessagesDelayed": "0",
		} {
			require.Equal(f, value, out.Attributes[name], name)
		}
		require.Regexp(f, `^arn:aws:sqs:[a-z0-9-]+:\d{12}:`+nameOf(url)+`$`, out.Attributes["QueueArn"])
		require.NotContains(f, out.Attributes, "RedrivePolicy")
	}},
	{"attributes are read as they were set", func(f fixture) {
		deadLetters := f.queue(attributes{"MessageRetentionPeriod": "1209600"})
		policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":20}`, f.attribute(deadLetters, "QueueArn"))
		said := attributes{
			"VisibilityTimeout": "60", "DelaySeconds": "3", "MessageRetentionPeriod": "86400",
			"ReceiveMessageWaitTimeSeconds": "5",
			"MaximumMessageSize":            "2048", "SqsManagedSseEnabled": "false",
		}
		url := f.queue(said)
		for name, value := range said {
			require.Equal(f, value, f.attribute(url, types.QueueAttributeName(name)), name)
		}
		_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: attributes{"VisibilityTimeout": "61", "RedrivePolicy": policy},
		})
		require.NoError(f, err)
		require.Equal(f, "61", f.attribute(url, "VisibilityTimeout"))
		require.Equal(f, "3", f.attribute(url, "DelaySeconds"), "an attribute that is not named is unchanged")
		require.JSONEq(f, policy, f.attribute(url, "RedrivePolicy"))
	}},
	{"only the requested attributes are returned", func(f fixture) {
		url := f.queue(nil)
		out,
			err := f.sqs.GetQueueAttributes(f.Context(),
			&sqs.GetQueueAttributesInput{QueueUrl: &url,
				AttributeNames: []types.QueueAttributeName{"VisibilityTimeout", "QueueArn"}})
		require.NoError(f, err)
		require.Len(f, out.Attributes, 2)
	}},
	{"no attributes are returned if none are requested", func(f fixture) {
		url := f.queue(nil)
		out, err := f.sqs.GetQueueAttributes(f.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url})
		require.NoError(f, err)
		require.Empty(f, out.Attributes)
	}},
	{"an unknown attribute is refused", func(f fixture) {
		url := f.queue(nil)
		_, err := f.sqs.GetQueueAttributes(f.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"Colour"},
		})
		f.refused("InvalidAttributeName", err)
		_, err = f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: attributes{"Colour": "blue"},
		})
		f.refused("InvalidAttributeName", err)
	}},
	{"attributes have limits", func(f fixture) {
		url := f.queue(nil)
		set := func(name, value string) error {
			_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: &url, Attributes: attributes{name: value},
			})
			return err
		}
		for name, limits := range map[string][4]string{ // below the range, its ends, above it
			"VisibilityTimeout": {"-1", "0", "43200", "43201"}, "DelaySeconds": {"-1", "0", "900", "901"},
			"MessageRetentionPeriod":        {"59", "60", "1209600", "1209601"},
			"ReceiveMessageWaitTimeSeconds": {"-1", "0", "20", "21"},
			"MaximumMessageSize":            {"1023", "1024", "1048576", "1048577"},
		} {
			require.NoError(f, set(name, limits[1]), name)
			require.NoError(f, set(name, limits[2]), name)
			for _, wrong := range []string{limits[0], limits[3], "many", ""} {
				f.refused("InvalidAttributeValue", set(name, wrong), name, wrong)
			}
			require.Equal(f, limits[2], f.attribute(url, types.QueueAttributeName(name)))
		}
	}},
	{"a redrive policy has a target and a limit from 1 to 1000", func(f fixture) {
		url, target := f.queue(nil), f.attribute(f.queue(nil), "QueueArn")
		set := func(policy string) error {
			_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: &url, Attributes: attributes{"RedrivePolicy": policy},
			})
			return err
		}
		for _, right := range []string{`1`, `1000`, `"5"`} {
			require.NoError(f, set(`{"deadLetterTargetArn":"`+target+`","maxReceiveCount":`+right+`}`), right)
		}
		for _, wrong := range []string{
			`{"deadLetterTargetArn":"` + target + `","maxReceiveCount":0}`, `{"deadLetterTargetArn":"` + target +
				`","maxReceiveCount":1001}`,
			`{"deadLetterTargetArn":"` + target + `"}`, `{"maxReceiveCount":3}`,
		} {
			f.refused("InvalidParameterValue", set(wrong), wrong)
		}
	}},
	{"a redrive policy must be JSON", func(f fixture) {
		url := f.queue(nil)
		_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: attributes{"RedrivePolicy": "{"},
		})
		f.refused("InvalidParameterValue", err)
	}},
	{"a redrive policy's target must exist", func(f fixture) {
		here := f.attribute(f.queue(nil), "QueueArn")
		away := here[:strings.LastIndex(here, ":")+1] + f.name()
		_, err := f.create(f.name(), attributes{"RedrivePolicy": `{"deadLetterTargetArn":"` + away + `","maxReceiveCount":3}`})
		f.refused("InvalidParameterValue", err)
	}},
	{"a queue counts visible, in-flight and delayed messages", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "a", "b", "c")
		out, err := f.sqs.ReceiveMessage(f.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
		require.NoError(f, err)
		require.Len(f, out.Messages, 1)
		for range 3 {
			_, err := f.sqs.SendMessage(f.Context(), &sqs.SendMessageInput{
				QueueUrl: &url, MessageBody: out.Messages[0].Body, DelaySeconds: 60,
			})
			require.NoError(f, err)
		}
		require.Equal(f, "2 1 3", f.counts(url))
		require.NoError(f, f.hide(url, out.Messages[0], 0))
		require.Equal(f, "3 0 3", f.counts(url))
		require.NoError(f, f.remove(url, out.Messages[0]))
		require.Equal(f, "2 0 3", f.counts(url))
	}},
}
