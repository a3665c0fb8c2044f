package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/saga"
)

// Setting returns a variable of a function's environment.
func (s *System) Setting(t conformance.T, function, name string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settings[function] == nil {
		found,
			err := s.lambda.GetFunctionConfiguration(t.Context(),
			&lambda.GetFunctionConfigurationInput{FunctionName: aws.String(s.Stack.FunctionName(function))})
		require.NoError(t, err)
		require.NotNil(t, found.Environment, "the settings of %s", function)
		s.settings[function] = found.Environment.Variables
	}
	require.NotEmpty(t, s.settings[function][name], "setting %s of %s", name, function)
	return s.settings[function][name]
}

// Configure changes a variable of a function's environment until restore is called or the case ends.
func (s *System) Configure(t conformance.T, function, name, value string) (restore func()) {
	t.Helper()
	before := s.Setting(t, function, name)
	ctx, cancel := context.WithTimeout(t.Context(), s.Bound)
	defer cancel()
	require.NoError(t, s.configure(ctx, function, name, value))
	var once sync.Once
	restore = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Bound)
			defer cancel()
			if err := s.configure(ctx, function, name, before); err != nil {
				t.Errorf("setting %s of %s could not be restored: %v", name, function, err)
			}
		})
	}
	t.Cleanup(restore)
	return restore
}

// configure changes a variable of a function's environment, and returns once the cloud has applied it.
func (s *System) configure(ctx context.Context, function, name, value string) error {
	ofFunction := aws.String(s.Stack.FunctionName(function))
	found,
		err := s.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: ofFunction})
	if err != nil {
		return err
	}
	environ := maps.Clone(found.Environment.Variables)
	environ[name] = value
	_, err = s.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: ofFunction, Environment: &lambdatypes.Environment{Variables: environ},
	})
	if err != nil {
		return err
	}
	return lambda.NewFunctionUpdatedV2Waiter(s.lambda, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	}).
		Wait(ctx, &lambda.GetFunctionInput{FunctionName: ofFunction}, s.Bound)
}

// Invoke calls a function with an event. It fails the case if the function fails.
func (s *System) Invoke(t conformance.T, function string, event any) {
	t.Helper()
	payload, err := json.Marshal(event)
	require.NoError(t, err)
	answer,
		err := s.lambda.Invoke(t.Context(),
		&lambda.InvokeInput{FunctionName: aws.String(s.Stack.FunctionName(function)), Payload: payload})
	require.NoError(t, err)
	require.Nil(t, answer.FunctionError, "%s failed: %s", function, answer.Payload)
}

// Wake runs wake-overdue, which also runs every minute on its schedule.
func (s *System) Wake(t conformance.T) {
	t.Helper()
	s.Invoke(t, "wake-overdue", map[string]any{})
}

// WakeAtTimes runs wake-overdue, unless it ran within the last second, or within a longer time on a slow cloud. It
// does not run it if 20 messages or more wait for advance-order, because those may be about the late orders.
func (s *System) WakeAtTimes(t conformance.T) {
	t.Helper()
	began, due := time.Now(), s.waking.Load()
	if began.UnixNano() > due && s.waking.CompareAndSwap(due, began.Add(s.Bound).UnixNano()) {
		defer func() { s.waking.Store(time.Now().Add(max(time.Second, 5*time.Since(began))).UnixNano()) }()
		if waiting, _ := s.Depth(t, string(saga.AdvanceOrder)); waiting < 20 {
			s.Wake(t)
		}
	}
}

// HoldUp disables a step's queue until release is called or the case ends.
func (s *System) HoldUp(t conformance.T, step string) (release func()) {
	t.Helper()
	queue := ":" + s.Stack.QueueName(step)
	return s.disable(t, step, func(source string) bool { return strings.HasSuffix(source, queue) })
}

// HoldUpFacts disables a table's stream for relay-facts until release is called or the case ends. table is the name of
// the variable of get-order that has the table's name: ORDERS_TABLE, RESERVATIONS_TABLE or CHARGES_TABLE.
func (s *System) HoldUpFacts(t conformance.T, table string) (release func()) {
	t.Helper()
	stream := ":table/" + s.Setting(t, "get-order", table) + "/stream/"
	return s.disable(t, "relay-facts", func(source string) bool { return strings.Contains(source, stream) })
}

