// Package apikey holds the key that opens the payment provider's API. It is read by reference, once per process.
package apikey

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"backroom/shared/fault"
	"backroom/shared/secret"
)

// Why there is no key.
var (
	ErrAway    = fault.New(fault.Unavailable, "payments-key-away", "The store of the payment provider's key does not answer; try again later.")
	ErrRefused = fault.New(fault.Internal, "payments-key-refused", "The payment provider's key may not be read, or is not where it should be.")
)

// Key is an API key that is read when it is needed first. It is safe for concurrent use.
type Key struct {
	Read  func(context.Context) (string, error)
	mu    sync.Mutex
	value string
}

// InSecret returns the key that Secrets Manager keeps under the ARN as {"api_key": "…"}.
func InSecret(cfg aws.Config, arn string) *Key {
	return &Key{Read: func(ctx context.Context) (string, error) {
		var document struct {
			APIKey string `json:"api_key"`
		}
		err := secret.Read(ctx, cfg, arn, &document)
		if err == nil && document.APIKey == "" {
			err = errors.New("apikey: " + arn + ` has no "api_key"`)
		}
		return document.APIKey, err
	}}
}

// Get returns the key. It returns ErrAway if its store does not answer, and ErrRefused if it answers otherwise.
func (k *Key) Get(ctx context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.value != "" {
		return k.value, nil
	}
	value, err := k.Read(ctx)
	_, asked := errors.AsType[*smithy.OperationError](err)
	_, answered := errors.AsType[smithy.APIError](err)
	switch {
	case asked && !answered:
		return "", ErrAway.Because(err)
	case err != nil:
		return "", ErrRefused.Because(err)
	}
	k.value = value
	return value, nil
}

// Forget has the next Get read the key again: it may have been replaced.
func (k *Key) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value = ""
}
