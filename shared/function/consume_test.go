package function_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/function"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// sqsDouble answers every request to SQS and records for how many seconds each receipt is hidden.
type sqsDouble struct {
	status int
	hidden map[string]int
	urls   []string
}

func (d *sqsDouble) Do(r *http.Request) (*http.Response, error) {
	var asked struct {
		QueueUrl, ReceiptHandle string
		VisibilityTimeout       int
	}
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&asked)
	}
	d.hidden[asked.ReceiptHandle] = asked.VisibilityTimeout
	d.urls = append(d.urls, asked.QueueUrl)
	return &http.Response{StatusCode: d.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// handler is a function as a step.
type handler func(ctx context.Context, e saga.Event) error

func (h handler) Handle(ctx context.Context, e saga.Event) error { return h(ctx, e) }

// bench runs a step on a queue with a maxReceiveCount of 5.
type bench struct {
	queue *sqsDouble
	log   bytes.Buffer
}

func newBench() *bench { return &bench{queue: &sqsDouble{status: 200, hidden: map[string]int{}}} }

func (s *bench) runtime() function.Runtime {
	rt := function.Environment(
		map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"})
	rt.AWS.HTTPClient, rt.Log = s.queue, observe.Logger(&s.log, slog.LevelDebug, "reserve-stock")
	return rt
}

// deliver hands messages to a step and returns the bytes of its answer.
func (s *bench) deliver(t *testing.T, ctx context.Context, h handler, messages ...events.SQSMessage) string {
	t.Helper()
	build := function.Consuming(saga.ReserveStock, func(function.Runtime, struct{}) function.Step { return h })
	lambda, err := build(s.runtime(), map[string]string{"LAST_RECEIVE": "5"})
	require.NoError(t, err)
	batch, err := json.Marshal(events.SQSEvent{Records: messages})
	require.NoError(t, err)
	answer, err := lambda.Invoke(ctx, batch)
	require.NoError(t, err, "an error would bring back the whole batch")
	return string(answer)
}

// lines returns the log's lines.
func (s *bench) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.SplitSeq(strings.TrimSpace(s.log.String()), "\n") {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		lines = append(lines, line)
	}
	return lines
}

// message returns a message that was received for the nth time.
func message(t *testing.T, id string, received int) events.SQSMessage {
	t.Helper()
	body, err := os.ReadFile("../saga/testdata/OrderPlaced.json")
	require.NoError(t, err)
	return events.SQSMessage{
		MessageId: id, ReceiptHandle: "receipt-" + id, Body: strings.ReplaceAll(string(body), "ord_1", id),
		EventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:backroom-reserve-stock",
		Attributes:     map[string]string{"ApproximateReceiveCount": strconv.Itoa(received)},
	}
}

func failures(ids ...string) string {
	list := []string{}
	for _, id := range ids {
		list = append(list, `{"itemIdentifier":"`+id+`"}`)
	}
	return `{"batchItemFailures":[` + strings.Join(list, ",") + `]}`
}

// The table is the queue's side of the kinds in package fault.
func TestConsume_OutcomeFollowsTheFaultsKind(t *testing.T) {
	declared := func(k fault.Kind) error { return fault.New(k, "some-slug", "Some detail.") }
	const (
		gone    = "acknowledged"
		waits   = "received again later"
		atOnce  = "received again at once, then in the dead-letter queue"
		info    = "INFO"
		warning = "WARN"
		alarm   = "ERROR"
	)
	for name, c := range map[string]struct {
		err      error
		received int
		effect   string
		level    string
		outcome  string
	}{
		"done":                               {nil, 1, gone, info, "done"},
		"a repetition":                       {declared(fault.Duplicate), 1, gone, info, "done"},
		"unreadable":                         {declared(fault.Malformed), 1, atOnce, alarm, "failed"},
		"breaks a rule":                      {declared(fault.Invalid), 1, atOnce, alarm, "failed"},
		"about something missing":            {declared(fault.NotFound), 1, atOnce, alarm, "failed"},
		"not allowed":                        {declared(fault.Forbidden), 1, atOnce, alarm, "failed"},
		"conflicts":                          {declared(fault.Conflict), 1, waits, info, "retried"},
		"conflicts for the last time":        {declared(fault.Conflict), 5, gone, info, "left-to-order"},
		"throttled":                          {declared(fault.Throttled), 1, waits, warning, "retried"},
		"unavailable":                        {declared(fault.Unavailable), 4, waits, warning, "retried"},
		"unavailable for the last time":      {declared(fault.Unavailable), 5, gone, warning, "left-to-order"},
		"throttled for the last time":        {declared(fault.Throttled), 6, gone, warning, "left-to-order"},
		"an unknown error":                   {errors.New("dial tcp"), 1, waits, alarm, "retried"},
		"an unknown error for the last time": {errors.New("dial tcp"), 5, waits, alarm, "retried"},
		"wrapped": {fmt.Errorf("while saving: %w", declared(fault.Invalid)), 1, atOnce,
			alarm, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newBench()
			answer := s.deliver(t, t.Context(), func(context.Context, saga.Event) error { return c.err },
				message(t, "m1", c.received))

			if c.effect == gone {
				assert.JSONEq(t, failures(), answer)
				assert.Empty(t, s.queue.hidden)
			} else {
				assert.JSONEq(t, failures("m1"), answer)
				require.Contains(t, s.queue.hidden, "receipt-m1")
				assert.Equal(t, c.effect == atOnce, s.queue.hidden["receipt-m1"] == 0)
				assert.Equal(t, []string{"https://sqs.eu-central-1.amazonaws.com/123456789012/backroom-reserve-stock"},
					s.queue.urls)
			}
			lines := s.lines(t)
			require.Len(t, lines, 1, "one line per message")
			assert.Equal(t, []any{c.level, c.outcome, "m1", float64(c.received)},
				[]any{lines[0]["level"], lines[0]["outcome"], lines[0]["messageId"], lines[0]["attempt"]})
			assert.Equal(t, []any{"OrderPlaced", "m1", "orders:main#m1@1.0~nonce"},
				[]any{lines[0]["fact"], lines[0]["order"], lines[0]["event"]})
			assert.NotContains(t, s.log.String(), "pm_card_visa", "the log contains no bodies")
		})
	}
}

