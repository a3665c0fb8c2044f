package queuestest

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

// step returns a queue that gives its messages up to another after so many receives.
func (d desk) step(receives int, a attributes) (url, deadLetters string) {
	d.Helper()
	deadLetters = d.queue(attributes{"MessageRetentionPeriod": "1209600"})
	all := attributes{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, d.attribute(deadLetters, "QueueArn"), receives)}
	maps.Copy(all, a)
	return d.queue(all), deadLetters
}

// fail receives the message that is there so often, and shows it again each time. It returns the last.
func (d desk) fail(url string, receives int) types.Message {
	d.Helper()
	var m types.Message
	for i := range receives {
		m = d.one(url, 0)
		require.Equal(d, strconv.Itoa(i+1), m.Attributes["ApproximateReceiveCount"])
		require.NoError(d, d.hide(url, m, 0))
	}
	return m
}

// givenUp receives the message that a queue has given up. The queue is asked first, each time: it gives up when somebody asks.
func (d desk) givenUp(url, deadLetters string) types.Message {
	d.Helper()
	for range 40 {
		d.none(url)
		if dead := d.receive(deadLetters, 0); len(dead) == 1 {
			return dead[0]
		}
		d.cloud.Sleep(75 * time.Millisecond)
	}
	require.Fail(d, "the message is not in the dead-letter queue", deadLetters)
	return types.Message{}
}

