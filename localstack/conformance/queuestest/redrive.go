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

// step creates a queue with a dead-letter queue and a maxReceiveCount. It returns the URLs of both.
func (f fixture) step(receives int, a attributes) (url, deadLetters string) {
	f.Helper()
	deadLetters = f.queue(attributes{"MessageRetentionPeriod": "1209600"})
	all := attributes{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`,
		f.attribute(deadLetters, "QueueArn"), receives)}
	maps.Copy(all, a)
	return f.queue(all), deadLetters
}

// fail receives the only message of a queue the given number of times, and makes it visible again
// each time. It returns the last receive.
func (f fixture) fail(url string, receives int) types.Message {
	f.Helper()
	var m types.Message
	for i := range receives {
		m = f.one(url, 0)
		require.Equal(f, strconv.Itoa(i+1), m.Attributes["ApproximateReceiveCount"])
		require.NoError(f, f.hide(url, m, 0))
	}
	return m
}

// deadLetter receives the message that a queue moved to its dead-letter queue. It receives from the
// queue first, because some clouds move messages only during a receive.
func (f fixture) deadLetter(url, deadLetters string) types.Message {
	f.Helper()
	for range 40 {
		f.none(url)
		if dead := f.receive(deadLetters, 0); len(dead) == 1 {
			return dead[0]
		}
		f.cloud.Sleep(75 * time.Millisecond)
	}
	require.Fail(f, "the message is not in the dead-letter queue", deadLetters)
	return types.Message{}
}

var aboutRedrive = []demand{
	{"a message is dead-lettered after maxReceiveCount receives", func(f fixture) {
		for _, receives := range []int{1, 3} {
			url, deadLetters := f.step(receives, nil)
			f.send(url, "poison")
			f.fail(url, receives)
			f.none(deadLetters)
			require.Equal(f, "poison", *f.deadLetter(url, deadLetters).Body)
			require.Equal(f, "0 0 0", f.counts(url))
		}
	}},
	{"a message whose last timeout passes is dead-lettered", func(f fixture) {
		url, deadLetters := f.step(2, attributes{"VisibilityTimeout": "1"})
		f.send(url, "left")
		for range 2 {
			f.one(url, 0)
			f.none(url)
			f.none(deadLetters)
			f.later(1)
		}
		f.deadLetter(url, deadLetters)
	}},
	{"a dead letter keeps its id, body and attributes", func(f fixture) {
		url, deadLetters := f.step(2, nil)
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("poison"), MessageAttributes: some}, url)
		require.NoError(f, err)
		last := f.fail(url, 2)
		dead := f.deadLetter(url, deadLetters)
		require.Equal(f, *last.MessageId, *dead.MessageId)
		require.Equal(f, "poison", *dead.Body)
		require.Equal(f, some, dead.MessageAttributes)
		require.Equal(f, someSum, *dead.MD5OfMessageAttributes)
	}},
	{"a dead letter shows its source queue and when it was sent", func(f fixture) {
		url, deadLetters := f.step(1, nil)
		f.send(url, "poison")
		last := f.fail(url, 1)
		f.cloud.Sleep(50 * time.Millisecond)
		dead := f.deadLetter(url, deadLetters)
		require.Equal(f, f.attribute(url, "QueueArn"), dead.Attributes["DeadLetterQueueSourceArn"])
		require.Equal(f, last.Attributes["SentTimestamp"], dead.Attributes["SentTimestamp"])
	}},
	{"a dead letter keeps its receive count", func(f fixture) {
		url, deadLetters := f.step(2, nil)
		f.send(url, "poison")
		f.fail(url, 2)
		require.Equal(f, "3", f.deadLetter(url, deadLetters).Attributes["ApproximateReceiveCount"])
	}},
	{"a dead-lettered message takes no place in the answer", func(f fixture) {
		url, deadLetters := f.step(1, nil)
		f.send(url, "poison")
		f.fail(url, 1)
		f.send(url, "good")
		require.Equal(f, "good", *f.one(url, 0).Body)
		require.Equal(f, "poison", *f.deadLetter(url, deadLetters).Body)
	}},
	{"a message deleted at its last receive is not dead-lettered", func(f fixture) {
		url, deadLetters := f.step(2, nil)
		f.send(url, "x")
		f.fail(url, 1)
		require.NoError(f, f.remove(url, f.one(url, 0)))
		f.none(url)
		f.none(deadLetters)
	}},
	{"a new redrive policy applies to existing messages", func(f fixture) {
		url, deadLetters := f.step(5, nil)
		f.send(url, "poison")
		f.fail(url, 2)
		policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, f.attribute(deadLetters, "QueueArn"))
		_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: attributes{"RedrivePolicy": policy},
		})
		require.NoError(f, err)
		f.deadLetter(url, deadLetters)
	}},
	{"a redrive policy can be removed", func(f fixture) {
		url, deadLetters := f.step(1, nil)
		_, err := f.sqs.SetQueueAttributes(f.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &url, Attributes: attributes{"RedrivePolicy": ""},
		})
		require.NoError(f, err)
		f.send(url, "x")
		f.fail(url, 3)
		f.none(deadLetters)
	}},
	{"a dead-letter queue lists its source queues", func(f fixture) {
		url, deadLetters := f.step(1, nil)
		out,
			err := f.sqs.ListDeadLetterSourceQueues(f.Context(),
			&sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &deadLetters})
		require.NoError(f, err)
		require.Equal(f, []string{url}, out.QueueUrls)
		out, err = f.sqs.ListDeadLetterSourceQueues(f.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &url})
		require.NoError(f, err)
		require.Empty(f, out.QueueUrls)
		_, err = f.sqs.ListDeadLetterSourceQueues(f.Context(), &sqs.ListDeadLetterSourceQueuesInput{
			QueueUrl: aws.String(url + "-away"),
		})
		f.refused("QueueDoesNotExist", err)
	}},
	{"a dead letter that is sent again has a new receive count", func(f fixture) {
		url, deadLetters := f.step(2, nil)
		_, err := f.post(sqs.SendMessageInput{MessageBody: aws.String("poison"), MessageAttributes: some}, url)
		require.NoError(f, err)
		for range 2 {
			f.fail(url, 2)
			dead := f.deadLetter(url, deadLetters)
			_, err := f.post(sqs.SendMessageInput{MessageBody: dead.Body, MessageAttributes: dead.MessageAttributes}, url)
			require.NoError(f, err)
			require.NoError(f, f.remove(deadLetters, dead))
			f.none(deadLetters)
		}
		require.Equal(f, some, f.one(url, 0).MessageAttributes)
	}},
	{"a move task moves dead letters back to their source", func(f fixture) {
		url, deadLetters := f.step(1, nil)
		f.send(url, "poison")
		f.fail(url, 1)
		f.none(url)
		source := f.attribute(deadLetters, "QueueArn")
		_, err := f.sqs.StartMessageMoveTask(f.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &source})
		require.NoError(f, err)
		f.later(1)
		require.Equal(f, "poison", *f.one(url, 0).Body)
		f.none(deadLetters)
		out, err := f.sqs.ListMessageMoveTasks(f.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &source})
		require.NoError(f, err)
		require.Len(f, out.Results, 1)
		require.Equal(f, "COMPLETED", *out.Results[0].Status)
		require.Equal(f, int64(1), out.Results[0].ApproximateNumberOfMessagesMoved)
	}},
	{"a moved dead letter is a new message", func(f fixture) {
		url, deadLetters := f.step(2, nil)
		f.send(url, "poison")
		last := f.fail(url, 2)
		f.none(url)
		_, err := f.sqs.StartMessageMoveTask(f.Context(), &sqs.StartMessageMoveTaskInput{
			SourceArn: aws.String(f.attribute(deadLetters, "QueueArn")),
		})
		require.NoError(f, err)
		back := f.one(url, 0)
		require.Equal(f, "1", back.Attributes["ApproximateReceiveCount"])
		require.NotEqual(f, *last.MessageId, *back.MessageId)
	}},
	{"a move task moves dead letters to another queue", func(f fixture) {
		url, deadLetters := f.step(1, nil)
		other := f.queue(nil)
		f.send(url, "poison")
		f.fail(url, 1)
		f.none(url)
		_, err := f.sqs.StartMessageMoveTask(f.Context(), &sqs.StartMessageMoveTaskInput{
			SourceArn:      aws.String(f.attribute(deadLetters, "QueueArn")),
			DestinationArn: aws.String(f.attribute(other, "QueueArn")),
		})
		require.NoError(f, err)
		f.later(1)
		require.Equal(f, "poison", *f.one(other, 0).Body)
		f.none(url)
	}},
	{"a move task needs a dead-letter queue as its source", func(f fixture) {
		here := f.attribute(f.queue(nil), "QueueArn")
		_, err := f.sqs.StartMessageMoveTask(f.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &here})
		f.refused("InvalidParameterValue", err)
		_, err = f.sqs.StartMessageMoveTask(f.Context(), &sqs.StartMessageMoveTaskInput{
			SourceArn: aws.String(here + "-away"),
		})
		f.refused("ResourceNotFoundException", err)
	}},
}
