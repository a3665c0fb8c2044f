// Package function starts every Lambda: one cold start, and a way to be invoked – Serve (HTTP),
// Consume (a step's queue), Work (another queue), Relay (stream), Run (schedule). A function's main
// is one line; its wire package connects its parts.
package function

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"backroom/shared/observe"
	"backroom/shared/queue"
	"backroom/shared/record"
)

// Runtime holds what a wire package builds from: AWS clients, the clock and the log.
type Runtime struct {
	AWS   aws.Config       // region, credentials, endpoint and connections, shared by every client
	Now   func() time.Time // the only clock
	Nonce func() string    // random, 40 bits, unique but not secret
	Log   *slog.Logger
	Web   http.RoundTripper // connections to services other than AWS; nil: each client has its own
	init  *preparation
}

// preparation is the work between cold start and first request.
type preparation struct {
	todo   []func(context.Context) error
	warmed map[string]bool // endpoints with a connection to open
}

// Environment returns the Runtime of a process environment. It reads no files, profiles or instance
// metadata: Lambda passes credentials and region in the environment, and unlinked code costs no cold
// start.
func Environment(environ map[string]string) Runtime {
	connections := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   3 * time.Second,
		ResponseHeaderTimeout: 5 * time.Second,
		MaxIdleConnsPerHost:   10,
		IdleConnTimeout:       90 * time.Second,
	}
	cfg := aws.Config{
		Region: environ["AWS_REGION"],
		Credentials: credentials.NewStaticCredentialsProvider(
			environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ["AWS_SESSION_TOKEN"]),
		HTTPClient: &http.Client{
			Transport:     completeAnswers{connections},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 500 * time.Millisecond })
		},
	}
	if endpoint := environ["AWS_ENDPOINT_URL"]; endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	return Runtime{
		AWS:   cfg,
		Now:   func() time.Time { return time.Now().UTC() },
		Nonce: func() string { return strings.ToLower(rand.Text()[:8]) },
		Log:   observe.Logger(os.Stdout, level(environ["LOG_LEVEL"]), environ["AWS_LAMBDA_FUNCTION_NAME"]),
		init:  &preparation{warmed: map[string]bool{}},
	}
}

func level(name string) slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(name)) != nil {
		return slog.LevelInfo
	}
	return l
}

// Table returns a table of rows and opens its connection during INIT, while Lambda still grants full
// CPU: a TLS handshake at 128 MB's share costs some 90 ms on the first request.
func (rt Runtime) Table(name string) record.Table {
	db := rt.DynamoDB()
	return record.Table{DB: db, Name: name, Now: rt.Now, Nonce: rt.Nonce}
}

// DynamoDB returns a client whose connection is opened during INIT.
func (rt Runtime) DynamoDB() *dynamodb.Client {
	rt.warmUp(rt.endpoint("dynamodb"))
	return dynamodb.NewFromConfig(rt.AWS)
}

// Queues returns a sender to the queues whose URLs begin with prefix, with its connection opened
// during INIT.
func (rt Runtime) Queues(prefix string) queue.Sender {
	rt.warmUp(rt.endpoint("sqs"))
	return queue.Sender{SQS: sqs.NewFromConfig(rt.AWS), Prefix: prefix}
}

// OnInit runs do before the first request, while Lambda grants full CPU. An error is logged and
// does not stop the function from starting: what do should have fetched is fetched when it is
// needed.
func (rt Runtime) OnInit(do func(context.Context) error) { rt.init.todo = append(rt.init.todo, do) }

// URL returns the URL of a setting. "execute-api:ID/STAGE" is a REST API of this account and
// region, on AWS or at the local cloud in use. Any other setting is a URL and is returned
// unchanged.
func (rt Runtime) URL(setting string) string {
	rest, ok := strings.CutPrefix(setting, "execute-api:")
	if !ok {
		return setting
	}
	if rt.AWS.BaseEndpoint != nil {
		return *rt.AWS.BaseEndpoint + "/_aws/execute-api/" + rest
	}
	id, stage, _ := strings.Cut(rest, "/")
	return "https://" + id + ".execute-api." + rt.AWS.Region + "." + rt.suffix() + "/" + stage
}

func (rt Runtime) endpoint(service string) string {
	if rt.AWS.BaseEndpoint != nil {
		return *rt.AWS.BaseEndpoint
	}
	return "https://" + service + "." + rt.AWS.Region + "." + rt.suffix()
}

func (rt Runtime) suffix() string {
	if strings.HasPrefix(rt.AWS.Region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// warmUp opens, during INIT, the connection that the first signed call uses.
func (rt Runtime) warmUp(endpoint string) {
	if rt.init.warmed[endpoint] {
		return
	}
	rt.init.warmed[endpoint] = true
	rt.OnInit(func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/ping", nil)
		if err != nil {
			return err
		}
		resp, err := rt.AWS.HTTPClient.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	})
}

// A Builder makes a function's handler from the runtime and its settings. It does no I/O except in
// OnInit.
type Builder func(rt Runtime, environ map[string]string) (lambda.Handler, error)

// settings reads S from the environment by its env tags. Every setting without a default is required,
// and an empty one counts as missing. The error names all missing or unreadable settings.
func settings[S any](environ map[string]string) (S, error) {
	given := maps.Clone(environ)
	maps.DeleteFunc(given, func(_, value string) bool { return value == "" })
	s, err := env.ParseAsWithOptions[S](env.Options{Environment: given, RequiredIfNoDef: true})
	if err != nil {
		return s, fmt.Errorf("function: settings: %w", err)
	}
	return s, nil
}

// start builds the handler, runs what OnInit collected and starts Lambda's loop. It never returns,
// and ends the process if the settings are wrong.
func start(build Builder) {
	environ := env.ToMap(os.Environ())
	if mb, err := strconv.Atoi(environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]); err == nil && mb < 1769 {
		runtime.GOMAXPROCS(1) // below one vCPU a second processor only spins and costs a third of the CPU time
	}
	rt := Environment(environ)
	handler, err := build(rt, environ)
	if err != nil {
		rt.Log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	if err := rt.Warm(context.Background()); err != nil {
		rt.Log.Warn("not everything could be prepared before the first request", "error", err.Error())
	}
	lambda.Start(handler)
}

// deadlineMargin is how long before a function's timeout its calls end, so that it can still answer.
const deadlineMargin = 500 * time.Millisecond

// withDeadlineMargin returns a context that ends deadlineMargin before ctx.
func withDeadlineMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	if !limited {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-deadlineMargin))
}

// Warm runs the functions given to OnInit, for at most three seconds, and joins their errors.
func (rt Runtime) Warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var failures []error
	for _, do := range rt.init.todo {
		failures = append(failures, do(ctx))
	}
	return errors.Join(failures...)
}
