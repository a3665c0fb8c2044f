package queuestest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

// create creates a queue with a name. It is deleted when the case ends.
func (f fixture) create(name string, a attributes) (string, error) {
	out, err := f.sqs.CreateQueue(f.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: a})
	if err != nil {
		return "", err
	}
	f.removed(out.QueueUrl)
	return *out.QueueUrl, nil
}

// find returns the URL of a queue by its name.
func (f fixture) find(name string) (string, error) {
	out, err := f.sqs.GetQueueUrl(f.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return "", err
	}
	return *out.QueueUrl, nil
}

// nameOf returns the name of a queue by its URL.
func nameOf(url string) string { return url[strings.LastIndex(url, "/")+1:] }

var aboutQueues = []demand{
	{"a queue is found by its name", func(f fixture) {
		url := f.queue(nil)
		found, err := f.find(nameOf(url))
		require.NoError(f, err)
		require.Equal(f, url, found)
		_, err = f.find(f.name())
		f.refused("QueueDoesNotExist", err)
	}},
	{"creating a queue again with equal attributes returns the same queue", func(f fixture) {
		name, attrs := f.name(),
			attributes{"VisibilityTimeout": "90", "MessageRetentionPeriod": "345600", "SqsManagedSseEnabled": "true"}
		url, err := f.create(name, attrs)
		require.NoError(f, err)
		f.send(url, "stays")
		again, err := f.create(name, attrs)
		require.NoError(f, err)
		require.Equal(f, url, again)
		f.one(url, 0)
	}},
	{"creating a queue again with fewer attributes returns the same queue", func(f fixture) {
		name := f.name()
		url, err := f.create(name, attributes{"VisibilityTimeout": "90"})
		require.NoError(f, err)
		again, err := f.create(name, nil)
		require.NoError(f, err)
		require.Equal(f, url, again)
		require.Equal(f, "90", f.attribute(url, "VisibilityTimeout"))
	}},
	{"creating a queue again with another attribute is refused", func(f fixture) {
		name := f.name()
		url, err := f.create(name, attributes{"VisibilityTimeout": "90"})
		require.NoError(f, err)
		_, err = f.create(name, attributes{"VisibilityTimeout": "91"})
		f.refused("QueueNameExists", err)
		require.Equal(f, "90", f.attribute(url, "VisibilityTimeout"))
	}},
	{"a name has at most 80 letters, digits, hyphens and underscores", func(f fixture) {
		longest := (f.name() + strings.Repeat("_A", 80))[:80]
		_, err := f.create(longest, nil)
		require.NoError(f, err)
		for _, name := range []string{longest + "x", "dots.are.out", "blanks are out", "umläute"} {
			_, err := f.create(name, nil)
			f.refused("InvalidParameterValue", err, name)
		}
	}},
	{"a deleted queue no longer exists", func(f fixture) {
		url := f.queue(nil)
		_, err := f.sqs.DeleteQueue(f.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
		require.NoError(f, err)
		_, err = f.find(nameOf(url))
		f.refused("QueueDoesNotExist", err)
		_, err = f.sqs.SendMessage(f.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
		f.refused("QueueDoesNotExist", err)
	}},
	{"a deleted queue's name stays taken for a minute", func(f fixture) {
		url := f.queue(nil)
		_, err := f.sqs.DeleteQueue(f.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
		require.NoError(f, err)
		_, err = f.create(nameOf(url), nil)
		f.refused("QueueDeletedRecently", err)
	}},
	{"every operation refuses an unknown queue", func(f fixture) {
		here := f.queue(nil)
		url, handle := aws.String(strings.TrimSuffix(here, nameOf(here))+f.name()), aws.String("handle")
		for operation, call := range map[string]func() error{
			"SendMessage": func() error {
				_, err := f.sqs.SendMessage(f.Context(), &sqs.SendMessageInput{
					QueueUrl: url, MessageBody: aws.String("x"),
				})
				return err
			},
			"SendMessageBatch": func() error {
				_, err := f.sqs.SendMessageBatch(f.Context(), &sqs.SendMessageBatchInput{
					QueueUrl: url,
					Entries:  []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("x")}},
				})
				return err
			},
			"ReceiveMessage": func() error {
				_, err := f.sqs.ReceiveMessage(f.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
				return err
			},
			"DeleteMessage": func() error {
				_, err := f.sqs.DeleteMessage(f.Context(), &sqs.DeleteMessageInput{
					QueueUrl: url, ReceiptHandle: handle,
				})
				return err
			},
			"DeleteMessageBatch": func() error {
				_, err := f.sqs.DeleteMessageBatch(f.Context(), &sqs.DeleteMessageBatchInput{
					QueueUrl: url,
					Entries:  []types.DeleteMessageBatchRequestEntry{{Id: aws.String("a"), ReceiptHandle: handle}},
				})
				return err
			},
			"ChangeMessageVisibility": func() error {
				_, err := f.sqs.ChangeMessageVisibility(f.Context(), &sqs.ChangeMessageVisibilityInput{
					QueueUrl: url, ReceiptHandle: handle,
				})
				return err
			},
			"ChangeMessageVisibilityBatch": func() error {
				_, err := f.sqs.ChangeMessageVisibilityBatch(f.Context(), &sqs.ChangeMessageVisibilityBatchInput{
					QueueUrl: url,
					Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
						{Id: aws.String("a"), ReceiptHandle: handle},
					},
				})
				return err
			},
			"GetQueueAttributes": func() error {
				_, err := f.sqs.GetQueueAttributes(f.Context(), &sqs.GetQueueAttributesInput{
					QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"},
				})
				return err
			},
			"SetQueueAttributes": func() error {
				_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
					QueueUrl: url, Attributes: attributes{"VisibilityTimeout": "1"},
				})
				return err
			},
			"PurgeQueue": func() error {
				_, err := f.sqs.PurgeQueue(f.Context(), &sqs.PurgeQueueInput{QueueUrl: url})
				return err
			},
			"DeleteQueue": func() error {
				_, err := f.sqs.DeleteQueue(f.Context(), &sqs.DeleteQueueInput{QueueUrl: url})
				return err
			},
			"TagQueue": func() error {
				_, err := f.sqs.TagQueue(f.Context(), &sqs.TagQueueInput{
					QueueUrl: url, Tags: map[string]string{"a": "b"},
				})
				return err
			},
		} {
			f.refused("QueueDoesNotExist", call(), operation)
		}
	}},
	{"queues are listed by name prefix, page by page", func(f fixture) {
		beginning, wanted := f.name(), []string{}
		for _, end := range []string{"-a", "-b", "-c"} {
			url, err := f.create(beginning+end, nil)
			require.NoError(f, err)
			wanted = append(wanted, url)
		}
		f.queue(nil)
		out, err := f.sqs.ListQueues(f.Context(), &sqs.ListQueuesInput{QueueNamePrefix: &beginning})
		require.NoError(f, err)
		require.ElementsMatch(f, wanted, out.QueueUrls)

		var pages [][]string
		var token *string
		for {
			out,
				err := f.sqs.ListQueues(f.Context(),
				&sqs.ListQueuesInput{QueueNamePrefix: &beginning, MaxResults: aws.Int32(2), NextToken: token})
			require.NoError(f, err)
			pages = append(pages, out.QueueUrls)
			if token = out.NextToken; token == nil {
				break
			}
		}
		require.Len(f, pages, 2)
		require.ElementsMatch(f, wanted, append(pages[0], pages[1]...))
	}},
	{"a purge removes all messages, hidden or not", func(f fixture) {
		url := f.queue(nil)
		f.send(url, "hidden")
		f.one(url, 60)
		f.send(url, "visible")
		_, err := f.sqs.SendMessage(f.Context(), &sqs.SendMessageInput{
			QueueUrl: &url, MessageBody: aws.String("delayed"), DelaySeconds: 60,
		})
		require.NoError(f, err)
		_, err = f.sqs.PurgeQueue(f.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		require.NoError(f, err)
		require.Equal(f, "0 0 0", f.counts(url))
		f.none(url)
	}},
	{"a second purge within a minute is refused", func(f fixture) {
		url := f.queue(nil)
		_, err := f.sqs.PurgeQueue(f.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		require.NoError(f, err)
		_, err = f.sqs.PurgeQueue(f.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		f.refused("PurgeQueueInProgress", err)
	}},
	{"a queue can be tagged", func(f fixture) {
		url := f.queue(nil)
		_, err := f.sqs.TagQueue(f.Context(), &sqs.TagQueueInput{
			QueueUrl: &url, Tags: map[string]string{"stack": "shop"},
		})
		require.NoError(f, err)
	}},
}
