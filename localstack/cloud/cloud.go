// Package cloud starts and stops the clouds that the stack can be deployed to: MiniStack and LocalStack on
// this machine, and AWS, which is always running.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"time"

	"backroom/localstack/tools"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
)

// A Cloud is where a stack can be deployed.
type Cloud interface {
	// Name is ministack, localstack or aws.
	Name() string
	// Endpoint is the cloud's URL; "" means AWS itself.
	Endpoint() string
	// Start starts the cloud and returns when it answers. It may be called again after Stop.
	Start(ctx context.Context) error
	// Stop stops the cloud and waits until it has ended. It does nothing to a cloud that Start did not start.
	Stop() error
}

// The names of the clouds.
const (
	NameMiniStack  = "ministack"
	NameLocalStack = "localstack"
	NameAWS        = "aws"
)

// Named returns the cloud of that name, not yet started. A MiniStack gets a free port and keeps its state in
// the given folder; the other clouds ignore the folder. It returns an error for an unknown name.
func Named(name string, with tools.Tools, state string) (Cloud, error) {
	switch name {
	case NameMiniStack:
		port, err := FreePort()
		return &MiniStack{Tools: with, Port: port, State: state}, err
	case NameLocalStack:
		return &LocalStack{Tools: with}, nil
	case NameAWS:
		return AWS{}, nil
	}
	return nil, remedy.For(fmt.Errorf("unknown cloud %q", name), "make e2e CLOUD=ministack|localstack|aws")
}

// AWS is the real AWS, with the caller's own credentials and region.
type AWS struct{}

// Name returns aws.
func (AWS) Name() string { return NameAWS }

// Endpoint returns "".
func (AWS) Endpoint() string { return "" }

// Start returns an error if no credentials or no region are configured.
func (AWS) Start(ctx context.Context) error {
	cfg, err := stack.Config(ctx, "")
	if err != nil {
		return err
	}
	if cfg.Region == "" {
		return remedy.For(errors.New("no AWS region is set"), "export AWS_REGION=eu-central-1")
	}
	_, err = cfg.Credentials.Retrieve(ctx)
	return remedy.For(err, "aws sso login, or export AWS_PROFILE=…")
}

// Stop does nothing. Deployed stacks stay.
func (AWS) Stop() error { return nil }

// Environ returns this process's environment, for a program that works on the cloud at endpoint. For a local
// cloud it contains none of the caller's AWS settings except the CA bundle, so that a mistake cannot reach a
// real account.
func Environ(endpoint string) []string {
	if endpoint == "" {
		return os.Environ()
	}
	return append(withoutAWS(os.Environ()),
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_DEFAULT_REGION="+stack.Region, "AWS_REGION="+stack.Region, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
}

func withoutAWS(environ []string) []string {
	kept := make([]string, 0, len(environ))
	for _, entry := range environ {
		if len(entry) < 4 || entry[:4] != "AWS_" || (len(entry) > 14 && entry[:14] == "AWS_CA_BUNDLE=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// FreePort returns a loopback port that no process listens on. The port is below those that the kernel gives
// to outgoing connections (from 32768 on Linux, from 49152 elsewhere): a client that polls such a port may be
// connected to itself.
func FreePort() (int, error) {
	const first, last, tries = 20000, 32000, 50
	var taken error
	for range tries {
		port := first + rand.IntN(last-first)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, listener.Close()
		}
		taken = err
	}
	return 0, taken
}

// CheckPort returns an error if a process listens on the loopback port. The error names the setting to
// change, and a port that is free.
func CheckPort(port int, purpose, setting string) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	listener, err := net.Listen("tcp", address)
	if err == nil {
		return listener.Close()
	}
	free, freeErr := FreePort()
	if freeErr != nil {
		return errors.Join(err, freeErr)
	}
	return remedy.For(
		fmt.Errorf("port %d for the %s cannot be used: %w", port, purpose, err),
		fmt.Sprintf("find the process (lsof -nP -iTCP:%d -sTCP:LISTEN), or choose another port: make run %s=%d", port,
			setting, free))
}

// until calls ready, with a pause between calls, until it returns nil. When the limit is over or ctx ends, it
// returns the last error of ready, joined with the cause.
func until(ctx context.Context, limit, pause time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}
