// Package cloudsim is a cloud in memory: DynamoDB with its streams, SQS, KMS and Secrets Manager,
// behind the unmodified aws-sdk-go-v2. It speaks the wire protocols of AWS, so a test sends what
// production sends. Packages dynamo and queues pass the same conformance suites as the other
// clouds. Package simulation runs functions on it.
package cloudsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"backroom/localstack/cloudsim/dynamo"
	"backroom/localstack/cloudsim/queues"
	"backroom/localstack/cloudsim/secrets"
	"backroom/localstack/cloudsim/wire"
)

// The region and the account of every simulated cloud.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// Settings say how a cloud behaves. With a clock and nothing else, every change is visible at once.
type Settings struct {
	Now      func() time.Time
	Endpoint string               // how URLs of queues begin; empty: as on AWS
	IndexLag func() time.Duration // the delay between a table and its index
	ReadLag  func() time.Duration // the age of an eventually consistent read
	Limited  bool                 // whether partitions throttle as on DynamoDB
	Pick     func(n int) int      // which of n messages is received next
	Shards   int                  // of each stream; 0: the default of AWS
}

// Cloud is one account in one region. RoundTrip and Answer are safe for concurrent use. Tables,
// Queues and Secrets are not: use them only while no request is under way.
type Cloud struct {
	Tables  *dynamo.DB
	Queues  *queues.Service
	Secrets *secrets.Service

	mu sync.Mutex
}

// New returns an empty cloud.
func New(s Settings) *Cloud {
	return &Cloud{
		Tables: dynamo.New(
			dynamo.Settings{Region: Region, Account: Account, Now: s.Now, IndexLag: s.IndexLag, ReadLag: s.ReadLag,
				Limited: s.Limited, Shards: s.Shards}),
		Queues: queues.New(
			queues.Settings{Region: Region, Account: Account, Endpoint: s.Endpoint, Now: s.Now, Pick: s.Pick}),
		Secrets: secrets.New(secrets.Settings{Region: Region, Account: Account, Now: s.Now}),
	}
}

// Request is a request to AWS.
type Request struct {
	Service   string // from X-Amz-Target, as in DynamoDB_20120810; empty without that header
	Operation string
	Body      []byte
	Opens     bool // opens a connection and nothing else, as a function does before its first request
}

// The names of the services in X-Amz-Target.
const (
	DynamoDB        = "DynamoDB_20120810"
	DynamoDBStreams = "DynamoDBStreams_20120810"
	SQS             = "AmazonSQS"
	KMS             = "TrentService"
	SecretsManager  = "secretsmanager"
)

// Read reads a request that the SDK sends. An error means that its body cannot be read.
func Read(r *http.Request) (Request, error) {
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	request := Request{Service: service, Operation: operation, Opens: r.Method == http.MethodGet &&
		r.URL.Path == "/ping"}
	if r.Body == nil {
		return request, nil
	}
	var err error
	request.Body, err = io.ReadAll(r.Body)
	return request, errors.Join(err, r.Body.Close())
}

// Answer is a response, with what the request used.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Used   []wire.Use
}

// Refusal returns the answer that carries an error.
func Refusal(e *wire.Error) Answer {
	return Answer{Status: e.Status, Body: e.Document(), Header: http.Header{"X-Amzn-Errortype": {e.Type}}}
}

// Answer carries out a request. A service that is not simulated is refused with
// UnknownOperationException.
func (c *Cloud) Answer(r Request) Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	var (
		body []byte
		used []wire.Use
		err  error
	)
	if r.Opens {
		return Answer{Status: http.StatusNotFound}
	}
	switch r.Service {
	case DynamoDB, DynamoDBStreams:
		body, used, err = c.Tables.Do(r.Operation, r.Body)
	case SQS:
		body, used, err = c.Queues.Do(r.Operation, r.Body)
	case KMS, SecretsManager:
		body, err = c.Secrets.Do(r.Service+"."+r.Operation, r.Body)
	default:
		err = &wire.Error{Status: http.StatusNotImplemented, Type: "UnknownOperationException",
			Message: fmt.Sprintf("cloudsim does not simulate the service %q", r.Service)}
	}
	if err != nil {
		refusal, ok := errors.AsType[*wire.Error](err)
		if !ok {
			refusal = &wire.Error{Status: http.StatusInternalServerError, Type: "InternalServerError",
				Message: err.Error()}
		}
		a := Refusal(refusal)
		a.Used = used
		if r.Service == SQS {
			a.Header.Set("X-Amzn-Query-Error", queues.QueryError(refusal))
		}
		return a
	}
	return Answer{Status: http.StatusOK, Body: body, Used: used}
}

// RoundTrip carries out a request. It returns an error only if the request cannot be read or is
// canceled.
func (c *Cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	request, err := Read(r)
	if err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return c.Answer(request).Response(r), nil
}

// Response returns the answer as an HTTP response to r.
func (a Answer) Response(r *http.Request) *http.Response {
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	maps.Copy(header, a.Header)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)), StatusCode: a.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)), Request: r,
	}
}

var _ http.RoundTripper = (*Cloud)(nil)

// Client returns an HTTP client that sends every request to the cloud.
func (c *Cloud) Client() *http.Client { return &http.Client{Transport: c} }
