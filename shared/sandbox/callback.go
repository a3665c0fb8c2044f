package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/queue"
)

// Task is a delayed task of the sandbox: it sends an event to an endpoint, or stores a change of an
// intent that is due.
type Task struct {
	Endpoint string          `json:"endpoint,omitempty"`
	Event    json.RawMessage `json:"event,omitempty"`
	Intent   string          `json:"intent,omitempty"`
}

// Tasks keeps tasks until they are due. A task may run more than once.
type Tasks interface {
	Add(ctx context.Context, t Task, in time.Duration) error
}

// Queue keeps tasks in an SQS queue.
type Queue struct {
	Sender queue.Sender
	URL    string
}

// Add keeps a task. SQS delays by a quarter of an hour at most, so a task that is due later arrives
// early.
func (q Queue) Add(ctx context.Context, t Task, in time.Duration) error {
	body, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("sandbox: encode task: %w", err)
	}
	return q.Sender.SendLater(ctx, q.URL, string(body), in)
}

// Courier sends events.
type Courier struct {
	Client *http.Client
	URL    func(string) string // resolves an endpoint's URL
	Now    func() time.Time
}

// NewCourier returns a courier that waits four seconds for an answer. It sends over connections;
// nil means its own.
func NewCourier(url func(string) string, now func() time.Time, connections http.RoundTripper) Courier {
	return Courier{Client: &http.Client{Timeout: 4 * time.Second, Transport: connections}, URL: url, Now: now}
}

// Errors of a task.
var (
	ErrCallback = fault.New(fault.Unavailable, "sandbox-callback",
		"The endpoint did not accept the callback; it is sent again.")
	ErrUnreadable = fault.New(fault.Malformed, "sandbox-task-unreadable",
		"The message is not a task of the payment sandbox.")
)

// Send sends an event to an endpoint, signed as Stripe signs
// (https://docs.stripe.com/webhooks#verify-manually). It returns ErrCallback unless the answer is
// 2xx.
func (c Courier) Send(ctx context.Context, to Endpoint, event json.RawMessage) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL(to.URL), strings.NewReader(string(event)))
	if err != nil {
		return ErrCallback.Because(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Stripe-Signature", Sign(event, to.Secret, c.Now()))
	answer, err := c.Client.Do(r)
	if err != nil {
		return ErrCallback.Because(err)
	}
	_, err = io.Copy(io.Discard, answer.Body) // so that the connection can be used again
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return ErrCallback.Because(err)
	}
	if answer.StatusCode/100 != 2 {
		return ErrCallback.Because(errors.New(answer.Status))
	}
	return nil
}

// Sign returns the Stripe-Signature of a body that is sent at the time.
func Sign(body []byte, secret string, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Herald sends events to the endpoints that are registered for them. An event that it could not
// queue is lost, as a callback may be.
type Herald struct {
	Tasks   Tasks // nil: no event is sent, and a due change of an intent is made when the intent is read next
	Courier Courier
	Now     func() time.Time
	Nonce   func() string
}

// Announce sends the events of a change of an intent, at the times that the intent's card says.
func (h Herald) Announce(ctx context.Context, to []Endpoint, before, after Intent) error {
	if h.Tasks == nil {
		return nil
	}
	var failures []error
	for _, event := range Happened(before, after) {
		body, err := event.encode("evt_"+h.Nonce()+h.Nonce()+h.Nonce(), h.Now())
		if err != nil {
			return fmt.Errorf("sandbox: encode event: %w", err)
		}
		for _, endpoint := range to {
			if endpoint.wants(event.Type) {
				failures = append(failures, h.deliver(ctx, endpoint, event.Type, body, after.Card().Calls))
			}
		}
	}
	return errors.Join(failures...)
}

func (h Herald) deliver(ctx context.Context, to Endpoint, kind string, body json.RawMessage, when Calling) error {
	task := Task{Endpoint: to.ID, Event: body}
	switch {
	case when == Never:
		return nil
	case when == Early:
		if h.Courier.Send(ctx, to, body) == nil {
			return nil
		}
	case when == Late, when == Reversed && kind == held:
		return h.Tasks.Add(ctx, task, lateTime)
	case when == Twice:
		return errors.Join(h.Tasks.Add(ctx, task, 0), h.Tasks.Add(ctx, task, time.Second))
	}
	return h.Tasks.Add(ctx, task, 0)
}

// Watch queues a task for the time at which the intent changes next by itself.
func (h Herald) Watch(ctx context.Context, i Intent) error {
	due := i.Waits()
	if h.Tasks == nil || due.IsZero() {
		return nil
	}
	return h.Tasks.Add(ctx, Task{Intent: i.ID}, due.Sub(h.Now()))
}

// Callbacks runs the sandbox's tasks.
type Callbacks struct {
	Ledger Ledger
	Herald Herald
}

// Handle runs one task. A task for a removed endpoint is done. It returns ErrCallback for an event
// that the endpoint did not accept, and ErrUnreadable for a message that is not a task.
func (c Callbacks) Handle(ctx context.Context, body string) error {
	var t Task
	if err := json.Unmarshal([]byte(body), &t); err != nil {
		return ErrUnreadable.Because(err)
	}
	switch {
	case t.Intent != "":
		observe.Note(ctx, slog.String("intent", t.Intent))
		return c.settle(ctx, t.Intent)
	case t.Endpoint == "" || len(t.Event) == 0:
		return ErrUnreadable
	}
	observe.Note(ctx, slog.String("endpoint", t.Endpoint))
	setup, err := c.Ledger.Setup(ctx)
	if err != nil {
		return err
	}
	to, registered := setup.Endpoint(t.Endpoint)
	if !registered {
		return nil
	}
	return c.Herald.Courier.Send(ctx, to, t.Event)
}

// settle stores the changes of an intent that are due, and sends their events.
func (c Callbacks) settle(ctx context.Context, id string) error {
	stored, err := c.Ledger.Intent(ctx, id)
	if err != nil {
		return err
	}
	setup, err := c.Ledger.Setup(ctx)
	if err != nil {
		return err
	}
	now := c.Herald.Now()
	i := stored.At(now)
	if !reflect.DeepEqual(stored, i) {
		if err := c.Ledger.Keep(ctx, Change{Intent: &i}, now); err != nil {
			return err
		}
		err = c.Herald.Announce(ctx, setup.Endpoints, stored, i)
	}
	return errors.Join(err, c.Herald.Watch(ctx, i))
}
