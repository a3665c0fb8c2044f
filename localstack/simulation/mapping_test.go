package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim"
	lambdas "backroom/shared/function"
)

// harness is a simulation in which a test adds one function.
type harness struct {
	*Simulation
	t *testing.T
}

func (s harness) ask(service, operation string, in map[string]any) map[string]any {
	s.t.Helper()
	r := cloudsim.Request{Service: service, Operation: operation, Body: document(in).Body}
	a := s.Cloud.Answer(r)
	require.Equal(s.t, 200, a.Status, "%s", a.Body)
	s.wakeMappings(r, a)
	var out map[string]any
	require.NoError(s.t, json.Unmarshal(a.Body, &out))
	return out
}

// function returns a function that answers as handle does.
func (s harness) function(handle any) *deployed {
	return &deployed{sim: s.Simulation, name: "stand-in", timeout: 10 * time.Second,
		build: func(lambdas.Runtime, map[string]string) (lambda.Handler, error) {
			return lambda.NewHandler(handle), nil
		}}
}

// inbox connects a function to the queue of reserve-stock, whose messages are hidden for 60 s and received 20 times.
func (s harness) inbox(partial bool, batch, concurrency int,
	handle func(bodies []string) (events.SQSEventResponse, error)) string {
	url := s.Stack.Queue("ReserveStockQueue")
	s.inboxes[url] = &inbox{
		sim: s.Simulation, url: url, arn: "arn:aws:sqs:us-east-1:000000000000:sim-reserve-stock", batch: batch,
		concurrency: concurrency,
		partial:     partial, hidden: time.Minute,
		function: s.function(func(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
			var bodies []string
			for _, m := range e.Records {
				bodies = append(bodies, m.Body)
			}
			return handle(bodies)
		}),
	}
	return url
}

func (s harness) send(url string, bodies ...string) {
	for _, body := range bodies {
		s.ask(cloudsim.SQS, "SendMessage", map[string]any{"QueueUrl": url, "MessageBody": body})
	}
}

func bubble(t *testing.T, do func(t *testing.T, s harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { do(t, harness{bare(t, Settings{Seed: 1}), t}) })
}

// Lambda decides by a function's answer which messages of a batch it deletes
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
func TestInbox_DeletesMessagesByTheFunctionsAnswer(t *testing.T) {
	id := func(ids ...string) events.SQSEventResponse {
		r := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, i := range ids {
			r.BatchItemFailures = append(r.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: i})
		}
		return r
	}
	for sentence, c := range map[string]struct {
		partial bool
		answer  events.SQSEventResponse
		err     error
		left    int
	}{
		"no failures":                         {partial: true, answer: id(), left: 0},
		"no list at all":                      {partial: true, answer: events.SQSEventResponse{}, left: 0},
		"a message that was not in the batch": {partial: true, answer: id("nobody"), left: 3},
		"an empty id":                         {partial: true, answer: id(""), left: 3},
		"an error":                            {partial: true, err: errors.New("no"), left: 3},
		"failures that the mapping ignores":   {partial: false, answer: id("nobody"), left: 0},
		"an error without a report":           {partial: false, err: errors.New("no"), left: 3},
	} {
		t.Run(sentence, func(t *testing.T) {
			bubble(t, func(t *testing.T, s harness) {
				url := s.inbox(c.partial, 10, 1,
					func([]string) (events.SQSEventResponse, error) { return c.answer, c.err })
				s.send(url, "a", "b", "c")
				s.Pass(10 * time.Second)
				visible, inFlight, _ := s.Cloud.Queues.Counts(url)
				assert.Equal(t, []int{0, c.left}, []int{visible, inFlight},
					"failed messages stay hidden until the visibility timeout")
			})
		})
	}
}

func TestInbox_RedeliversOnlyFailedMessages(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		url := s.Stack.Queue("ReserveStockQueue")
		var seen []string
		s.inboxes[url] = &inbox{sim: s.Simulation, url: url, batch: 10, concurrency: 1, partial: true,
			hidden: time.Minute,
			function: s.function(func(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
				answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
				for _, m := range e.Records {
					seen = append(seen, m.Body+m.Attributes["ApproximateReceiveCount"])
					if m.Body == "bad" {
						answer.BatchItemFailures = append(answer.BatchItemFailures,
							events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
					}
				}
				return answer, nil
			})}
		s.send(url, "good", "bad")
		s.Pass(150 * time.Second)
		slices.Sort(seen)
		assert.Equal(t, []string{"bad1", "bad2", "bad3", "good1"}, seen)
		s.Pass(20 * time.Minute)
		assert.Len(t, seen, 21, "the queue's maximum of receives")
		visible, _, _ := s.Cloud.Queues.Counts(s.Stack.Queue("ReserveStockDeadLetters"))
		assert.Equal(t, 1, visible, "then it is in the dead-letter queue")
	})
}