// disable disables the function's event source mapping whose source's ARN wanted accepts.
func (s *System) disable(t conformance.T, function string, wanted func(source string) bool) (enable func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), s.Bound)
	defer cancel()
	list,
		err := s.lambda.ListEventSourceMappings(ctx,
		&lambda.ListEventSourceMappingsInput{FunctionName: aws.String(s.Stack.FunctionName(function))})
	require.NoError(t, err)
	i := slices.IndexFunc(list.EventSourceMappings, func(m lambdatypes.EventSourceMappingConfiguration) bool {
		return wanted(aws.ToString(m.EventSourceArn))
	})
	require.GreaterOrEqual(t, i, 0, "%s has such an event source", function)
	mapping := aws.ToString(list.EventSourceMappings[i].UUID)
	require.NoError(t, s.turn(ctx, mapping, false))
	on := false
	enable = func() {
		if on {
			return
		}
		on = true
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Bound)
		defer cancel()
		if err := s.turn(ctx, mapping, true); err != nil {
			t.Errorf("the event source of %s could not be enabled: %v", function, err)
		}
	}
	t.Cleanup(enable)
	return enable
}

// turn enables or disables a mapping, and returns once the cloud has applied it.
func (s *System) turn(ctx context.Context, mapping string, on bool) error {
	wanted, asked := map[bool]string{true: "Enabled", false: "Disabled"}[on], false
	for {
		now, err := s.lambda.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &mapping})
		if err != nil {
			return err
		}
		switch state := aws.ToString(now.State); {
		case state == wanted:
			return nil
		case !asked && !strings.HasSuffix(state, "ing"): // a mapping cannot be changed during a transition
			if _,
				err := s.lambda.UpdateEventSourceMapping(ctx,
				&lambda.UpdateEventSourceMappingInput{UUID: &mapping, Enabled: &on}); err != nil {
				return err
			}
			asked = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("event source mapping %s does not become %s: %w", mapping, wanted, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// DeadLetters names the dead-letter queue of a step.
func DeadLetters(step string) string { return step + "-dlq" }

func (s *System) queueURL(t conformance.T, queue string) string {
	t.Helper()
	found,
		err := s.queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(s.Stack.QueueName(queue))})
	require.NoError(t, err)
	return aws.ToString(found.QueueUrl)
}

// Depth returns how many messages of a queue wait, and how many are in flight. On AWS these numbers are approximate.
func (s *System) Depth(t conformance.T, queue string) (waiting, underway int) {
	t.Helper()
	attributes := s.queueAttributes(t, queue)
	waiting, err := strconv.Atoi(attributes[string(sqstypes.QueueAttributeNameApproximateNumberOfMessages)])
	require.NoError(t, err)
	underway, err = strconv.Atoi(attributes[string(sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible)])
	require.NoError(t, err)
	return waiting, underway
}

// MaxReceives returns how often a message of the queue is received before it goes to the dead-letter queue.
func (s *System) MaxReceives(t conformance.T, queue string) int {
	t.Helper()
	var policy struct {
		Receives json.Number `json:"maxReceiveCount"` // a number or a string, depending on the cloud
	}
	require.NoError(t, json.Unmarshal([]byte(s.queueAttributes(t, queue)["RedrivePolicy"]), &policy))
	n, err := strconv.Atoi(strings.Trim(policy.Receives.String(), `"`))
	require.NoError(t, err)
	return n
}

func (s *System) queueAttributes(t conformance.T, queue string) map[string]string {
	t.Helper()
	found, err := s.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl:       aws.String(s.queueURL(t, queue)),
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	require.NoError(t, err)
	return found.Attributes
}

// Put puts up to ten messages into a queue at once.
func (s *System) Put(t conformance.T, queue string, bodies ...string) {
	t.Helper()
	var batch []sqstypes.SendMessageBatchRequestEntry
	for i := range bodies {
		batch = append(batch,
			sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &bodies[i]})
	}
	sent,
		err := s.queues.SendMessageBatch(t.Context(),
		&sqs.SendMessageBatchInput{QueueUrl: aws.String(s.queueURL(t, queue)), Entries: batch})
	require.NoError(t, err)
	require.Empty(t, sent.Failed)
}

