// Package cloudtest gives each test a cloud of its own: the tables, queues, keys and secrets that template.yaml describes, and
// functions built as production builds them. What a test does not touch is not made.
//
// The cloud is simulated (package cloudsim), unless BACKROOM_ENDPOINT names the endpoint of another one, as `make test` does to
// run the same tests there. Names are unique, so that packages run side by side.
package cloudtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"backroom/localstack/cloudsim"
	"backroom/localstack/template"
	"backroom/shared/function"
	"backroom/shared/identity"
	"backroom/shared/identity/identitytest"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// Epoch is when every cloud's clock starts: the moment at which the sample events were sent.
var Epoch = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// simulated is the endpoint of a simulated cloud: who does not go through its client finds nobody there.
const simulated = "http://cloudsim.invalid"

// Simulated clouds make much that lives shortly: collecting it as often as by default was a third of their tests' time.
func init() { debug.SetGCPercent(400) }

// network is a world in which the simulated cloud is at its endpoint, and everybody else where they are.
type network struct {
	cloud *cloudsim.Cloud
	rest  http.RoundTripper
}

// RoundTrip sends a request to whom it is for.
func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), simulated+"/") {
		return n.cloud.RoundTrip(r)
	}
	return n.rest.RoundTrip(r)
}

// Cloud is one test's own stack. It is not for concurrent use, but what Runtime returns is.
type Cloud struct {
	// Caller is who the ${TOKEN} of a sample event speaks for: the bootstrap client, with all that it may do.
	Caller identity.Caller
	// Clock is the time that functions see. It moves only when a test moves it. Who came in by In has a clock already.
	Clock *Clock
	// Log is what functions logged.
	Log *Log

	t        testing.TB
	template template.Template
	stack    string // its name: the beginning of every resource's name
	endpoint string // empty: as on AWS
	http     *http.Client
	now      func() time.Time
	streams  bool // whether tables have streams, and items that expire: somebody takes care of them
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

// Simulated reports whether New returns clouds that are simulated in this process, and so keep whatever time it has.
func Simulated() bool { return os.Getenv("BACKROOM_ENDPOINT") == "" }

// Patiently runs what waits: in virtual time, unless the clouds have a time of their own.
func Patiently(t *testing.T, wait func(*testing.T)) {
	t.Helper()
	if Simulated() {
		synctest.Test(t, wait)
		return
	}
	wait(t)
}

// New returns a cloud in which nothing is made yet. What is made is removed when the test ends.
func New(t testing.TB) *Cloud {
	t.Helper()
	c := &Cloud{stack: "t-" + strings.ToLower(rand.Text()[:12]), endpoint: strings.TrimSuffix(os.Getenv("BACKROOM_ENDPOINT"), "/")}
	if Simulated() {
		c.endpoint = simulated
		c.http = &http.Client{Transport: network{cloudsim.New(cloudsim.Settings{Now: time.Now, Endpoint: simulated}), http.DefaultTransport}}
	}
	c.Clock = &Clock{now: Epoch}
	return c.open(t, c.Clock.Now)
}

// In returns the stack with that name on a simulated cloud, with the clock of whoever lets functions run there.
func In(t testing.TB, cloud *cloudsim.Cloud, stack string, now func() time.Time) *Cloud {
	t.Helper()
	c := &Cloud{stack: stack, http: cloud.Client(), streams: true}
	return c.open(t, now)
}

func (c *Cloud) open(t testing.TB, now func() time.Time) *Cloud {
	t.Helper()
	read, err := template.Read()
	if err != nil {
		t.Fatal(err)
	}
	c.Caller = identity.Caller{Subject: "client:bootstrap", Client: "bootstrap", Scopes: []string{
		identity.CatalogWrite, identity.StockWrite, identity.OrdersWrite, identity.OrdersRead, identity.OrdersReadAll,
		identity.StockRead, identity.OrdersRefund, identity.OrdersResolve,
	}}
	shop, _ := read.Parameters["Shop"].(string)
	c.Caller.Shop = saga.Shop(shop)
	c.Log, c.t, c.template, c.now, c.signer, c.made = &Log{}, t, read, now, identitytest.NewSigner(t), map[string]made{}
	if c.http == nil {
		c.http = c.environment().AWS.HTTPClient.(*http.Client) // one for all: a test makes many runtimes
	}
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
	rt.AWS.HTTPClient, rt.Now, rt.Log = c.http, c.now, observe.Logger(c.Log, slog.LevelInfo, "test")
	return rt
}

func (c *Cloud) environment() function.Runtime {
	return function.Environment(map[string]string{
		"AWS_ENDPOINT_URL": c.endpoint, "AWS_REGION": cloudsim.Region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	})
}

// RuntimeOf returns the Runtime of a function that is called: its rows have nonces that a test can know, and what it sends over
// the connection is held to its role.
func (c *Cloud) RuntimeOf(name string, connection aws.HTTPClient) function.Runtime {
	rt := c.Runtime()
	rt.Log, rt.Nonce, rt.AWS.HTTPClient = observe.Logger(c.Log, slog.LevelInfo, name), c.nonce, c.guard(name, connection)
	return rt
}
