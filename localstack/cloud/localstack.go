package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
)

// LocalStack is a second local cloud, to compare with MiniStack. The first of these settings decides where it
// comes from:
//
//	LOCALSTACK_ENDPOINT   the URL of a running LocalStack; Stop does not stop it
//	LOCALSTACK_UP         a script that starts one and prints its URL as the last line; `down <port>` in the
//	                      same folder stops it. LOCALSTACK_PORT, if set, is its argument
//	docker compose        localstack/compose.yaml
type LocalStack struct {
	Tools tools.Tools

	endpoint string
	stop     func() error // nil: Stop does nothing
}

var _ Cloud = (*LocalStack)(nil)

// Name returns localstack.
func (l *LocalStack) Name() string { return NameLocalStack }

// Endpoint returns its URL after Start.
func (l *LocalStack) Endpoint() string { return l.endpoint }

// Start finds or starts it, and returns when SQS and DynamoDB answer. Its health page reports them as running
// long before they answer.
func (l *LocalStack) Start(ctx context.Context) error {
	if err := l.find(ctx); err != nil {
		return err
	}
	err := until(ctx, 90*time.Second, 500*time.Millisecond, l.ready)
	if err != nil {
		return errors.Join(
			remedy.For(fmt.Errorf("LocalStack at %s does not answer: %w", l.endpoint, err),
				"read its log, then start it again"), l.Stop())
	}
	return nil
}

func (l *LocalStack) find(ctx context.Context) error {
	if endpoint := os.Getenv("LOCALSTACK_ENDPOINT"); endpoint != "" {
		l.endpoint = strings.TrimRight(endpoint, "/")
		return nil
	}
	if up := os.Getenv("LOCALSTACK_UP"); up != "" {
		return l.script(ctx, up)
	}
	compose := filepath.Join(l.Tools.Repo, "localstack", "compose.yaml")
	if exec.CommandContext(ctx, "docker", "compose", "version").Run() != nil {
		return remedy.For(
			errors.New(
				"LocalStack not found: LOCALSTACK_ENDPOINT and LOCALSTACK_UP are unset, and docker compose is not "+
					"installed"),
			"install Docker, or make e2e CLOUD=localstack LOCALSTACK_ENDPOINT=http://127.0.0.1:4566")
	}
	if _, err := run(ctx, "docker", "compose", "-f", compose, "up", "--detach", "--wait"); err != nil {
		return remedy.For(err, "docker compose -f localstack/compose.yaml logs")
	}
	l.endpoint = "http://127.0.0.1:4566"
	l.stop = func() error {
		_, err := run(context.Background(), "docker", "compose", "-f", compose, "down", "--volumes")
		return err
	}
	return nil
}

// eager makes LocalStack poll queues and streams often. By default it polls each second, and an empty source
// less and less often, down to every ten seconds. compose.yaml has the same settings.
var eager = []string{
	"LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC=0.2",
	"LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC=0.5",
}

// script starts LocalStack with a program that prints its endpoint.
func (l *LocalStack) script(ctx context.Context, up string) error {
	if !filepath.IsAbs(up) {
		up = filepath.Join(l.Tools.Repo, up)
	}
	var args []string
	if port := os.Getenv("LOCALSTACK_PORT"); port != "" {
		args = append(args, port)
	}
	printed, err := runWith(ctx, eager, up, args...)
	if err != nil {
		return remedy.For(fmt.Errorf("LOCALSTACK_UP: %w", err),
			"run it by hand; LOCALSTACK_PORT=… chooses another port")
	}
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	endpoint, err := url.Parse(lines[len(lines)-1])
	if err != nil || endpoint.Host == "" {
		return fmt.Errorf("LOCALSTACK_UP: the last line that it printed must be a URL: %q", lines[len(lines)-1])
	}
	l.endpoint = endpoint.String()
	l.stop = func() error {
		_, err := run(context.Background(), filepath.Join(filepath.Dir(up), "down"), endpoint.Port())
		return err
	}
	return nil
}

func (l *LocalStack) ready(ctx context.Context) error {
	cfg, err := stack.Config(ctx, l.endpoint)
	if err != nil {
		return err
	}
	_, queues := sqs.NewFromConfig(cfg).ListQueues(ctx, &sqs.ListQueuesInput{})
	_, tables := dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
	return errors.Join(queues, tables)
}

// Stop stops it if Start started it.
func (l *LocalStack) Stop() error {
	if l.stop == nil {
		return nil
	}
	err := l.stop()
	l.stop = nil
	return err
}

// run runs a program and returns its standard output. An error contains its standard error.
func run(ctx context.Context, name string, args ...string) (string, error) {
	return runWith(ctx, nil, name, args...)
}

// runWith is run with more environment variables.
func runWith(ctx context.Context, environ []string, name string, args ...string) (string, error) {
	var out, stderr bytes.Buffer
	program := exec.CommandContext(ctx, name, args...)
	program.Env = append(os.Environ(), environ...)
	program.Stdout, program.Stderr = &out, &stderr
	program.WaitDelay = 2 * time.Second // a server that it started may keep its pipes open
	if err := program.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, strings.TrimSpace(stderr.String()))
	}
	return out.String(), nil
}