// Taken is a message that was removed from a queue.
type Taken struct {
	Body     string
	Receives int // how often it was received, this time and those in the original queue included
}

// Take waits for a message that contains all of the texts, and removes it from the queue. It puts other messages
// back.
func (s *System) Take(t conformance.T, queue string, texts ...string) (taken Taken) {
	t.Helper()
	url := s.queueURL(t, queue)
	s.Until(t, fmt.Sprintf("a message with %q is in %s", texts, queue), func() (any, bool) {
		received, err := s.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 20,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{
				sqstypes.MessageSystemAttributeNameApproximateReceiveCount,
			},
		})
		require.NoError(t, err)
		var others []string
		for _, m := range received.Messages {
			body := aws.ToString(m.Body)
			if lacks := func(text string) bool { return !strings.Contains(body, text) }; taken.Body != "" ||
				slices.ContainsFunc(texts, lacks) {
				others = append(others, body)
				_, err = s.queues.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
					QueueUrl: &url, ReceiptHandle: m.ReceiptHandle,
				})
				require.NoError(t, err)
				continue
			}
			taken.Body = aws.ToString(m.Body)
			taken.Receives,
				err = strconv.Atoi(m.Attributes[string(sqstypes.MessageSystemAttributeNameApproximateReceiveCount)])
			require.NoError(t, err)
			_, err = s.queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{
				QueueUrl: &url, ReceiptHandle: m.ReceiptHandle,
			})
			require.NoError(t, err)
		}
		return others, taken.Body != ""
	})
	return taken
}

// Purge deletes all messages of a queue, and waits until it is empty.
func (s *System) Purge(t conformance.T, queue string) {
	t.Helper()
	_, err := s.queues.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: aws.String(s.queueURL(t, queue))})
	require.NoError(t, err)
	s.Until(t, queue+" is empty", func() (any, bool) {
		waiting, underway := s.Depth(t, queue)
		return waiting + underway, waiting+underway == 0
	})
}

// OrderRow returns an order's row as a stream record, which is what relay-facts reads.
func (s *System) OrderRow(t conformance.T, order string) events.DynamoDBEventRecord {
	t.Helper()
	found, err := s.tables.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(s.Setting(t, "get-order", "ORDERS_TABLE")), ConsistentRead: aws.Bool(true),
		Key: map[string]dynamodbtypes.AttributeValue{"pk": &dynamodbtypes.AttributeValueMemberS{Value: s.Setting(t,
			"get-product", "SHOP") + "#" + order}},
	})
	require.NoError(t, err)
	require.NotEmpty(t, found.Item, "the row of %s", order)
	return events.DynamoDBEventRecord{
		EventID: "again", EventName: "INSERT", EventSource: "aws:dynamodb",
		Change: events.DynamoDBStreamRecord{NewImage: image(found.Item), SequenceNumber: "1",
			StreamViewType: "NEW_IMAGE"},
	}
}

// image converts an item to the form of a stream record.
func image(item map[string]dynamodbtypes.AttributeValue) map[string]events.DynamoDBAttributeValue {
	converted := map[string]events.DynamoDBAttributeValue{}
	for name, value := range item {
		converted[name] = attribute(value)
	}
	return converted
}

func attribute(value dynamodbtypes.AttributeValue) events.DynamoDBAttributeValue {
	switch v := value.(type) {
	case *dynamodbtypes.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value)
	case *dynamodbtypes.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value)
	case *dynamodbtypes.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value)
	case *dynamodbtypes.AttributeValueMemberM:
		return events.NewMapAttribute(image(v.Value))
	case *dynamodbtypes.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, len(v.Value))
		for i, element := range v.Value {
			list[i] = attribute(element)
		}
		return events.NewListAttribute(list)
	}
	return events.NewNullAttribute()
}

// ProcessMark returns an environment variable that only processes of the function have. Lambda sets it.
func (s *System) ProcessMark(function string) string {
	return "AWS_LAMBDA_FUNCTION_NAME=" + s.Stack.FunctionName(function)
}
