// Package cloudtest gives each test a cloud of its own: the tables, queues, keys and secrets that template.yaml describes,
// on a local endpoint, and functions built as production builds them. What a test does not touch is not made.
//
// The endpoint is that of any local cloud, in BACKROOM_ENDPOINT; `make test` starts one and sets it. Names are unique, so
// that packages run side by side.
package cloudtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"backroom/shared/cloudtest/template"
	"backroom/shared/function"
	"backroom/shared/identity"
	"backroom/shared/identity/identitytest"
	"backroom/shared/observe"
)

// Epoch is when every cloud's clock starts: the moment at which the sample events were sent.
var Epoch = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// region is where everything lives on the local clouds.
const region = "us-east-1"

// Cloud is one test's own stack. It is not for concurrent use, but what Runtime returns is.
type Cloud struct {
	// Caller is who the ${TOKEN} of a sample event speaks for: the bootstrap client, with all that it may do.
	Caller identity.Caller
	// Clock is the time that functions see. It moves only when a test moves it.
	Clock *Clock
	// Log is what functions logged.
	Log *Log

	t        testing.TB
	template template.Template
	stack    string // its name: the beginning of every resource's name
	endpoint string
	http     *http.Client
	signer   identitytest.Signer
	made     map[string]made // by logical id
	nonces   int

	db      *dynamodb.Client
	queues  *sqs.Client
	keys    *kms.Client
	secrets *secretsmanager.Client
}

// Clock is a clock that is moved by hand.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Pass lets time pass.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Log keeps what is logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all of it, a line per entry.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// New returns a cloud in which nothing is made yet. What is made is removed when the test ends. Without a local cloud the
// test fails and says how to start one.
func New(t testing.TB) *Cloud {
	t.Helper()
	endpoint := strings.TrimSuffix(os.Getenv("BACKROOM_ENDPOINT"), "/")
	if endpoint == "" {
		t.Fatal("BACKROOM_ENDPOINT is not set: this test needs a local cloud. Run `make test` (or `go run ./localstack test`), which starts one and sets it.")
	}
	read, err := template.Read()
	if err != nil {
		t.Fatal(err)
	}
	c := &Cloud{
		Caller: identity.Caller{Subject: "client:bootstrap", Client: "bootstrap", Scopes: []string{
			identity.CatalogWrite, identity.StockWrite, identity.OrdersWrite, identity.OrdersRead, identity.OrdersReadAll,
			identity.StockRead, identity.OrdersRefund, identity.OrdersResolve,
		}},
		Clock: &Clock{now: Epoch}, Log: &Log{},
		t: t, template: read, stack: "t-" + strings.ToLower(rand.Text()[:12]), endpoint: endpoint,
		signer: identitytest.NewSigner(t), made: map[string]made{},
	}
	c.Caller.Shop, _ = read.Parameters["Shop"].(string)
	c.http = c.environment().AWS.HTTPClient.(*http.Client) // one for all: a test makes many runtimes
	cfg := c.Runtime().AWS
	c.db, c.queues, c.keys, c.secrets = dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg), kms.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	t.Cleanup(func() {
		for id := range c.made {
			if err := c.made[id].remove(context.Background()); err != nil {
				t.Errorf("remove %s: %v", id, err)
			}
		}
		c.http.CloseIdleConnections()
		if t.Failed() && c.Log.String() != "" {
			t.Logf("the functions' log:\n%s", c.Log)
		}
	})
	return c
}

// Runtime returns what a function is built from, as new as after a cold start, on this cloud and with its clock. It logs
// into Log.
func (c *Cloud) Runtime() function.Runtime {
	rt := c.environment()
	rt.AWS.HTTPClient, rt.Now, rt.Log = c.http, c.Clock.Now, observe.Logger(c.Log, slog.LevelInfo, "test")
	return rt
}

func (c *Cloud) environment() function.Runtime {
	return function.Environment(map[string]string{
		"AWS_ENDPOINT_URL": c.endpoint, "AWS_REGION": region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	})
}

// runtimeOf returns the Runtime of a function that is called: its rows have nonces that a test can know, and it is held to
// its role.
func (c *Cloud) runtimeOf(name string) function.Runtime {
	rt := c.Runtime()
	rt.Log, rt.Nonce, rt.AWS.HTTPClient = observe.Logger(c.Log, slog.LevelInfo, name), c.nonce, c.guard(name)
	return rt
}
