// Package cloudsim is a cloud in memory: DynamoDB with its streams, SQS, KMS and Secrets Manager, behind the unmodified
// aws-sdk-go-v2. It speaks the services' wire, so what a test says to it is what production says to AWS; package dynamo and
// package queues are held to the same suites as the other clouds. Package simulation lets functions run on it.
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
	"backroom/localstack/cloudsim/vault"
	"backroom/localstack/cloudsim/wire"
)

// Where everything is.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// Settings say how a cloud behaves. The zero value, with a clock, is one in which everything is at once.
type Settings struct {
	Now      func() time.Time
	Endpoint string               // what URLs of queues begin with; empty: as on AWS
	IndexLag func() time.Duration // how long after its table an index changes
	ReadLag  func() time.Duration // how old an eventually consistent read may be
	Limited  bool                 // whether partitions are throttled as DynamoDB's are
	Pick     func(n int) int      // which of n messages a queue gives next
	Shards   int                  // of each stream; 0: as many as on AWS
}

// Cloud is one account in one region. It is safe for concurrent use through RoundTrip and Answer; whoever reaches for the
// services themselves must be alone.
type Cloud struct {
	Tables *dynamo.DB
	Queues *queues.Service
	Vault  *vault.Service

	mu sync.Mutex
}

// New returns an empty cloud.
func New(s Settings) *Cloud {
	return &Cloud{
		Tables: dynamo.New(dynamo.Settings{Region: Region, Account: Account, Now: s.Now, IndexLag: s.IndexLag, ReadLag: s.ReadLag, Limited: s.Limited, Shards: s.Shards}),
		Queues: queues.New(queues.Settings{Region: Region, Account: Account, Endpoint: s.Endpoint, Now: s.Now, Pick: s.Pick}),
		Vault:  vault.New(vault.Settings{Region: Region, Account: Account, Now: s.Now}),
	}
}

// Request is what is asked of AWS.
type Request struct {
	Service   string // as X-Amz-Target names it, as in DynamoDB_20120810; empty: it names none
	Operation string
	Body      []byte
	Opens     bool // it only opens a connection, as a function does before its first request
}

// The services by their names on the wire.
const (
	DynamoDB        = "DynamoDB_20120810"
	DynamoDBStreams = "DynamoDBStreams_20120810"
	SQS             = "AmazonSQS"
	KMS             = "TrentService"
	SecretsManager  = "secretsmanager"
)

// Read reads a request as the SDK sends it.
func Read(r *http.Request) (Request, error) {
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	request := Request{Service: service, Operation: operation, Opens: r.Method == http.MethodGet && r.URL.Path == "/ping"}
	if r.Body == nil {
		return request, nil
	}
	var err error
	request.Body, err = io.ReadAll(r.Body)
	return request, errors.Join(err, r.Body.Close())
}

// Answer is what comes back, and what it took.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Used   []wire.Use
}

// Refusal returns the answer that says no.
func Refusal(e *wire.Error) Answer {
	return Answer{Status: e.Status, Body: e.Document(), Header: http.Header{"X-Amzn-Errortype": {e.Type}}}
}

// Answer carries out a request.
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
		body, err = c.Vault.Do(r.Service+"."+r.Operation, r.Body)
	default:
		err = &wire.Error{Status: http.StatusNotImplemented, Type: "UnknownOperationException", Message: fmt.Sprintf("cloudsim knows no service %q", r.Service)}
	}
	if err != nil {
		refusal, ok := errors.AsType[*wire.Error](err)
		if !ok {
			refusal = &wire.Error{Status: http.StatusInternalServerError, Type: "InternalServerError", Message: err.Error()}
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

// RoundTrip carries out a request at once.
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

// Response returns the answer to r as net/http has it.
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

// Client returns a client whose requests the cloud answers.
func (c *Cloud) Client() *http.Client { return &http.Client{Transport: c} }