var aboutRedrive = []demand{
	{"a message is received as often as its queue says, and then given up", func(d desk) {
		for _, receives := range []int{1, 3} {
			url, deadLetters := d.step(receives, nil)
			d.send(url, "poison")
			d.fail(url, receives)
			d.none(deadLetters)
			require.Equal(d, "poison", *d.givenUp(url, deadLetters).Body)
			require.Equal(d, "0 0 0", d.counts(url))
		}
	}},
	{"a message that nobody shows again is given up when its time is over", func(d desk) {
		url, deadLetters := d.step(2, attributes{"VisibilityTimeout": "1"})
		d.send(url, "left")
		for range 2 {
			d.one(url, 0)
			d.none(url)
			d.none(deadLetters)
			d.later(1)
		}
		d.givenUp(url, deadLetters)
	}},
	{"a message that is given up stays itself", func(d desk) {
		url, deadLetters := d.step(2, nil)
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("poison"), MessageAttributes: some}, url)
		require.NoError(d, err)
		last := d.fail(url, 2)
		dead := d.givenUp(url, deadLetters)
		require.Equal(d, *last.MessageId, *dead.MessageId)
		require.Equal(d, "poison", *dead.Body)
		require.Equal(d, some, dead.MessageAttributes)
		require.Equal(d, someSum, *dead.MD5OfMessageAttributes)
	}},
	{"a message that is given up knows whence it came and when it was sent", func(d desk) {
		url, deadLetters := d.step(1, nil)
		d.send(url, "poison")
		last := d.fail(url, 1)
		d.cloud.Sleep(50 * time.Millisecond)
		dead := d.givenUp(url, deadLetters)
		require.Equal(d, d.attribute(url, "QueueArn"), dead.Attributes["DeadLetterQueueSourceArn"])
		require.Equal(d, last.Attributes["SentTimestamp"], dead.Attributes["SentTimestamp"])
	}},
	{"a dead letter's receives are counted on", func(d desk) {
		url, deadLetters := d.step(2, nil)
		d.send(url, "poison")
		d.fail(url, 2)
		require.Equal(d, "3", d.givenUp(url, deadLetters).Attributes["ApproximateReceiveCount"])
	}},
	{"a message that is given up takes no place in the answer", func(d desk) {
		url, deadLetters := d.step(1, nil)
		d.send(url, "poison")
		d.fail(url, 1)
		d.send(url, "good")
		require.Equal(d, "good", *d.one(url, 0).Body)
		require.Equal(d, "poison", *d.givenUp(url, deadLetters).Body)
	}},
	{"who is done at the last receive is not given up", func(d desk) {
		url, deadLetters := d.step(2, nil)
		d.send(url, "x")
		d.fail(url, 1)
		require.NoError(d, d.remove(url, d.one(url, 0)))
		d.none(url)
		d.none(deadLetters)
	}},
	{"a new redrive policy holds for messages that are there", func(d desk) {
		url, deadLetters := d.step(5, nil)
		d.send(url, "poison")
		d.fail(url, 2)
		policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, d.attribute(deadLetters, "QueueArn"))
		_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"RedrivePolicy": policy}})
		require.NoError(d, err)
		d.givenUp(url, deadLetters)
	}},
	{"a redrive policy can be taken away", func(d desk) {
		url, deadLetters := d.step(1, nil)
		_, err := d.sqs.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"RedrivePolicy": ""}})
		require.NoError(d, err)
		d.send(url, "x")
		d.fail(url, 3)
		d.none(deadLetters)
	}},
	{"a dead-letter queue knows whose it is", func(d desk) {
		url, deadLetters := d.step(1, nil)
		out, err := d.sqs.ListDeadLetterSourceQueues(d.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &deadLetters})
		require.NoError(d, err)
		require.Equal(d, []string{url}, out.QueueUrls)
		out, err = d.sqs.ListDeadLetterSourceQueues(d.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &url})
		require.NoError(d, err)
		require.Empty(d, out.QueueUrls)
		_, err = d.sqs.ListDeadLetterSourceQueues(d.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: aws.String(url + "-away")})
		d.refused("QueueDoesNotExist", err)
	}},
	{"a dead letter is sent back by hand, and fails as often again", func(d desk) {
		url, deadLetters := d.step(2, nil)
		_, err := d.post(sqs.SendMessageInput{MessageBody: aws.String("poison"), MessageAttributes: some}, url)
		require.NoError(d, err)
		for range 2 {
			d.fail(url, 2)
			dead := d.givenUp(url, deadLetters)
			_, err := d.post(sqs.SendMessageInput{MessageBody: dead.Body, MessageAttributes: dead.MessageAttributes}, url)
			require.NoError(d, err)
			require.NoError(d, d.remove(deadLetters, dead))
			d.none(deadLetters)
		}
		require.Equal(d, some, d.one(url, 0).MessageAttributes)
	}},
	{"a task moves dead letters back to where they came from", func(d desk) {
		url, deadLetters := d.step(1, nil)
		d.send(url, "poison")
		d.fail(url, 1)
		d.none(url)
		source := d.attribute(deadLetters, "QueueArn")
		_, err := d.sqs.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &source})
		require.NoError(d, err)
		d.later(1)
		require.Equal(d, "poison", *d.one(url, 0).Body)
		d.none(deadLetters)
		out, err := d.sqs.ListMessageMoveTasks(d.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &source})
		require.NoError(d, err)
		require.Len(d, out.Results, 1)
		require.Equal(d, "COMPLETED", *out.Results[0].Status)
		require.Equal(d, int64(1), out.Results[0].ApproximateNumberOfMessagesMoved)
	}},
	{"a dead letter that a task moved is a new message", func(d desk) {
		url, deadLetters := d.step(2, nil)
		d.send(url, "poison")
		last := d.fail(url, 2)
		d.none(url)
		_, err := d.sqs.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(d.attribute(deadLetters, "QueueArn"))})
		require.NoError(d, err)
		back := d.one(url, 0)
		require.Equal(d, "1", back.Attributes["ApproximateReceiveCount"])
		require.NotEqual(d, *last.MessageId, *back.MessageId)
	}},
	{"a task moves dead letters to another queue", func(d desk) {
		url, deadLetters := d.step(1, nil)
		other := d.queue(nil)
		d.send(url, "poison")
		d.fail(url, 1)
		d.none(url)
		_, err := d.sqs.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{
			SourceArn: aws.String(d.attribute(deadLetters, "QueueArn")), DestinationArn: aws.String(d.attribute(other, "QueueArn")),
		})
		require.NoError(d, err)
		d.later(1)
		require.Equal(d, "poison", *d.one(other, 0).Body)
		d.none(url)
	}},
	{"a task moves messages of dead-letter queues only", func(d desk) {
		here := d.attribute(d.queue(nil), "QueueArn")
		_, err := d.sqs.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &here})
		d.refused("InvalidParameterValue", err)
		_, err = d.sqs.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(here + "-away")})
		d.refused("ResourceNotFoundException", err)
	}},
}
