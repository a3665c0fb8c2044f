package queuestest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

// create makes a queue with a name, which is removed when the case is over.
func (d desk) create(name string, a attributes) (string, error) {
	out, err := d.sqs.CreateQueue(d.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: a})
	if err != nil {
		return "", err
	}
	d.removed(out.QueueUrl)
	return *out.QueueUrl, nil
}

// find returns the URL of a queue by its name.
func (d desk) find(name string) (string, error) {
	out, err := d.sqs.GetQueueUrl(d.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return "", err
	}
	return *out.QueueUrl, nil
}

// nameOf returns the name of a queue by its URL.
func nameOf(url string) string { return url[strings.LastIndex(url, "/")+1:] }

var aboutQueues = []demand{
	{"a queue is found by its name", func(d desk) {
		url := d.queue(nil)
		found, err := d.find(nameOf(url))
		require.NoError(d, err)
		require.Equal(d, url, found)
		_, err = d.find(d.name())
		d.refused("QueueDoesNotExist", err)
	}},
	{"who creates a queue again in the same words gets the same queue", func(d desk) {
		name, words := d.name(), attributes{"VisibilityTimeout": "90", "MessageRetentionPeriod": "345600", "SqsManagedSseEnabled": "true"}
		url, err := d.create(name, words)
		require.NoError(d, err)
		d.send(url, "stays")
		again, err := d.create(name, words)
		require.NoError(d, err)
		require.Equal(d, url, again)
		d.one(url, 0)
	}},
	{"who creates a queue again and says less gets the same queue", func(d desk) {
		name := d.name()
		url, err := d.create(name, attributes{"VisibilityTimeout": "90"})
		require.NoError(d, err)
		again, err := d.create(name, nil)
		require.NoError(d, err)
		require.Equal(d, url, again)
		require.Equal(d, "90", d.attribute(url, "VisibilityTimeout"))
	}},
	{"a queue of the same name with another attribute is refused", func(d desk) {
		name := d.name()
		url, err := d.create(name, attributes{"VisibilityTimeout": "90"})
		require.NoError(d, err)
		_, err = d.create(name, attributes{"VisibilityTimeout": "91"})
		d.refused("QueueNameExists", err)
		require.Equal(d, "90", d.attribute(url, "VisibilityTimeout"))
	}},
	{"a name is of letters, digits, hyphens and underscores, 80 at most", func(d desk) {
		longest := (d.name() + strings.Repeat("_A", 80))[:80]
		_, err := d.create(longest, nil)
		require.NoError(d, err)
		for _, name := range []string{longest + "x", "dots.are.out", "blanks are out", "umläute"} {
			_, err := d.create(name, nil)
			d.refused("InvalidParameterValue", err, name)
		}
	}},
	{"a queue that was deleted is gone", func(d desk) {
		url := d.queue(nil)
		_, err := d.sqs.DeleteQueue(d.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
		require.NoError(d, err)
		_, err = d.find(nameOf(url))
		d.refused("QueueDoesNotExist", err)
		_, err = d.sqs.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
		d.refused("QueueDoesNotExist", err)
	}},
	{"a deleted queue's name stays taken for a minute", func(d desk) {
		url := d.queue(nil)
		_, err := d.sqs.DeleteQueue(d.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
		require.NoError(d, err)
		_, err = d.create(nameOf(url), nil)
		d.refused("QueueDeletedRecently", err)
	}},
	{"every operation says that a queue is not there", func(d desk) {
		here := d.queue(nil)
		url, handle := aws.String(strings.TrimSuffix(here, nameOf(here))+d.name()), aws.String("handle")
		for operation, call := range map[string]func() error{
			"SendMessage": func() error {
				_, err := d.sqs.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")})
				return err
			},
			"SendMessageBatch": func() error {
				_, err := d.sqs.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("x")}}})
				return err
			},
			"ReceiveMessage": func() error {
				_, err := d.sqs.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
				return err
			},
			"DeleteMessage": func() error {
				_, err := d.sqs.DeleteMessage(d.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: handle})
				return err
			},
			"DeleteMessageBatch": func() error {
				_, err := d.sqs.DeleteMessageBatch(d.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{{Id: aws.String("a"), ReceiptHandle: handle}}})
				return err
			},
			"ChangeMessageVisibility": func() error {
				_, err := d.sqs.ChangeMessageVisibility(d.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: handle})
				return err
			},
			"ChangeMessageVisibilityBatch": func() error {
				_, err := d.sqs.ChangeMessageVisibilityBatch(d.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{{Id: aws.String("a"), ReceiptHandle: handle}}})
				return err
			},
			"GetQueueAttributes": func() error {
				_, err := d.sqs.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
				return err
			},
			"SetQueueAttributes": func() error {
				_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: attributes{"VisibilityTimeout": "1"}})
				return err
			},
			"PurgeQueue": func() error {
				_, err := d.sqs.PurgeQueue(d.Context(), &sqs.PurgeQueueInput{QueueUrl: url})
				return err
			},
			"DeleteQueue": func() error {
				_, err := d.sqs.DeleteQueue(d.Context(), &sqs.DeleteQueueInput{QueueUrl: url})
				return err
			},
			"TagQueue": func() error {
				_, err := d.sqs.TagQueue(d.Context(), &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"a": "b"}})
				return err
			},
		} {
			d.refused("QueueDoesNotExist", call(), operation)
		}
	}},
	{"queues are listed by the beginning of their names, page by page", func(d desk) {
		beginning, wanted := d.name(), []string{}
		for _, end := range []string{"-a", "-b", "-c"} {
			url, err := d.create(beginning+end, nil)
			require.NoError(d, err)
			wanted = append(wanted, url)
		}
		d.queue(nil)
		out, err := d.sqs.ListQueues(d.Context(), &sqs.ListQueuesInput{QueueNamePrefix: &beginning})
		require.NoError(d, err)
		require.ElementsMatch(d, wanted, out.QueueUrls)

		var pages [][]string
		var token *string
		for {
			out, err := d.sqs.ListQueues(d.Context(), &sqs.ListQueuesInput{QueueNamePrefix: &beginning, MaxResults: aws.Int32(2), NextToken: token})
			require.NoError(d, err)
			pages = append(pages, out.QueueUrls)
			if token = out.NextToken; token == nil {
				break
			}
		}
		require.Len(d, pages, 2)
		require.ElementsMatch(d, wanted, append(pages[0], pages[1]...))
	}},
	{"a purge takes every message, hidden or not", func(d desk) {
		url := d.queue(nil)
		d.send(url, "hidden")
		d.one(url, 60)
		d.send(url, "visible")
		_, err := d.sqs.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("delayed"), DelaySeconds: 60})
		require.NoError(d, err)
		_, err = d.sqs.PurgeQueue(d.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		require.NoError(d, err)
		require.Equal(d, "0 0 0", d.counts(url))
		d.none(url)
	}},
	{"a second purge within a minute is refused", func(d desk) {
		url := d.queue(nil)
		_, err := d.sqs.PurgeQueue(d.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		require.NoError(d, err)
		_, err = d.sqs.PurgeQueue(d.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		d.refused("PurgeQueueInProgress", err)
	}},
	{"a queue can be tagged", func(d desk) {
		url := d.queue(nil)
		_, err := d.sqs.TagQueue(d.Context(), &sqs.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"stack": "shop"}})
		require.NoError(d, err)
	}},
}
