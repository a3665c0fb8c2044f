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

// batchDouble is a double of SQS for batches. It accepts every entry except those for which refuse
// returns true; call counts from 1 per body.
type batchDouble struct {
	refuse   func(body string, call int) bool
	away     string // a queue that does not exist
	calls    [][]string
	accepted map[string][]string // by queue
	badID    bool
	attempt  map[string]int
}

func newBatchDouble() *batchDouble {
	return &batchDouble{refuse: func(string, int) bool { return false }, accepted: map[string][]string{},
		attempt: map[string]int{}}
}

func (p *batchDouble) Do(r *http.Request) (*http.Response, error) {
	var request struct {
		QueueUrl string
		Entries  []struct{ Id, MessageBody string }
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
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
	for _, e := range request.Entries {
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
		answer.Successful = append(answer.Successful,
			result{Id: e.Id, MessageId: "m", MD5OfMessageBody: hex.EncodeToString(sum[:])})
		p.accepted[request.QueueUrl] = append(p.accepted[request.QueueUrl], e.MessageBody)
	}
	p.calls = append(p.calls, bodies)
	status, document := http.StatusOK, any(answer)
	if p.away != "" && strings.HasSuffix(request.QueueUrl, p.away) {
		status, document = http.StatusBadRequest, map[string]string{"__type": "com.amazonaws.sqs#QueueDoesNotExist"}
	}
	body, err := json.Marshal(document)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(body)))}, err
}

func (p *batchDouble) sender() queue.Sender {
	return queue.Sender{Prefix: "http://sqs.invalid/1/shop-", SQS: sqs.New(sqs.Options{
		Region: "eu-central-1", HTTPClient: p, BaseEndpoint: aws.String("http://sqs.invalid"),
		Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
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

func TestSendTo_SendsOnlyFailedEntriesAgain(t *testing.T) {
	p := newBatchDouble()
	p.refuse = func(body string, call int) bool {
		return body == "body-1" && call <= 2 || body == "body-3" && call == 1
	}
	require.NoError(t, p.sender().SendTo(t.Context(), url, bodies(5)))
	assert.Equal(t, [][]string{bodies(5), {"body-1", "body-3"}, {"body-1"}}, p.calls)
	assert.ElementsMatch(t, bodies(5), p.accepted[url], "each body once")
}

func TestSendTo_ReturnsAnErrorForEntriesThatKeepFailing(t *testing.T) {
	p := newBatchDouble()
	p.refuse = func(body string, _ int) bool { return body == "body-1" }
	err := p.sender().SendTo(t.Context(), url, bodies(12))
	assert.ErrorContains(t, err, "shop-reserve-stock")
	assert.ErrorContains(t, err, "InternalError")
	assert.ErrorContains(t, err, "(1 of 10 messages)")
	assert.Len(t, p.accepted[url], 11, "all other entries of both batches")
}

func TestSendTo_RefusesAnAnswerAboutAnUnknownEntry(t *testing.T) {
	p := newBatchDouble()
	p.badID = true
	p.refuse = func(string, int) bool { return true }
	assert.ErrorContains(t, p.sender().SendTo(t.Context(), url, bodies(1)), "unknown entry")
}

func TestSend_SendsToOtherQueuesAfterOneFails(t *testing.T) {
	p := newBatchDouble()
	p.away = "authorize-payment"
	about := func(to saga.Step) saga.Message { return saga.Message{To: to, Event: saga.Event{ID: "e"}} }
	err := p.sender().Send(t.Context(), about(saga.ReserveStock), about(saga.AuthorizePayment),
		about(saga.AdvanceOrder), about(saga.AdvanceOrder))
	assert.ErrorContains(t, err, "authorize-payment")
	assert.NotContains(t, err.Error(), "reserve-stock")
	assert.Len(t, p.accepted["http://sqs.invalid/1/shop-reserve-stock"], 1)
	assert.Len(t, p.accepted["http://sqs.invalid/1/shop-advance-order"], 2)
	assert.Len(t, p.calls, 3, "one call per queue")
}

func TestSend_CallsNothingWithoutMessages(t *testing.T) {
	p := newBatchDouble()
	require.NoError(t, p.sender().Send(t.Context()))
	assert.Empty(t, p.calls)
}

func TestSendTo_KeepsBatchesWithinTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{1, 1, 1, 1, 100, 100_000, 500_000, 1 << 20}), 0, 25).Draw(t,
			"sizes")
		var sent []string
		for i, size := range sizes {
			body := fmt.Sprintf("%d-", i)
			sent = append(sent, body+strings.Repeat("x", max(0, size-len(body))))
		}
		p := newBatchDouble()
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
		if strings.Join(p.accepted[url], "") != strings.Join(sent, "") {
			t.Fatal("not every message was accepted once")
		}
	})
}

func TestRetryDelay_GrowsUpToFiveMinutes(t *testing.T) {
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

func TestURL_FollowsTheARN(t *testing.T) {
	for name, c := range map[string]struct{ arn, endpoint, url string }{
		"on AWS": {"arn:aws:sqs:eu-central-1:123456789012:shop-q", "",
			"https://sqs.eu-central-1.amazonaws.com/123456789012/shop-q"},
		"in China": {"arn:aws-cn:sqs:cn-north-1:123456789012:shop-q", "",
			"https://sqs.cn-north-1.amazonaws.com.cn/123456789012/shop-q"},
		"on a local cloud": {"arn:aws:sqs:us-east-1:000000000000:shop-q", "http://127.0.0.1:4566/",
			"http://127.0.0.1:4566/000000000000/shop-q"},
		"not the ARN of a queue": {"arn:aws:sns:us-east-1:000000000000:shop-q", "", ""},
		"not an ARN":             {"shop-q", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := queue.URL(c.arn, c.endpoint)
			assert.Equal(t, c.url, got)
			assert.Equal(t, c.url == "", err != nil)
		})
	}
}

// delayDouble is a double of SQS for single messages. It records their delay.
type delayDouble struct {
	seconds int
	status  int
}

func (l *delayDouble) Do(r *http.Request) (*http.Response, error) {
	var request struct {
		MessageBody  string
		DelaySeconds int
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return nil, err
	}
	l.seconds = request.DelaySeconds
	sum := md5.Sum([]byte(request.MessageBody))
	body := `{"MessageId": "m1", "MD5OfMessageBody": "` + hex.EncodeToString(sum[:]) + `"}`
	return &http.Response{StatusCode: l.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestSendLater_DelaysInWholeSecondsUpTo15Minutes(t *testing.T) {
	l := &delayDouble{status: 200}
	s := queue.Sender{SQS: sqs.New(
		sqs.Options{Region: "eu-central-1", HTTPClient: l, RetryMaxAttempts: 1,
			Credentials: aws.AnonymousCredentials{}})}
	for d, seconds := range map[time.Duration]int{
		-time.Second: 0, 0: 0, time.Millisecond: 1, 5 * time.Second: 5, 5001 * time.Millisecond: 6,
		24 * time.Hour: 900,
	} {
		require.NoError(t, s.SendLater(t.Context(), "https://sqs.example/1/backroom-x", "body", d))
		assert.Equal(t, seconds, l.seconds, d)
	}
	l.status = 400
	assert.ErrorContains(t, s.SendLater(t.Context(), "https://sqs.example/1/backroom-x", "body", 0), "backroom-x")
}
