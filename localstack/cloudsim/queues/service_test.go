package queues_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/localstack/cloudsim"
	"backroom/localstack/cloudsim/queues"
	"backroom/localstack/cloudsim/wire"
)

// noon is when every simulated clock starts.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// service is the SQS of a simulated cloud. Its clock moves only with sleep.
type service struct {
	*queues.Service
	cloud *cloudsim.Cloud
	mu    sync.Mutex
	now   time.Time
}

func newService(pick func(int) int) *service {
	p := &service{now: noon}
	p.cloud = cloudsim.New(cloudsim.Settings{Pick: pick, Now: func() time.Time {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.now
	}})
	p.Service = p.cloud.Queues
	return p
}

func (p *service) sleep(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func (p *service) config() aws.Config {
	return aws.Config{Region: cloudsim.Region, HTTPClient: p.cloud.Client(), Credentials: aws.AnonymousCredentials{},
		RetryMaxAttempts: 1}
}

// fields are a JSON object.
type fields map[string]any

// shown is a received message.
type shown struct {
	MessageId, ReceiptHandle, Body string
	Attributes                     map[string]string
}

// T is what these tests need of testing.T and rapid.T.
type T interface {
	require.TestingT
	Helper()
}

// ask requests an operation and returns the answer undecoded.
func (p *service) ask(t T, operation string, in fields) ([]byte, []wire.Use, error) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	return p.Service.Do(operation, body)
}

// must requests an operation that must succeed.
func (p *service) must(t T, operation string, in fields) fields {
	t.Helper()
	answer, _, err := p.ask(t, operation, in)
	require.NoError(t, err, operation)
	var out fields
	require.NoError(t, json.Unmarshal(answer, &out))
	return out
}

// refused requests an operation that must be refused, and returns the type of the error without its
// namespace.
func (p *service) refused(t T, operation string, in fields) string {
	t.Helper()
	before := p.Digest()
	answer, used, err := p.ask(t, operation, in)
	refusal, ok := errors.AsType[*wire.Error](err)
	require.True(t, ok, "%s: %s, %v", operation, answer, err)
	require.Empty(t, used, "a refusal uses nothing")
	require.Equal(t, before, p.Digest(), "a refusal changes nothing")
	return refusal.Type[strings.Index(refusal.Type, "#")+1:]
}

// queue creates a queue and returns its URL.
func (p *service) queue(t T, name string, attributes fields) string {
	t.Helper()
	return p.must(t, "CreateQueue", fields{"QueueName": name, "Attributes": attributes})["QueueUrl"].(string)
}

// step creates a queue with a dead-letter queue, and returns the URLs of both.
func (p *service) step(t T, receives int) (url, deadLetters string) {
	t.Helper()
	deadLetters = p.queue(t, "step-dlq", fields{"MessageRetentionPeriod": "1209600"})
	policy := fmt.Sprintf(
		`{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:step-dlq", "maxReceiveCount": %d}`, receives)
	return p.queue(t, "step", fields{"RedrivePolicy": policy}), deadLetters
}

func (p *service) send(t T, url, body string) string {
	t.Helper()
	return p.must(t, "SendMessage", fields{"QueueUrl": url, "MessageBody": body})["MessageId"].(string)
}

func (p *service) receive(t T, url string, n, hidden int) []shown {
	t.Helper()
	answer, _,
		err := p.ask(t, "ReceiveMessage",
		fields{"QueueUrl": url, "MaxNumberOfMessages": n, "VisibilityTimeout": hidden,
			"AttributeNames": []string{"All"}})
	require.NoError(t, err)
	var out struct{ Messages []shown }
	require.NoError(t, json.Unmarshal(answer, &out))
	return out.Messages
}

