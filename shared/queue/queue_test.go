package queue_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/shared/queue"
	"backroom/shared/saga"
)

// post is a double of SQS. It takes every batch; refuse names the bodies that it does not take, by how often it was asked.
type post struct {
	refuse  func(body string, call int) bool
	away    string // a queue that does not exist
	calls   [][]string
	taken   map[string][]string // by queue
	badID   bool
	attempt map[string]int
}

func newPost() *post {
	return &post{refuse: func(string, int) bool { return false }, taken: map[string][]string{}, attempt: map[string]int{}}
}

func (p *post) Do(r *http.Request) (*http.Response, error) {
	var asked struct {
		QueueUrl string
		Entries  []struct{ Id, MessageBody string }
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	type result struct {
		Id               string
		MessageId        string `json:",omitempty"`
		MD5OfMessageBody string `json:",omitempty"`
		Code             string `json:",omitempty"`
		SenderFault      bool
	}
	answer := struct{ Successful, Failed []result }{[]result{}, []result{}}
	var bodies []string
	for _, e := range asked.Entries {
		bodies = append(bodies, e.MessageBody)
		p.attempt[e.MessageBody]++
		if p.refuse(e.MessageBody, p.attempt[e.MessageBody]) {
			if p.badID {
				e.Id = "whose?"
			}
			answer.Failed = append(answer.Failed, result{Id: e.Id, Code: "InternalError"})
			continue
		}
		sum := md5.Sum([]byte(e.MessageBody))
		answer.Successful = append(answer.Successful, result{Id: e.Id, MessageId: "m", MD5OfMessageBody: hex.EncodeToString(sum[:])})
		p.taken[asked.QueueUrl] = append(p.taken[asked.QueueUrl], e.MessageBody)
	}
	p.calls = append(p.calls, bodies)
	status, document := http.StatusOK, any(answer)
	if p.away != "" && strings.HasSuffix(asked.QueueUrl, p.away) {
		status, document = http.StatusBadRequest, map[string]string{"__type": "com.amazonaws.sqs#QueueDoesNotExist"}
	}
	body, err := json.Marshal(document)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(string(body)))}, err
}

func (p *post) sender() queue.Sender {
	return queue.Sender{Prefix: "http://sqs.invalid/1/shop-", SQS: sqs.New(sqs.Options{
		Region: "eu-central-1", HTTPClient: p, BaseEndpoint: aws.String("http://sqs.invalid"), Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
	})}
}

const url = "http://sqs.invalid/1/shop-reserve-stock"

func bodies(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("body-%d", i)
	}
	return list
}

func TestOnlyWhatFailedIsSentAgain(t *testing.T) {
	p := newPost()
	p.refuse = func(body string, call int) bool {
		return body == "body-1" && call <= 2 || body == "body-3" && call == 1
	}
	require.NoError(t, p.sender().SendTo(t.Context(), url, bodies(5)))
	assert.Equal(t, [][]string{bodies(5), {"body-1", "body-3"}, {"body-1"}}, p.calls)
	assert.ElementsMatch(t, bodies(5), p.taken[url], "each once")
}

func TestWhatKeepsFailingIsAnError(t *testing.T) {
	p := newPost()
	p.refuse = func(body string, _ int) bool { return body == "body-1" }
	err := p.sender().SendTo(t.Context(), url, bodies(12))
	assert.ErrorContains(t, err, "shop-reserve-stock")
	assert.ErrorContains(t, err, "InternalError")
	assert.ErrorContains(t, err, "(1 of 10 messages)")
	assert.Len(t, p.taken[url], 11, "the others of its batch, and the next batch")
}

func TestAnAnswerAboutAnUnknownEntryIsAnError(t *testing.T) {
	p := newPost()
	p.badID = true
	p.refuse = func(string, int) bool { return true }
	assert.ErrorContains(t, p.sender().SendTo(t.Context(), url, bodies(1)), "unknown entry")
}

func TestAQueueThatFailsKeepsNoOthersLettersBack(t *testing.T) {
	p := newPost()
	p.away = "authorize-payment"
	about := func(to saga.Step) saga.Message { return saga.Message{To: to, Event: saga.Event{ID: "e"}} }
	err := p.sender().Send(t.Context(), about(saga.ReserveStock), about(saga.AuthorizePayment), about(saga.AdvanceOrder), about(saga.AdvanceOrder))
	assert.ErrorContains(t, err, "authorize-payment")
	assert.NotContains(t, err.Error(), "reserve-stock")
	assert.Len(t, p.taken["http://sqs.invalid/1/shop-reserve-stock"], 1)
	assert.Len(t, p.taken["http://sqs.invalid/1/shop-advance-order"], 2)
	assert.Len(t, p.calls, 3, "one call per queue")
}

