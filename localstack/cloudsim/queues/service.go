// Package queues simulates Amazon SQS: standard queues behind the JSON protocol of the AWS SDK. The
// caller supplies the clock and the source of chance, and ids come from counters: the same calls at
// the same times get the same bytes.
//
// It keeps the guarantees of SQS that this system relies on: delivery at least once and in any
// order, no delivery of a message in flight, at most maxReceiveCount receives. The suite queuestest
// checks them, here and on the local clouds. FIFO queues are not simulated.
package queues

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"backroom/localstack/cloudsim/wire"
)

// Settings are the account, region, endpoint, clock and source of chance of a Service.
type Settings struct {
	Region, Account string
	Endpoint        string // what queue URLs begin with; empty: https://sqs.<region>.amazonaws.com
	Now             func() time.Time
	Pick            func(n int) int // which of n visible messages is received next; nil: the oldest
}

// Service is SQS in one region of one account. It is not safe for concurrent use.
type Service struct {
	settings Settings
	queues   map[string]*queue    // by name
	numbers  map[string]int       // how many messages each queue ever had, by name; message ids derive from it
	dropped  map[string]time.Time // when a queue was deleted, by name
	moves    []move               // the move tasks, oldest first
}

// New returns a Service without queues.
func New(s Settings) *Service {
	s.Endpoint = cmp.Or(strings.TrimSuffix(s.Endpoint, "/"), "https://sqs."+s.Region+".amazonaws.com")
	if s.Pick == nil {
		s.Pick = func(int) int { return 0 }
	}
	return &Service{settings: s, queues: map[string]*queue{}, numbers: map[string]int{},
		dropped: map[string]time.Time{}}
}

// load is what a request used of a queue.
type load struct {
	queue        string
	items, bytes int
}

// chunk is the payload that is billed as one request, in bytes.
const chunk = 64 << 10

// use returns the load as AWS bills it: one request for every 64 KiB or part of it, at least one.
func (l load) use() wire.Use {
	chunks := max(1, (l.bytes+chunk-1)/chunk)
	return wire.Use{Resource: l.queue, Requests: float64(chunks), Items: l.items, Bytes: l.bytes}
}

// operations are the operations by their name in X-Amz-Target, after "AmazonSQS.".
var operations = map[string]func(*Service, []byte) (any, load, error){
	"CreateQueue":                  decoded((*Service).createQueue),
	"GetQueueUrl":                  decoded((*Service).getQueueURL),
	"GetQueueAttributes":           decoded((*Service).getQueueAttributes),
	"SetQueueAttributes":           decoded((*Service).setQueueAttributes),
	"ListQueues":                   decoded((*Service).listQueues),
	"ListDeadLetterSourceQueues":   decoded((*Service).listDeadLetterSourceQueues),
	"DeleteQueue":                  decoded((*Service).deleteQueue),
	"PurgeQueue":                   decoded((*Service).purgeQueue),
	"TagQueue":                     decoded((*Service).tagQueue),
	"SendMessage":                  decoded((*Service).sendMessage),
	"SendMessageBatch":             decoded((*Service).sendMessageBatch),
	"ReceiveMessage":               decoded((*Service).receiveMessage),
	"DeleteMessage":                decoded((*Service).deleteMessage),
	"DeleteMessageBatch":           decoded((*Service).deleteMessageBatch),
	"ChangeMessageVisibility":      decoded((*Service).changeMessageVisibility),
	"ChangeMessageVisibilityBatch": decoded((*Service).changeMessageVisibilityBatch),
	"StartMessageMoveTask":         decoded((*Service).startMessageMoveTask),
	"ListMessageMoveTasks":         decoded((*Service).listMessageMoveTasks),
}

// decoded returns an operation that decodes its input from JSON.
func decoded[In any](do func(*Service, In) (any, load, error)) func(*Service, []byte) (any, load, error) {
	return func(s *Service, body []byte) (any, load, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, load{}, wire.Refuse("com.amazon.coral.service#SerializationException", err.Error())
		}
		return do(s, in)
	}
}

