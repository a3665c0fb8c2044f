// Package queuestest has the suite that an SQS passes, simulated or not: what this system takes for granted of its queues, case
// by case, as AWS documents it.
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

// Cloud is an SQS that the suite runs on.
type Cloud struct {
	Name     string // as in the list of exceptions
	Config   aws.Config
	Sleep    func(time.Duration)
	Parallel bool // cases may run side by side: one's Sleep is not another's
}

// demand is one case: what an SQS must do.
type demand struct {
	name string
	of   func(desk)
}

// groups are all cases, by what they are about.
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

// Exercise runs all cases on a cloud. Each makes queues of its own and removes them.
func Exercise(t *testing.T, c Cloud) {
	suite := &conformance.Suite{Cloud: c.Name, Exceptions: exceptions, File: "localstack/conformance/queuestest/exceptions.go"}
	client, cases := sqs.NewFromConfig(c.Config), 0
	t.Run("cases", func(t *testing.T) { // ends when those that run side by side have ended
		for _, group := range groups {
			cases += len(group.demands)
			for _, demand := range group.demands {
				t.Run(group.about+"/"+demand.name, func(t *testing.T) {
					if c.Parallel {
						t.Parallel()
					}
					suite.Case(t, demand.name, func(t conformance.T) { demand.of(desk{t, c, client}) })
				})
			}
		}
	})
	suite.Finish(t)
	conformance.Figure(t, "%s: %d cases of queues, %d of them with a known deviation", c.Name, cases, len(exceptions[c.Name]))
}

// desk is what a case works at.
type desk struct {
	conformance.T
	cloud Cloud
	sqs   *sqs.Client
}

// attributes are those of a queue.
type attributes map[string]string

// name returns a name that no other queue has.
func (d desk) name() string { return "conformance-" + strings.ToLower(rand.Text()[:16]) }

// queue makes a queue and returns its URL.
func (d desk) queue(a attributes) string {
	d.Helper()
	out, err := d.sqs.CreateQueue(d.Context(), &sqs.CreateQueueInput{QueueName: aws.String(d.name()), Attributes: a})
	require.NoError(d, err)
	d.removed(out.QueueUrl)
	return *out.QueueUrl
}

// removed has a queue removed when the case is over.
func (d desk) removed(url *string) {
	d.Cleanup(func() {
		_, _ = d.sqs.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: url}) // some cases do that themselves
	})
}

// attribute returns one attribute of a queue.
func (d desk) attribute(url string, name types.QueueAttributeName) string {
	d.Helper()
	out, err := d.sqs.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{name}})
	require.NoError(d, err)
	return out.Attributes[string(name)]
}

// counts returns how many messages a queue says are visible, in flight and delayed.
func (d desk) counts(url string) string {
	d.Helper()
	return d.attribute(url, types.QueueAttributeNameApproximateNumberOfMessages) + " " +
		d.attribute(url, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible) + " " +
		d.attribute(url, types.QueueAttributeNameApproximateNumberOfMessagesDelayed)
}

// counted waits until a queue says so of its messages, which it may do a second or two late.
func (d desk) counted(url, wanted string) {
	d.Helper()
	for range 40 {
		if d.counts(url) == wanted {
			return
		}
		d.cloud.Sleep(75 * time.Millisecond)
	}
	require.Equal(d, wanted, d.counts(url))
}

// send sends plain messages.
func (d desk) send(url string, bodies ...string) {
	d.Helper()
	for _, body := range bodies {
		_, err := d.sqs.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
		require.NoError(d, err)
	}
}

// receive receives what there is, up to ten messages, with everything that can be said of them. They stay hidden for so many
// seconds; 0: as long as the queue says.
func (d desk) receive(url string, hidden int32) []types.Message {
	d.Helper()
	out, err := d.sqs.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: hidden,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	require.NoError(d, err)
	return out.Messages
}

// take receives exactly so many messages, which may need more than one receive: a queue shows what is visible within a second
// or two.
func (d desk) take(url string, n int, hidden int32) []types.Message {
	d.Helper()
	var got []types.Message
	for range 40 {
		got = append(got, d.receive(url, hidden)...)
		if len(got) >= n {
			break
		}
		d.cloud.Sleep(75 * time.Millisecond)
	}
	require.Len(d, got, n, "messages of %s", url)
	return got
}

// one receives the one message that is there.
func (d desk) one(url string, hidden int32) types.Message {
	d.Helper()
	return d.take(url, 1, hidden)[0]
}

// none receives nothing.
func (d desk) none(url string) {
	d.Helper()
	require.Empty(d, bodies(d.receive(url, 0)), "nothing can be received")
}

// hide says how long a message in flight stays hidden.
func (d desk) hide(url string, m types.Message, seconds int32) error {
	_, err := d.sqs.ChangeMessageVisibility(d.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

// remove deletes a message.
func (d desk) remove(url string, m types.Message) error {
	_, err := d.sqs.DeleteMessage(d.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

// later lets time pass: n seconds, and a little for the cloud's own clock.
func (d desk) later(n int) { d.cloud.Sleep(time.Duration(n)*time.Second + 250*time.Millisecond) }

// refused holds that an error is the one that SQS's model has a name for, or has that code.
func (d desk) refused(name string, err error, about ...any) {
	d.Helper()
	require.Equal(d, name, refusal(err), append([]any{"%v " + strings.Repeat(" %v", len(about)), err}, about...)...)
}

// generic are the errors that SQS's model has no names for, by the codes that its two protocols have for them.
var generic = map[string]string{
	"InvalidParameterValueException": "InvalidParameterValue", "MissingRequiredParameterException": "MissingParameter",
}

// refusal returns the name of an error.
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

// bodies returns what messages say.
func bodies(messages []types.Message) []string {
	all := []string{}
	for _, m := range messages {
		all = append(all, aws.ToString(m.Body))
	}
	return all
}
