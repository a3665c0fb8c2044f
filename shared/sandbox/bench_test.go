package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v84/webhook"

	"backroom/localstack/cloudtest"
	"backroom/localstack/cloudtest/loopback"
	"backroom/shared/sandbox"
	"backroom/shared/sandbox/sandboxdb"
	"backroom/shared/secret/apikey"
)

// bench is a sandbox for a test. Its clock runs by itself. Its delayed tasks run when the test
// calls work.
type bench struct {
	t   *testing.T
	way http.RoundTripper
	*works
}

// works has the sandbox's parts.
type works struct {
	ledger sandboxdb.Ledger
	ahead  atomic.Int64
	herald sandbox.Herald
	mu     sync.Mutex
	tasks  []task
}

// task is a task of the sandbox, with its due time by the sandbox's clock.
type task struct {
	sandbox.Task
	due time.Time
}

func start(t *testing.T) bench {
	t.Helper()
	cloud := cloudtest.New(t)
	rt := cloud.Runtime()
	w := &works{ledger: sandboxdb.Ledger{DB: rt.DynamoDB(), Name: cloud.Table("Sandbox")}}
	w.herald = sandbox.Herald{Tasks: w, Courier: sandbox.NewCourier(func(url string) string { return url }, w.now, nil),
		Now: w.now, Nonce: rt.Nonce}
	return bench{t, w.serve(t, w.ledger), w}
}

// serve starts a handler with a ledger, and returns the connection to it.
func (w *works) serve(t *testing.T, ledger sandbox.Ledger) http.RoundTripper {
	t.Helper()
	return loopback.Serve(t, sandbox.Handler{
		Ledger: ledger, Herald: w.herald, Now: w.now, Nonce: w.herald.Nonce, Log: slog.New(slog.DiscardHandler),
		Key: apikey.New(func(context.Context) (string, error) { return cloudtest.SampleSecret, nil }, time.Now),
	}.Routes())
}

// as returns the same bench for a subtest.
func (b bench) as(t *testing.T) bench { return bench{t, b.way, b.works} }

func (w *works) now() time.Time { return time.Now().UTC().Add(time.Duration(w.ahead.Load())) }

func (w *works) later(d time.Duration) { w.ahead.Add(int64(d)) }

// Add keeps a task.
func (w *works) Add(_ context.Context, t sandbox.Task, in time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks = append(w.tasks, task{t, w.now().Add(in)})
	return nil
}

// work runs every due task, and the tasks that follow from it.
func (b bench) work() {
	b.t.Helper()
	worker := sandbox.Callbacks{Ledger: b.ledger, Herald: b.herald}
	for {
		b.mu.Lock()
		n := slices.IndexFunc(b.tasks, func(t task) bool { return !t.due.After(b.now()) })
		if n < 0 {
			b.mu.Unlock()
			return
		}
		todo := b.tasks[n]
		b.tasks = slices.Delete(b.tasks, n, n+1)
		b.mu.Unlock()
		body, err := json.Marshal(todo.Task)
		require.NoError(b.t, err)
		require.NoError(b.t, worker.Handle(b.t.Context(), string(body)))
	}
}

// money returns the shop's net amount of all payments according to a scan of the table, and how
// often payments were authorized and captured.
func (b bench) money() (net int64, held, taken int) {
	b.t.Helper()
	out, err := b.ledger.DB.Scan(b.t.Context(), &dynamodb.ScanInput{TableName: &b.ledger.Name})
	require.NoError(b.t, err)
	for _, image := range out.Items {
		var item struct {
			Received int64 `dynamodbav:"amount_received"`
			Refunded int64 `dynamodbav:"sandbox_refunded"`
			Disputed int64 `dynamodbav:"sandbox_disputed"`
			Held     int   `dynamodbav:"sandbox_authorizations"`
			Taken    int   `dynamodbav:"sandbox_captures"`
		}
		require.NoError(b.t, attributevalue.UnmarshalMap(image, &item))
		net, held, taken = net+item.Received-item.Refunded-item.Disputed, held+item.Held, taken+item.Taken
	}
	return net, held, taken
}

// shop is an endpoint that receives events, and checks their signatures with stripe-go.
type shop struct {
	mu     sync.Mutex
	secret string
	status int
	types  []string
	bodies []string
}

// listen starts a shop and registers it for all events.
func (b bench) listen() *shop {
	b.t.Helper()
	s := &shop{status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		event,
			err := webhook.ConstructEventWithOptions(body, r.Header.Get("Stripe-Signature"), s.secret,
			webhook.ConstructEventOptions{IgnoreTolerance: true})
		if err != nil {
			b.t.Errorf("an event that stripe-go refuses: %v", err)
		}
		s.types, s.bodies = append(s.types, string(event.Type)), append(s.bodies, string(body))
		w.WriteHeader(s.status)
	}))
	b.t.Cleanup(server.Close)
	made := b.ask("POST", "/v1/webhook_endpoints", "", "url="+server.URL+"&enabled_events[]=*")
	require.Equal(b.t, http.StatusOK, made.Status, made.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = made.Secret
	return s
}

// take returns the types of the events since the last call.
func (s *shop) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	types := s.types
	s.types = nil
	return types
}