// Do carries out a request and returns what it used. Every error is a *wire.Error: nothing changed
// and nothing was used.
func (s *Service) Do(operation string, body []byte) (answer []byte, used []wire.Use, err error) {
	do, ok := operations[operation]
	if !ok {
		return nil, nil,
			wire.Refuse("com.amazon.coral.service#UnknownOperationException", "cloudsim does not know AmazonSQS."+
				operation)
	}
	out, l, err := do(s, body)
	if err != nil {
		return nil, nil, err
	}
	answer, err = json.Marshal(out)
	if err != nil {
		panic(err) // answers hold only values that JSON has
	}
	if l.queue == "" {
		return answer, nil, nil // not about a single queue
	}
	return answer, []wire.Use{l.use()}, nil
}

// Visible returns how many messages of a queue are visible. Messages that the next receive will
// move to the dead-letter queue count too.
func (s *Service) Visible(url string) int {
	visible, _, _ := s.Counts(url)
	return visible
}

// Next returns when the next hidden or delayed message of a queue becomes visible. It returns false
// if no message is hidden or delayed.
func (s *Service) Next(url string) (time.Time, bool) {
	q, err := s.queue(url)
	if err != nil {
		return time.Time{}, false
	}
	return q.next(s.settings.Now())
}

// Duplicate adds a second copy of a message to its queue, as SQS may deliver a message twice. The
// message is in the queue, in flight or not, or was deleted within the last five minutes. The copy
// is visible at once, has the same MessageId and no receives. It returns false if the queue does
// not have the message.
func (s *Service) Duplicate(url, messageID string) bool {
	q, err := s.queue(url)
	if err != nil {
		return false
	}
	now := s.settings.Now()
	q.forget(now)
	m, ok := q.find(messageID)
	if ok = ok && now.Sub(m.Sent) < time.Duration(q.Retention)*time.Second; ok {
		m.Shown, m.Taken, m.First, m.Receives = now, time.Time{}, time.Time{}, 0
		q.put(m, s.number(q))
	}
	return ok
}

// Counts returns how many messages of a queue are visible, in flight, and delayed.
func (s *Service) Counts(url string) (visible, inFlight, delayed int) {
	q, err := s.queue(url)
	if err != nil {
		return 0, 0, 0
	}
	return q.count(s.settings.Now())
}

// URLs returns the URLs of all queues, sorted.
func (s *Service) URLs() []string {
	urls := []string{}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		urls = append(urls, s.url(name))
	}
	return urls
}

// Digest returns a hash of all queues with their messages. Two Services in equal states have equal
// digests.
func (s *Service) Digest() [32]byte {
	now := s.settings.Now()
	for _, q := range s.queues {
		q.forget(now)
	}
	document,
		err := json.Marshal(
		map[string]any{"queues": s.queues, "numbers": s.numbers, "dropped": s.dropped, "moves": s.moves})
	if err != nil {
		panic(err) // answers hold only values that JSON has
	}
	return sha256.Sum256(document)
}

// queue returns the queue with a URL, or an error if the URL is invalid or the queue unknown.
func (s *Service) queue(url string) (*queue, error) {
	parts := strings.Split(strings.TrimSuffix(url, "/"), "/")
	if len(parts) < 2 {
		return nil, refuse("InvalidAddress", "The address "+url+" is not valid for this endpoint.")
	}
	account, name := parts[len(parts)-2], parts[len(parts)-1]
	q, ok := s.queues[name]
	if !ok || account != s.settings.Account {
		return nil, errNoQueue
	}
	return q, nil
}

// named returns the queue with an ARN.
func (s *Service) named(arn string) (*queue, bool) {
	q, ok := s.queues[arn[strings.LastIndex(arn, ":")+1:]]
	return q, ok && q.ARN == arn
}

func (s *Service) url(name string) string {
	return s.settings.Endpoint + "/" + s.settings.Account + "/" + name
}

func (s *Service) arn(name string) string {
	return "arn:aws:sqs:" + s.settings.Region + ":" + s.settings.Account + ":" + name
}

// number returns the number of a queue's next message. A queue that is created again continues the
// numbers.
func (s *Service) number(q *queue) int {
	s.numbers[q.Name]++
	return s.numbers[q.Name]
}

// QueryError returns the header X-Amzn-Query-Error for an error: its code in SQS's older query
// protocol. The SDK uses that code as the ErrorCode. It is empty for an error that does not come
// from SQS.
func QueryError(err error) string {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return ""
	}
	return code(e) + ";Sender"
}