func TestConsume_BadMessageFailsAlone(t *testing.T) {
	s := newBench()
	garbage, other := message(t, "garbage", 1), message(t, "other", 1)
	garbage.Body = "{"
	other.Body = strings.ReplaceAll(other.Body, "OrderPlaced", "StockReserved")
	var handled []string

	answer := s.deliver(t, t.Context(), func(_ context.Context, e saga.Event) error {
		handled = append(handled, e.Subject)
		if e.Subject == "panics" {
			panic("a bug")
		}
		return nil
	}, message(t, "m1", 1), garbage, message(t, "panics", 1), other, message(t, "m2", 1))

	assert.JSONEq(t, failures("garbage", "panics", "other"), answer)
	assert.Equal(t, []string{"m1", "panics", "m2"}, handled)
	assert.Equal(t, 0, s.queue.hidden["receipt-garbage"])
	assert.Positive(t, s.queue.hidden["receipt-panics"], "a bug may be fixed")
	lines := s.lines(t)
	require.Len(t, lines, 5)
	assert.Contains(t, lines[2]["error"], "panic: a bug")
	assert.Contains(t, lines[2]["error"], "consume_test.go", "with the place")
}

func TestConsume_AnswerIsNeverNull(t *testing.T) {
	s := newBench()
	done := func(context.Context, saga.Event) error { return nil }
	assert.Equal(t, `{"batchItemFailures":[]}`, s.deliver(t, t.Context(), done, message(t, "m1", 1)))
	assert.Equal(t, `{"batchItemFailures":[]}`, s.deliver(t, t.Context(), done))
}

