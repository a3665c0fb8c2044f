// Package e2e tests a deployed Backroom as a black box. It uses what a client and an operator can use: the API,
// event source mappings, queues and tables. It runs the same cases on every cloud:
//
//	make test                    all cases, on a MiniStack of its own
//	make e2e CLOUD=localstack    or aws, or ministack
//
// Known deviations of the clouds are in exceptions.go, each with its reason. Package crash stops the cloud and kills
// functions.
//
// No case asserts how long something takes. Each wait has a bound, which only ends a broken run.
package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloud"
	"backroom/localstack/conformance"
	"backroom/localstack/contract"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/stack"
)

// System is a deployed Backroom, as its clients and its operator use it. It is safe for concurrent use.
type System struct {
	Cloud string // ministack, localstack or aws
	Stack stack.Stack
	API   shop.API
	Bound time.Duration // how long a case waits for an expected result

	clientID, secret string
	run              string // makes the products, buyers and keys of this run different from earlier ones
	count            atomic.Int64
	waking           atomic.Int64 // when WakeAtTimes may run wake-overdue again; nanoseconds since 1970

	queues *sqs.Client
	lambda *lambda.Client
	tables *dynamodb.Client

	sandbox shop.Wire // the payment provider

	mu       sync.Mutex
	tokens   map[client.Credentials]token
	settings map[string]map[string]string
}

// Deployed returns the system that `make test` or `make e2e` deployed. The environment names the cloud and the
// stack; without them it returns an error.
func Deployed(ctx context.Context) (*System, error) {
	on, stack := os.Getenv("BACKROOM_CLOUD"), os.Getenv("BACKROOM_STACK")
	if on == "" || stack == "" {
		return nil,
			fmt.Errorf("no stack to test: BACKROOM_CLOUD and BACKROOM_STACK must be set; next: make e2e CLOUD=%s",
				cmp.Or(on, cloud.NameMiniStack))
	}
	return Open(ctx, on, os.Getenv("BACKROOM_ENDPOINT"), stack)
}

// Open returns the system with that stack on the cloud at endpoint ("": AWS).
func Open(ctx context.Context, on, endpoint, stackName string) (*System, error) {
	cfg, err := stack.Config(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	deployed, err := stack.Describe(ctx, endpoint, stackName)
	if err != nil {
		return nil, err
	}
	url, err := deployed.API()
	if err != nil {
		return nil, err
	}
	provider, err := deployed.Sandbox()
	if err != nil {
		return nil, err
	}
	id, secret, err := deployed.Client(ctx)
	if err != nil {
		return nil, err
	}
	contract, err := contract.Promised()
	if err != nil {
		return nil, err
	}
	connections := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64}
	connection := &http.Client{Transport: contract.Checked(connections, url), Timeout: 40 * time.Second}
	api, err := shop.New(url, connection)
	if err != nil {
		return nil, err
	}
	return &System{
		Cloud: on, Stack: deployed, API: api, sandbox: shop.Wire{URL: provider, HTTP: connection},
		Bound:    6 * time.Minute,
		clientID: id, secret: secret, run: strconv.FormatInt(time.Now().UnixMilli(), 36),
		queues: sqs.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg), tables: dynamodb.NewFromConfig(cfg),
		tokens: map[client.Credentials]token{}, settings: map[string]map[string]string{},
	}, nil
}

// New returns a name that no other case and no other run uses: for a SKU, a buyer, an Idempotency-Key.
func (s *System) New(kind string) string {
	return fmt.Sprintf("%s-%s-%d", kind, s.run, s.count.Add(1))
}

// Until calls seen until it reports done, and fails the case after the bound, with the last result. It pauses
// longer if seen is slow, so that waiting cases do not overload a busy cloud.
func (s *System) Until(t conformance.T, what string, seen func() (last any, done bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), s.Bound)
	defer cancel()
	for pause := 40 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		began := time.Now()
		last, done := seen()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			require.FailNow(t, "not within "+s.Bound.String()+": "+what, "last seen: %v", last)
		case <-time.After(max(pause, 3*time.Since(began))):
		}
	}
}

// token is an access token with the time of its request.
type token struct {
	value string
	since time.Time
}

// Token returns a token with these scopes, or with all that the client may have if there are none. It is for a
// customer, or for the client itself if customer is "".
func (s *System) Token(t conformance.T, customer string, scopes ...string) string {
	t.Helper()
	grant := client.Credentials{ClientID: s.clientID, Secret: s.secret, Customer: customer,
		Scope: strings.Join(scopes, " ")}
	s.mu.Lock()
	known := s.tokens[grant]
	s.mu.Unlock()
	if time.Since(known.since) < 10*time.Minute { // a token expires after 15
		return known.value
	}
	value, err := s.API.Token(t.Context(), grant)
	require.NoError(t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[grant] = token{value, time.Now()}
	return value
}

// Client returns the credentials with which tokens are requested.
func (s *System) Client() (id, secret string) { return s.clientID, s.secret }