func TestNothingToSendIsNoCall(t *testing.T) {
	p := newPost()
	require.NoError(t, p.sender().Send(t.Context()))
	assert.Empty(t, p.calls)
}

func TestABatchIsNeverTooLarge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{1, 1, 1, 1, 100, 100_000, 500_000, 1 << 20}), 0, 25).Draw(t, "sizes")
		var sent []string
		for i, size := range sizes {
			body := fmt.Sprintf("%d-", i)
			sent = append(sent, body+strings.Repeat("x", max(0, size-len(body))))
		}
		p := newPost()
		if err := p.sender().SendTo(t.Context(), url, sent); err != nil {
			t.Fatal(err)
		}
		for _, call := range p.calls {
			total := 0
			for _, body := range call {
				total += len(body)
			}
			if len(call) > 10 || total > 1<<20 {
				t.Fatalf("a batch of %d messages and %d bytes", len(call), total)
			}
		}
		if strings.Join(p.taken[url], "") != strings.Join(sent, "") {
			t.Fatal("not every message was taken once")
		}
	})
}

func TestPatienceGrowsAndEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		receives := rapid.IntRange(-1, 1000).Draw(t, "receives")
		longest := 5 * time.Minute
		if receives < 8 {
			longest = time.Second << max(1, receives)
		}
		if got := queue.RetryDelay(context.Background(), receives); got < time.Second || got > longest {
			t.Fatalf("the message waits %s after %d receives, not between 1s and %s", got, receives, longest)
		}
	})
}

func TestWhereAQueueIs(t *testing.T) {
	for name, c := range map[string]struct{ arn, endpoint, url string }{
		"on AWS":            {"arn:aws:sqs:eu-central-1:123456789012:shop-q", "", "https://sqs.eu-central-1.amazonaws.com/123456789012/shop-q"},
		"in China":          {"arn:aws-cn:sqs:cn-north-1:123456789012:shop-q", "", "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/shop-q"},
		"on a local cloud":  {"arn:aws:sqs:us-east-1:000000000000:shop-q", "http://127.0.0.1:4566/", "http://127.0.0.1:4566/000000000000/shop-q"},
		"nowhere: no queue": {"arn:aws:sns:us-east-1:000000000000:shop-q", "", ""},
		"nowhere: no ARN":   {"shop-q", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := queue.URL(c.arn, c.endpoint)
			assert.Equal(t, c.url, got)
			assert.Equal(t, c.url == "", err != nil)
		})
	}
}

// later is a double of SQS that takes single messages and remembers for how long they are kept back.
type later struct {
	seconds int
	status  int
}

func (l *later) Do(r *http.Request) (*http.Response, error) {
	var asked struct {
		MessageBody  string
		DelaySeconds int
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	l.seconds = asked.DelaySeconds
	sum := md5.Sum([]byte(asked.MessageBody))
	body := `{"MessageId": "m1", "MD5OfMessageBody": "` + hex.EncodeToString(sum[:]) + `"}`
	return &http.Response{StatusCode: l.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestAMessageIsKeptBackInWholeSecondsUpToAQuarterOfAnHour(t *testing.T) {
	l := &later{status: 200}
	s := queue.Sender{SQS: sqs.New(sqs.Options{Region: "eu-central-1", HTTPClient: l, RetryMaxAttempts: 1, Credentials: aws.AnonymousCredentials{}})}
	for d, seconds := range map[time.Duration]int{-time.Second: 0, 0: 0, time.Millisecond: 1, 5 * time.Second: 5, 5001 * time.Millisecond: 6, 24 * time.Hour: 900} {
		require.NoError(t, s.SendLater(t.Context(), "https://sqs.example/1/backroom-x", "body", d))
		assert.Equal(t, seconds, l.seconds, d)
	}
	l.status = 400
	assert.ErrorContains(t, s.SendLater(t.Context(), "https://sqs.example/1/backroom-x", "body", 0), "backroom-x")
}