func TestCreateQueue_URLBeginsWithTheEndpoint(t *testing.T) {
	p := newService(nil)
	assert.Equal(t, "https://sqs.us-east-1.amazonaws.com/000000000000/a", p.queue(t, "a", nil))
	local := queues.New(
		queues.Settings{Region: "us-east-1", Account: "123456789012", Endpoint: "http://127.0.0.1:4566/",
			Now: time.Now})
	answer, _, err := local.Do("CreateQueue", []byte(`{"QueueName": "a"}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"QueueUrl": "http://127.0.0.1:4566/123456789012/a"}`, string(answer))
	assert.Equal(t, []string{"http://127.0.0.1:4566/123456789012/a"}, local.URLs())
}

func TestService_WhatIsNotSimulatedIsRefused(t *testing.T) {
	p := newService(nil)
	assert.Equal(t, "UnknownOperationException", p.refused(t, "AddPermission", nil))
	assert.Equal(t, "UnsupportedOperation", p.refused(t, "CreateQueue", fields{"QueueName": "a.fifo"}))
	assert.Equal(t, "UnsupportedOperation",
		p.refused(t, "CreateQueue", fields{"QueueName": "a", "Attributes": fields{"FifoQueue": "true"}}))
	for _, name := range []string{"Policy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"} {
		_, _, err := p.ask(t, "CreateQueue", fields{"QueueName": "a", "Attributes": fields{name: ""}})
		assert.ErrorContains(t, err, "UnsupportedOperation: cloudsim does not know the attribute "+name+".")
	}
	assert.Equal(t, "SerializationException", p.refused(t, "CreateQueue", fields{"QueueName": 7}))
	assert.Equal(t, "InvalidAddress", p.refused(t, "ReceiveMessage", fields{"QueueUrl": "nowhere"}))
}

func TestQueryError_TheSDKReadsTheOlderProtocolsCode(t *testing.T) {
	client, url := sqs.NewFromConfig(newService(nil).config()), "https://sqs.us-east-1.amazonaws.com/000000000000/away"
	_, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
	refusal, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok)
	assert.Equal(t, "AWS.SimpleQueueService.NonExistentQueue", refusal.ErrorCode())
	assert.Equal(t, "The specified queue does not exist.", refusal.ErrorMessage())
	assert.Empty(t, queues.QueryError(errors.New("not from SQS")))
}

func TestDeleteQueue_NameIsTakenForAMinute(t *testing.T) {
	p := newService(nil)
	url := p.queue(t, "a", nil)
	first := p.send(t, url, "x")
	p.must(t, "DeleteQueue", fields{"QueueUrl": url})
	p.sleep(59 * time.Second)
	assert.Equal(t, "QueueDeletedRecently", p.refused(t, "CreateQueue", fields{"QueueName": "a"}))
	p.sleep(time.Second)
	p.queue(t, "a", nil)
	assert.Equal(t, 0, p.Visible(url))
	assert.NotEqual(t, first, p.send(t, url, "x"), "ids are never reused")
}

func TestPurgeQueue_CanBeRepeatedAfterAMinute(t *testing.T) {
	p := newService(nil)
	url := p.queue(t, "a", nil)
	p.must(t, "PurgeQueue", fields{"QueueUrl": url})
	p.sleep(time.Minute)
	id := p.send(t, url, "x")
	p.must(t, "PurgeQueue", fields{"QueueUrl": url})
	assert.Equal(t, 0, p.Visible(url))
	assert.False(t, p.Duplicate(url, id), "a purged message cannot be duplicated")
}

func TestReceive_MessageExpiresAfterTheRetentionPeriod(t *testing.T) {
	p := newService(nil)
	url := p.queue(t, "a", fields{"MessageRetentionPeriod": "3600"})
	p.send(t, url, "x")
	p.sleep(time.Hour - time.Second)
	require.Len(t, p.receive(t, url, 1, 0), 1)
	p.sleep(time.Second)
	assert.Empty(t, p.receive(t, url, 1, 0))
}

func TestDeadLetter_RetentionIsCountedFromTheFirstSend(t *testing.T) {
	p := newService(nil)
	url, deadLetters := p.step(t, 1)
	p.send(t, url, "x")
	p.sleep(3 * 24 * time.Hour)
	p.receive(t, url, 1, 0)
	p.receive(t, url, 1, 0)
	require.Equal(t, 1, p.Visible(deadLetters))
	p.sleep(11*24*time.Hour - time.Second)
	require.Equal(t, 1, p.Visible(deadLetters))
	p.sleep(time.Second)
	assert.Equal(t, 0, p.Visible(deadLetters))
}