func TestInbox_LimitsConcurrency(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		running, most := 0, 0
		url := s.inbox(true, 1, 2, func([]string) (events.SQSEventResponse, error) {
			running++
			most = max(most, running)
			time.Sleep(time.Second)
			running--
			return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}, nil
		})
		for n := range 10 {
			s.send(url, fmt.Sprint(n))
		}
		require.True(t, s.Run(time.Minute, s.Quiet))
		assert.Equal(t, 2, most)
	})
}

func TestInbox_RedeliversAfterTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		starts := 0
		url := s.inbox(true, 10, 1, func([]string) (events.SQSEventResponse, error) {
			starts++
			if starts == 1 {
				time.Sleep(11 * time.Second)
			}
			return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}, nil
		})
		s.send(url, "a")
		s.Pass(30 * time.Second)
		assert.Equal(t, 1, starts)
		require.True(t, s.Run(time.Minute, s.Quiet))
		assert.Equal(t, 2, starts, "its message is received again after the visibility timeout")
	})
}

// reader connects a function to the stream of the table of orders. handle gets the numbers of the rows.
func (s harness) reader(r shard, handle func(keys []string, records []events.DynamoDBEventRecord) (any, error)) {
	s.Stack.Table("Orders")
	arn, err := s.Stack.GetAtt("Orders", "StreamArn")
	require.NoError(s.t, err)
	about := s.ask(cloudsim.DynamoDBStreams, "DescribeStream", map[string]any{"StreamArn": arn})
	for _, described := range about["StreamDescription"].(map[string]any)["Shards"].([]any) {
		one := r
		one.sim, one.stream, one.id = s.Simulation, arn.(string), described.(map[string]any)["ShardId"].(string)
		one.function = s.function(func(_ context.Context, e events.DynamoDBEvent) (any, error) {
			var keys []string
			for _, record := range e.Records {
				keys = append(keys, record.Change.NewImage["n"].Number())
			}
			return handle(keys, e.Records)
		})
		s.shards["sim-Orders"] = append(s.shards["sim-Orders"], &one)
	}
}

// write writes rows under one key, so that all are in one shard.
func (s harness) write(from, to int) {
	for n := from; n <= to; n++ {
		s.ask(cloudsim.DynamoDB, "PutItem", map[string]any{"TableName": "sim-Orders", "Item": map[string]any{
			"pk": map[string]any{"S": "main#ord_1"}, "n": map[string]any{"N": fmt.Sprint(n)},
			"kind": map[string]any{"S": []string{"even", "odd"}[n%2]},
		}})
	}
}

func TestShard_RetriesABatchUntilItSucceeds(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		var seen [][]string
		s.reader(shard{batch: 3, retries: -1}, func(keys []string, _ []events.DynamoDBEventRecord) (any, error) {
			seen = append(seen, keys)
			if len(seen) < 3 {
				return nil, errors.New("no")
			}
			return nil, nil
		})
		s.write(1, 5)
		require.True(t, s.Run(time.Hour, s.Quiet))
		assert.Equal(t, [][]string{{"1", "2", "3"}, {"1", "2", "3"}, {"1", "2", "3"}, {"4", "5"}}, seen,
			"later records wait for the batch")
	})
}

func TestShard_BisectIsolatesThePoisonRecord(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		var seen [][]string
		s.reader(shard{batch: 4, retries: 1, bisect: true, onFailure: s.Stack.Queue("RelayFactsDeadLetters")},
			func(keys []string, _ []events.DynamoDBEventRecord) (any, error) {
				seen = append(seen, keys)
				if slices.Contains(keys, "3") {
					return nil, errors.New("poison")
				}
				return nil, nil
			})
		s.write(1, 4)
		require.True(t, s.Run(time.Hour, s.Quiet))
		assert.Equal(t, [][]string{{"1", "2", "3", "4"}, {"1", "2"}, {"3", "4"}, {"3"}, {"3"}, {"4"}}, seen)
		got := s.ask(cloudsim.SQS, "ReceiveMessage", map[string]any{"QueueUrl": s.Stack.Queue("RelayFactsDeadLetters")})
		require.Len(t, got["Messages"], 1, "a message has the position of the record that was given up")
		body, _ := got["Messages"].([]any)[0].(map[string]any)["Body"].(string)
		assert.Contains(t, body, `"batchSize":1`)
	})
}