func TestConsume_RetriesAMessageThatCannotBeHidden(t *testing.T) {
	s := newBench()
	s.queue.status = 400
	answer := s.deliver(t, t.Context(), func(context.Context, saga.Event) error { return errors.New("no") },
		message(t, "m1", 1))
	assert.JSONEq(t, failures("m1"), answer)
	assert.Contains(t, s.lines(t)[0], "hideError")
}

func TestConsume_BeginsNothingNearTheDeadline(t *testing.T) {
	s := newBench()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	answer := s.deliver(t, ctx, func(context.Context, saga.Event) error {
		t.Error("the message was begun")
		return nil
	}, message(t, "m1", 1), message(t, "m2", 5))
	assert.JSONEq(t, failures("m1"), answer, "at its last receive it is left to the order")
}

func TestConsume_KeepsAMessageThatNoOrderAsksForAgain(t *testing.T) {
	away := fault.New(fault.Unavailable, "some-slug", "Some detail.")
	step := func(step saga.Step) function.Builder {
		return function.Consuming(step, func(function.Runtime, struct{}) function.Step {
			return handler(func(context.Context, saga.Event) error { return away })
		})
	}
	for name, c := range map[string]struct {
		fact  saga.Fact
		build function.Builder
	}{
		"to a step that no order asks again": {saga.OrderConfirmed, step(saga.SendNotification)},
		"to an order that awaits nothing":    {saga.ReturnFailed, step(saga.AdvanceOrder)},
		"in a queue without a step": {saga.OrderConfirmed, function.Working(func(function.Runtime, struct{}) worker {
			return func(context.Context, string) error { return away }
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile("../saga/testdata/" + string(c.fact) + ".json")
			require.NoError(t, err)
			s := newBench()
			lambda, err := c.build(s.runtime(), map[string]string{"LAST_RECEIVE": "5"})
			require.NoError(t, err)
			last := message(t, "m1", 5)
			last.Body = string(body)
			batch, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{last}})
			require.NoError(t, err)
			answer, err := lambda.Invoke(t.Context(), batch)
			require.NoError(t, err)
			assert.JSONEq(t, failures("m1"), string(answer), "its queue moves it to the dead-letter queue")
		})
	}
}

func TestConsume_HandlersContextEndsBeforeTheFunctions(t *testing.T) {
	s := newBench()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	functions, _ := ctx.Deadline()
	s.deliver(t, ctx, func(ctx context.Context, _ saga.Event) error {
		own, limited := ctx.Deadline()
		assert.True(t, limited && own.Before(functions))
		return nil
	}, message(t, "m1", 1))
}

// worker is a function as a Worker.
type worker func(ctx context.Context, body string) error

func (w worker) Handle(ctx context.Context, body string) error { return w(ctx, body) }

func TestWorking_HandlesAPlainQueueLikeAStepsQueue(t *testing.T) {
	s := newBench()
	var handled []string
	build := function.Working(func(function.Runtime, struct{}) worker {
		return func(_ context.Context, body string) error {
			handled = append(handled, body)
			if body == "bad" {
				return fault.New(fault.Unavailable, "some-slug", "Some detail.")
			}
			return nil
		}
	})
	lambda, err := build(s.runtime(), map[string]string{"LAST_RECEIVE": "5"})
	require.NoError(t, err)
	good, bad := message(t, "m1", 1), message(t, "m2", 1)
	good.Body, bad.Body = "good", "bad"
	batch, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{bad, good}})
	require.NoError(t, err)

	answer, err := lambda.Invoke(t.Context(), batch)

	require.NoError(t, err)
	assert.JSONEq(t, failures("m2"), string(answer))
	assert.Equal(t, []string{"bad", "good"}, handled, "unchanged bodies")
	assert.Contains(t, s.queue.hidden, "receipt-m2")
	assert.Len(t, s.lines(t), 2, "one line per message")
}
