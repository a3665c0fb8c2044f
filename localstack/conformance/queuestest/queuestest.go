// Package queuestest is the conformance suite for SQS, simulated or real. Its cases are the
// documented properties of SQS that this system relies on.
package queuestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// Cloud is the SQS under test.
type Cloud struct {
	Name     string // the key in exceptions
	Config   aws.Config
	Sleep    func(time.Duration)
	Parallel bool // cases may run in parallel: Sleep in one does not affect another
}

// demand is one case of the suite.
type demand struct {
	name string
	of   func(fixture)
}

// groups are all cases, by subject.
var groups = []struct {
	about   string
	demands []demand
}{
	{"queues", aboutQueues},
	{"attributes", aboutAttributes},
	{"sending", aboutSending},
	{"receiving", aboutReceiving},
	{"visibility", aboutVisibility},
	{"deleting", aboutDeleting},
	{"batches", aboutBatches},
	{"redrive", aboutRedrive},
}

// Exercise runs all cases on a cloud. Each case creates its own queues and deletes them.
func Exercise(t *testing.T, c Cloud) {
	suite := &conformance.Suite{Cloud: c.Name, Exceptions: exceptions,
		File: "localstack/conformance/queuestest/exceptions.go"}
	client, cases := sqs.NewFromConfig(c.Config), 0
	t.Run("cases", func(t *testing.T) { // ends when the parallel cases have ended
		for _, group := range groups {
			cases += len(group.demands)
			for _, demand := range group.demands {
				t.Run(group.about+"/"+demand.name, func(t *testing.T) {
					if c.Parallel {
						t.Parallel()
					}
					suite.Case(t, demand.name, func(t conformance.T) { demand.of(fixture{t, c, client}) })
				})
			}
		}
	})
	suite.Finish(t)
	conformance.Figure(t, "%s: %d cases of queues, %d of them with a known deviation", c.Name, cases,
		len(exceptions[c.Name]))
}

// fixture is the test and the cloud of a case.
type fixture struct {
	conformance.T
	cloud Cloud
	sqs   *sqs.Client
}

// attributes are the attributes of a queue.
type attributes map[string]string

// name returns a unique name for a queue.
func (f fixture) name() string { return "conformance-" + strings.ToLower(rand.Text()[:16]) }

// queue creates a queue and returns its URL. The queue is deleted when the case ends.
func (f fixture) queue(a attributes) string {
	f.Helper()
	out, err := f.sqs.CreateQueue(f.Context(), &sqs.CreateQueueInput{QueueName: aws.String(f.name()), Attributes: a})
	require.NoError(f, err)
	f.removed(out.QueueUrl)
	return *out.QueueUrl
}

// removed deletes a queue when the case ends.
func (f fixture) removed(url *string) {
	f.Cleanup(func() {
		// some cases delete it themselves
		_, _ = f.sqs.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: url})
	})
}

// attribute returns one attribute of a queue.
func (f fixture) attribute(url string, name types.QueueAttributeName) string {
	f.Helper()
	out,
		err := f.sqs.GetQueueAttributes(f.Context(),
		&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{name}})
	require.NoError(f, err)
	return out.Attributes[string(name)]
}

// counts returns the numbers of visible, in-flight and delayed messages that a queue reports, as in
// "1 0 0".
func (f fixture) counts(url string) string {
	f.Helper()
	return f.attribute(url, types.QueueAttributeNameApproximateNumberOfMessages) + " " +
		f.attribute(url, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible) + " " +
		f.attribute(url, types.QueueAttributeNameApproximateNumberOfMessagesDelayed)
}

// counted waits until a queue reports the wanted counts. On AWS they may be a second or two late.
func (f fixture) counted(url, wanted string) {
	f.Helper()
	for range 40 {
		if f.counts(url) == wanted {
			return
		}
		f.cloud.Sleep(75 * time.Millisecond)
	}
	require.Equal(f, wanted, f.counts(url))
}

// send sends messages without attributes.
func (f fixture) send(url string, bodies ...string) {
	f.Helper()
	for _, body := range bodies {
		_, err := f.sqs.SendMessage(f.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
		require.NoError(f, err)
	}
}

// receive receives up to ten messages with all their attributes. They stay hidden for the given
// number of seconds; 0 is the queue's own timeout.
func (f fixture) receive(url string, hidden int32) []types.Message {
	f.Helper()
	out, err := f.sqs.ReceiveMessage(f.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: hidden,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	require.NoError(f, err)
	return out.Messages
}

// take receives exactly n messages. It repeats the receive, because a queue may return a visible
// message a second or two late.
func (f fixture) take(url string, n int, hidden int32) []types.Message {
	f.Helper()
	var got []types.Message
	for range 40 {
		got = append(got, f.receive(url, hidden)...)
		if len(got) >= n {
			break
		}
		f.cloud.Sleep(75 * time.Millisecond)
	}
	require.Len(f, got, n, "messages of %s", url)
	return got
}

// one receives exactly one message.
func (f fixture) one(url string, hidden int32) types.Message {
	f.Helper()
	return f.take(url, 1, hidden)[0]
}

// none asserts that no message can be received.
func (f fixture) none(url string) {
	f.Helper()
	require.Empty(f, bodies(f.receive(url, 0)), "nothing can be received")
}

// hide changes how long a message in flight stays hidden.
func (f fixture) hide(url string, m types.Message, seconds int32) error {
	_, err := f.sqs.ChangeMessageVisibility(f.Context(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds,
	})
	return err
}

// remove deletes a message.
func (f fixture) remove(url string, m types.Message) error {
	_, err := f.sqs.DeleteMessage(f.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

// later sleeps for n seconds, and a little more for the cloud's own clock.
func (f fixture) later(n int) { f.cloud.Sleep(time.Duration(n)*time.Second + 250*time.Millisecond) }

// refused asserts the name of an error in SQS's model, or its code.
func (f fixture) refused(name string, err error, about ...any) {
	f.Helper()
	require.Equal(f, name, refusal(err), append([]any{"%v " + strings.Repeat(" %v", len(about)), err}, about...)...)
}

// generic are the errors that SQS's model does not name. It maps the codes of the JSON protocol to
// those of the query protocol.
var generic = map[string]string{
	"InvalidParameterValueException": "InvalidParameterValue", "MissingRequiredParameterException": "MissingParameter",
}

// refusal returns the name of an error, "no error" for nil.
func refusal(err error) string {
	if err == nil {
		return "no error"
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err.Error()
	}
	if name, ok := strings.CutPrefix(fmt.Sprintf("%T", refused), "*types."); ok {
		return name
	}
	if name, ok := generic[refused.ErrorCode()]; ok {
		return name
	}
	return refused.ErrorCode()
}

// bodies returns the bodies of messages.
func bodies(messages []types.Message) []string {
	all := []string{}
	for _, m := range messages {
		all = append(all, aws.ToString(m.Body))
	}
	return all
}
