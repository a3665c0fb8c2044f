// Package cloudtest gives each test its own cloud: the tables, queues, keys and secrets of
// template.yaml, and functions built as production builds them. A resource is created when a test
// first uses it.
//
// The cloud is simulated (package cloudsim), unless BACKROOM_ENDPOINT is the endpoint of another
// one. `make test` sets it to run the same tests there. Names are unique, so that packages can run
// in parallel.
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

// Epoch is the time at which every cloud's clock starts. The sample events were sent at this time.
var Epoch = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// simulated is the endpoint of a simulated cloud. Only the cloud's own HTTP client can reach it.
const simulated = "http://cloudsim.invalid"

// Simulated clouds allocate many short-lived objects. With the default setting, garbage collection
// took a third of their tests' time.
func init() { debug.SetGCPercent(400) }

// network sends requests for the simulated cloud's endpoint to that cloud, and all others to the
// real network.
type network struct {
	cloud  *cloudsim.Cloud
	others http.RoundTripper
}

// RoundTrip sends a request to the simulated cloud or to the real network.
func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), simulated+"/") {
		return n.cloud.RoundTrip(r)
	}
	return n.others.RoundTrip(r)
}

// Cloud is the stack of one test. It is not safe for concurrent use, but what Runtime returns is.
type Cloud struct {
	// Caller is the caller of the ${TOKEN} in sample events. By default it is the bootstrap client
	// with all its scopes.
	Caller identity.Caller
	// Clock is the clock of functions. It moves only when a test moves it. It is nil in a Cloud that
	// In returned.
	Clock *Clock
	// Log has the log lines of functions.
	Log *Log

	t        testing.TB
	template template.Template
	stack    string // the stack's name, with which the name of every resource begins
	endpoint string // empty: as on AWS
	http     *http.Client
	now      func() time.Time
	streams  bool // whether tables have streams and time to live
	signer   identitytest.Signer
	made     map[string]made // by logical id
	nonces   int

	db      *dynamodb.Client
	queues  *sqs.Client
	keys    *kms.Client
	secrets *secretsmanager.Client
}

// Clock is a clock that moves only with Pass.
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

// Pass moves the clock forward.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Log collects log lines.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log. It never returns an error.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all log lines.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Simulated reports whether New returns clouds that are simulated in this process, and so use the
// process's time.
func Simulated() bool { return os.Getenv("BACKROOM_ENDPOINT") == "" }

// Patiently runs a test that waits. It runs in virtual time, unless the clouds are other processes
// with their own time.
func Patiently(t *testing.T, wait func(*testing.T)) {
	t.Helper()
	if Simulated() {
		synctest.Test(t, wait)
		return
	}
	wait(t)
}

// New returns a cloud without resources. Resources that a test creates are deleted when it ends.
func New(t testing.TB) *Cloud {
	t.Helper()
	c := &Cloud{stack: "t-" + strings.ToLower(rand.Text()[:12]),
		endpoint: strings.TrimSuffix(os.Getenv("BACKROOM_ENDPOINT"), "/")}
	if Simulated() {
		c.endpoint = simulated
		c.http = &http.Client{Transport: network{cloudsim.New(cloudsim.Settings{Now: time.Now, Endpoint: simulated}),
			http.DefaultTransport}}
	}
	c.Clock = &Clock{now: Epoch}
	return c.open(t, c.Clock.Now)
}

// In returns the stack with the name on a simulated cloud. now is the clock of the simulation that
// runs the functions.
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
		c.http = c.environment().AWS.HTTPClient.(*http.Client) // shared, because a test creates many runtimes
	}
	cfg := c.Runtime().AWS
	c.db, c.queues, c.keys, c.secrets = dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg), kms.NewFromConfig(cfg),
		secretsmanager.NewFromConfig(cfg)
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

// Runtime returns a new Runtime, as after a cold start. It uses this cloud and its clock, and logs
// into Log.
func (c *Cloud) Runtime() function.Runtime {
	rt := c.environment()
	rt.AWS.HTTPClient, rt.Now, rt.Log = c.http, c.now, observe.Logger(c.Log, slog.LevelInfo, "test")
	return rt
}

func (c *Cloud) environment() function.Runtime {
	return function.Environment(map[string]string{
		"AWS_ENDPOINT_URL": c.endpoint, "AWS_REGION": cloudsim.Region, "AWS_ACCESS_KEY_ID": "test",
		"AWS_SECRET_ACCESS_KEY": "test",
	})
}

// RuntimeOf returns the Runtime for a call of a function. Its nonces are predictable. Requests that
// its role does not allow fail the test.
func (c *Cloud) RuntimeOf(name string, connection aws.HTTPClient) function.Runtime {
	rt := c.Runtime()
	rt.Log, rt.Nonce, rt.AWS.HTTPClient = observe.Logger(c.Log, slog.LevelInfo, name), c.nonce,
		c.guard(name, connection)
	return rt
}