func TestShard_ContinuesAtTheFirstReportedFailure(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		var seen [][]string
		s.reader(shard{batch: 4, retries: -1, partial: true},
			func(keys []string, records []events.DynamoDBEventRecord) (any, error) {
				seen = append(seen, keys)
				failures := []map[string]string{}
				if len(seen) == 1 {
					failures = append(failures, map[string]string{"itemIdentifier": records[2].Change.SequenceNumber})
				}
				return map[string]any{"batchItemFailures": failures}, nil
			})
		s.write(1, 4)
		require.True(t, s.Run(time.Hour, s.Quiet))
		assert.Equal(t, [][]string{{"1", "2", "3", "4"}, {"3", "4"}}, seen)
	})
}

func TestShard_SkipsRecordsThatTheFilterRejects(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		wants, err := parsePattern(`{"dynamodb":{"NewImage":{"kind":{"S":["odd"]},"n":{"N":[{"exists":true}]}}}}`)
		require.NoError(t, err)
		var seen [][]string
		s.reader(shard{batch: 2, retries: -1, filters: []pattern{wants}},
			func(keys []string, _ []events.DynamoDBEventRecord) (any, error) {
				seen = append(seen, keys)
				return nil, nil
			})
		s.write(1, 6)
		require.True(t, s.Run(time.Hour, s.Quiet))
		assert.Equal(t, [][]string{{"1", "3"}, {"5"}}, seen)
	})
}

func TestShard_GivesUpOldRecords(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		calls, works := 0, false
		s.reader(shard{batch: 10, retries: -1, age: time.Hour},
			func([]string, []events.DynamoDBEventRecord) (any, error) {
				calls++
				if !works {
					return nil, errors.New("no")
				}
				return nil, nil
			})
		s.write(1, 1)
		s.Pass(70 * time.Minute)
		before := calls
		require.Greater(t, before, 10)
		works = true
		s.write(2, 2)
		require.True(t, s.Run(time.Hour, s.Quiet))
		assert.Equal(t, before+1, calls, "only the new record is delivered")
	})
}

func TestShard_DropsRecordsThatTheStreamNoLongerKeeps(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		works := false
		var delivered [][]string
		s.reader(shard{batch: 10, retries: -1}, func(keys []string, _ []events.DynamoDBEventRecord) (any, error) {
			if !works {
				return nil, errors.New("no")
			}
			delivered = append(delivered, keys)
			return nil, nil
		})
		s.write(1, 1)
		s.Pass(12 * time.Hour)
		s.write(2, 2)
		s.Pass(13 * time.Hour)
		works = true
		require.True(t, s.Run(time.Hour, s.Quiet))
		assert.Equal(t, [][]string{{"2"}}, delivered)
	})
}

func TestPattern_MatchesAsEventBridge(t *testing.T) {
	for text, c := range map[string]struct{ passes, fails string }{
		`{"a":["x"]}`:                        {`{"a":"x"}`, `{"a":"y"}`},
		`{"a":[{"exists":false}]}`:           {`{"b":1}`, `{"a":1}`},
		`{"a":[{"exists":true}]}`:            {`{"a":1}`, `{"a":{"N":"1"}}`},
		`{"a":[{"prefix":"x"}]}`:             {`{"a":"xy"}`, `{"a":"yx"}`},
		`{"a":[{"anything-but":["x","y"]}]}`: {`{"a":"z"}`, `{"a":"y"}`},
		`{"a":{"b":["x"]},"c":[1]}`:          {`{"a":{"b":"x"},"c":1}`, `{"a":{"b":"x"}}`},
		`{"a":["x",{"prefix":"y"}]}`:         {`{"a":"yes"}`, `{}`},
	} {
		p, err := parsePattern(text)
		require.NoError(t, err)
		for example, want := range map[string]bool{c.passes: true, c.fails: false} {
			read, err := readRecord(json.RawMessage(example))
			require.NoError(t, err)
			assert.Equal(t, want, passes([]pattern{p}, read), "%s of %s", text, example)
		}
	}
	for _, text := range []string{`{`, `{"a":"x"}`, `{"a":[{"numeric":[">",1]}]}`} {
		_, err := parsePattern(text)
		assert.Error(t, err, text)
	}
}