func TestChangeVisibility_TwelveHoursInTotalIsTheLimit(t *testing.T) {
	p := newService(nil)
	url := p.queue(t, "a", nil)
	p.send(t, url, "x")
	m := p.receive(t, url, 1, 7200)[0]
	p.sleep(time.Hour)
	change := fields{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": 11*3600 + 1}
	assert.Equal(t, "InvalidParameterValueException", p.refused(t, "ChangeMessageVisibility", change))
	change["VisibilityTimeout"] = 11 * 3600
	p.must(t, "ChangeMessageVisibility", change)
}

func TestChangeVisibility_LateOrForeignReceiptIsRefused(t *testing.T) {
	p := newService(nil)
	url := p.queue(t, "a", nil)
	p.send(t, url, "x")
	m := p.receive(t, url, 1, 10)[0]
	p.sleep(10 * time.Second)
	change := fields{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": 60}
	assert.Equal(t, "MessageNotInflight", p.refused(t, "ChangeMessageVisibility", change))
	other := p.queue(t, "b", nil)
	change["QueueUrl"] = other
	assert.Equal(t, "ReceiptHandleIsInvalid", p.refused(t, "ChangeMessageVisibility", change),
		"a receipt handle is valid for its own queue only")
}

func TestNext_IsWhenAMessageBecomesVisible(t *testing.T) {
	p := newService(nil)
	url, deadLetters := p.step(t, 1)
	_, ok := p.Next(url)
	assert.False(t, ok, "an empty queue")
	_, ok = p.Next(url + "-away")
	assert.False(t, ok, "unknown queue")
	p.must(t, "SendMessage", fields{"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 10})
	at, ok := p.Next(url)
	require.True(t, ok)
	assert.Equal(t, noon.Add(10*time.Second), at)
	p.sleep(10*time.Second - 1)
	assert.Equal(t, 0, p.Visible(url))
	p.sleep(1)
	assert.Equal(t, 1, p.Visible(url), "to the nanosecond")
	_, ok = p.Next(url)
	assert.False(t, ok, "the message is already visible")

	p.must(t, "SendMessage", fields{"QueueUrl": url, "MessageBody": "much later", "DelaySeconds": 900})
	p.receive(t, url, 1, 5)
	at, _ = p.Next(url)
	assert.Equal(t, noon.Add(15*time.Second), at, "the earlier of the two")
	p.sleep(5 * time.Second)
	assert.Equal(t, 1, p.Visible(url), "it counts until a receive moves it to the dead-letter queue")
	assert.Empty(t, p.receive(t, url, 1, 5))
	assert.Equal(t, 0, p.Visible(url))
	assert.Equal(t, 1, p.Visible(deadLetters))
}

func TestDuplicate_WorksForPresentAndRecentlyDeletedMessages(t *testing.T) {
	p := newService(nil)
	url := p.queue(t, "a", nil)
	id := p.send(t, url, "x")
	require.True(t, p.Duplicate(url, id), "a visible message")
	got := p.receive(t, url, 10, 60)
	require.Len(t, got, 2)
	assert.Equal(t, []string{id, id}, []string{got[0].MessageId, got[1].MessageId})
	assert.NotEqual(t, got[0].ReceiptHandle, got[1].ReceiptHandle)

	require.True(t, p.Duplicate(url, id), "a message in flight")
	p.must(t, "DeleteMessage", fields{"QueueUrl": url, "ReceiptHandle": got[0].ReceiptHandle})
	p.must(t, "DeleteMessage", fields{"QueueUrl": url, "ReceiptHandle": got[1].ReceiptHandle})
	again := p.receive(t, url, 10, 60)
	require.Len(t, again, 1, "the copy is a message of its own")
	assert.Equal(t, "1", again[0].Attributes["ApproximateReceiveCount"])
	p.must(t, "DeleteMessage", fields{"QueueUrl": url, "ReceiptHandle": again[0].ReceiptHandle})

	p.sleep(5 * time.Minute)
	require.True(t, p.Duplicate(url, id), "a deleted message")
	last := p.receive(t, url, 10, 60)
	require.Len(t, last, 1)
	p.must(t, "DeleteMessage", fields{"QueueUrl": url, "ReceiptHandle": last[0].ReceiptHandle})
	p.sleep(5*time.Minute + 1)
	assert.False(t, p.Duplicate(url, id), "a message deleted more than five minutes ago")
	assert.False(t, p.Duplicate(url, "another"))
	assert.False(t, p.Duplicate(url+"-away", id))
}

func TestReceive_OrderFollowsPick(t *testing.T) {
	p := newService(func(n int) int { return n - 1 })
	url := p.queue(t, "a", nil)
	for i := range 5 {
		p.send(t, url, strconv.Itoa(i))
	}
	order := ""
	for _, m := range append(p.receive(t, url, 3, 60), p.receive(t, url, 3, 60)...) {
		order += m.Body
	}
	assert.Equal(t, "43210", order)
}

func TestMoveTask_MovesOnlyVisibleMessagesOfKnownSource(t *testing.T) {
	p := newService(nil)
	url, deadLetters := p.step(t, 1)
	for _, body := range []string{"a", "b", "c"} {
		p.send(t, url, body)
	}
	p.receive(t, url, 10, 0)
	p.receive(t, url, 10, 0)
	require.Equal(t, 3, p.Visible(deadLetters))
	taken := p.receive(t, deadLetters, 1, 60)
	p.send(t, deadLetters, "sent directly")
	arn := "arn:aws:sqs:us-east-1:000000000000:step-dlq"
	assert.Equal(t, "InvalidParameterValueException",
		p.refused(t, "StartMessageMoveTask", fields{"SourceArn": arn, "DestinationArn": arn}))
	assert.Equal(t, "ResourceNotFoundException",
		p.refused(t, "StartMessageMoveTask", fields{"SourceArn": arn, "DestinationArn": arn + "-away"}))
	assert.Equal(t, "ResourceNotFoundException",
		p.refused(t, "ListMessageMoveTasks", fields{"SourceArn": arn + "-away"}))

	p.must(t, "StartMessageMoveTask", fields{"SourceArn": arn})
	back := p.receive(t, url, 10, 60)
	require.Len(t, back, 2)
	assert.Equal(t, "b c", back[0].Body+" "+back[1].Body, "the oldest first")
	visible, inFlight, _ := p.Counts(deadLetters)
	assert.Equal(t, []int{1, 1}, []int{visible, inFlight}, "the message without a source, and the one in flight: %v",
		taken)
}

func TestUse_RequestsAreBilledByPayload(t *testing.T) {
	p := newService(nil)
	url := p.queue(t, "a", nil)
	use := func(operation string, in fields) wire.Use {
		in["QueueUrl"] = url
		_, used, err := p.ask(t, operation, in)
		require.NoError(t, err)
		require.Len(t, used, 1)
		assert.Equal(t, "a", used[0].Resource)
		return used[0]
	}
	body := func(n int) string { return strings.Repeat("x", n) }
	assert.Equal(t, wire.Use{Resource: "a", Requests: 1, Items: 1, Bytes: 64 << 10},
		use("SendMessage", fields{"MessageBody": body(64 << 10)}))
	assert.Equal(t, wire.Use{Resource: "a", Requests: 2, Items: 1, Bytes: 64<<10 + 1},
		use("SendMessage", fields{"MessageBody": body(64<<10 + 1)}))
	assert.Equal(t, wire.Use{Resource: "a", Requests: 16, Items: 2, Bytes: 1 << 20},
		use("SendMessageBatch", fields{"Entries": []fields{
			{"Id": "a", "MessageBody": body(1 << 19)}, {"Id": "b", "MessageBody": body(1 << 19)},
		}}))
	assert.Equal(t, wire.Use{Resource: "a", Requests: 3, Items: 2, Bytes: 128<<10 + 1},
		use("ReceiveMessage", fields{"MaxNumberOfMessages": 2}))
	p.receive(t, url, 10, 60)
	assert.Equal(t, wire.Use{Resource: "a", Requests: 1}, use("ReceiveMessage", fields{}),
		"an empty receive is billed as one request")
	assert.Equal(t, wire.Use{Resource: "a", Requests: 1}, use("GetQueueAttributes", fields{}))
}

// Under any sequence of operations, a queue loses no message. It delivers no message in flight, and
// none more often than maxReceiveCount. Two queues with the same calls give the same bytes.
func TestService_LosesNoMessageAndIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, receives := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 4).Draw(t, "receives")
		first, second := picking(seed), picking(seed)
		url, deadLetters := first.step(t, receives)
		second.step(t, receives)
		both := func(operation string, in fields) []byte {
			answer, used, err := first.ask(t, operation, in)
			again, usedAgain, errAgain := second.ask(t, operation, in)
			require.Equal(t, string(answer), string(again))
			require.Equal(t, used, usedAgain)
			require.Equal(t, err, errAgain)
			return answer
		}
		total := func() int {
			n := 0
			for _, u := range first.URLs() {
				visible, inFlight, delayed := first.Counts(u)
				n += visible + inFlight + delayed
			}
			return n
		}
		var receipts []shown
		hidden := map[string]time.Time{} // by receipt handle
		copied, ids := map[string]bool{}, []string{}
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				before := total()
				var out struct{ MessageId string }
				require.NoError(t,
					json.Unmarshal(
						both("SendMessage",
							fields{"QueueUrl": url, "MessageBody": "x",
								"DelaySeconds": rapid.SampledFrom([]int{0, 5}).Draw(t, "delay")}), &out))
				ids = append(ids, out.MessageId)
				require.Equal(t, before+1, total())
			},
			"duplicate": func(t *rapid.T) {
				if len(ids) == 0 {
					t.Skip("nothing was sent")
				}
				before, id := total(), rapid.SampledFrom(ids).Draw(t, "id")
				there := first.Duplicate(url, id)
				require.Equal(t, there, second.Duplicate(url, id))
				if there {
					before, copied[id] = before+1, true
				}
				require.Equal(t, before, total())
			},
			"receive": func(t *rapid.T) {
				before, seconds := total(), rapid.IntRange(0, 20).Draw(t, "seconds")
				var out struct{ Messages []shown }
				answer := both("ReceiveMessage",
					fields{"QueueUrl": url, "MaxNumberOfMessages": rapid.IntRange(1, 10).Draw(t, "n"),
						"VisibilityTimeout": seconds, "AttributeNames": []string{"All"}})
				require.NoError(t, json.Unmarshal(answer, &out))
				require.Equal(t, before, total(), "a message that moved to the dead-letter queue counts")
				for _, m := range out.Messages {
					count, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
					require.NoError(t, err)
					require.LessOrEqual(t, count, receives)
					for _, earlier := range receipts {
						require.NotEqual(t, earlier.ReceiptHandle, m.ReceiptHandle)
						if earlier.MessageId == m.MessageId && !copied[m.MessageId] {
							require.False(t, hidden[earlier.ReceiptHandle].After(first.now), "received while hidden")
						}
					}
					hidden[m.ReceiptHandle] = first.now.Add(time.Duration(seconds) * time.Second)
				}
				receipts = append(receipts, out.Messages...)
			},
			"delete": func(t *rapid.T) {
				if len(receipts) == 0 {
					t.Skip("nothing was received")
				}
				before := total()
				both("DeleteMessage",
					fields{"QueueUrl": url,
						"ReceiptHandle": rapid.SampledFrom(receipts).Draw(t, "receipt").ReceiptHandle})
				require.GreaterOrEqual(t, total(), before-1)
			},
			"show": func(t *rapid.T) {
				if len(receipts) == 0 {
					t.Skip("nothing was received")
				}
				before, m := total(), rapid.SampledFrom(receipts).Draw(t, "receipt")
				both("ChangeMessageVisibility",
					fields{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": 0})
				for _, earlier := range receipts {
					if earlier.MessageId == m.MessageId {
						hidden[earlier.ReceiptHandle] = first.now
					}
				}
				require.Equal(t, before, total())
			},
			"wait": func(t *rapid.T) {
				before, wait := total(), time.Duration(rapid.IntRange(1, 8000).Draw(t, "ms"))*time.Millisecond
				first.sleep(wait)
				second.sleep(wait)
				require.Equal(t, before, total())
			},
			"wait for the next": func(t *rapid.T) {
				at, ok := first.Next(url)
				if !ok {
					t.Skip("nothing is hidden")
				}
				visible := first.Visible(url)
				first.sleep(at.Sub(first.now))
				second.sleep(at.Sub(second.now))
				require.Greater(t, first.Visible(url), visible)
			},
			"": func(t *rapid.T) {
				require.Equal(t, first.Digest(), second.Digest())
				_, inFlight, delayed := first.Counts(deadLetters)
				require.Zero(t, inFlight+delayed, "the dead-letter queue has no receives")
			},
		})
	})
}

// picking returns a service that picks messages at random, from a seed.
func picking(seed uint64) *service {
	dice := rand.New(rand.NewPCG(seed, 0))
	return newService(dice.IntN)
}

func TestDigest_EveryChangeOfStateChangesIt(t *testing.T) {
	p := newService(nil)
	met := map[[32]byte]string{}
	fresh := func(after string) {
		t.Helper()
		d := p.Digest()
		assert.NotContains(t, met, d, "after %s as after %s", after, met[d])
		met[d] = after
		assert.Equal(t, d, p.Digest(), "Digest changes nothing")
	}
	fresh("nothing")
	url := p.queue(t, "a", nil)
	fresh("a queue")
	p.send(t, url, "x")
	fresh("a message")
	m := p.receive(t, url, 1, 30)[0]
	fresh("a receive")
	p.must(t, "ChangeMessageVisibility",
		fields{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": 60})
	fresh("a change")
	p.must(t, "SetQueueAttributes", fields{"QueueUrl": url, "Attributes": fields{"DelaySeconds": "1"}})
	fresh("an attribute")
	p.must(t, "DeleteMessage", fields{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle})
	fresh("a deletion")
	p.must(t, "DeleteQueue", fields{"QueueUrl": url})
	fresh("the end")
}
