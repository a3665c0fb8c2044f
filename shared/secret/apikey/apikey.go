// Package apikey reads the two keys that we share with the payment provider: the key of its API,
// and the key with which it signs its callbacks. It reads them by reference, and caches them.
package apikey

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"backroom/shared/fault"
	"backroom/shared/secret"
	"backroom/shared/secret/remember"
)

// Errors of a key that cannot be read.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "payment-key-unavailable",
		"The store of the payment provider's key does not answer; try again later.")
	ErrUnreadable = fault.New(fault.Internal, "payment-key-unreadable",
		"The payment provider's key cannot be read, or is missing from its secret.")
)

const (
	maxAge   = time.Hour   // how long a replaced key is used at most, unless Doubt is called
	patience = time.Minute // between two reads that doubts cause: anybody can send the sandbox a wrong key
)

// Key is a key that is read at its first use. It is safe for concurrent use.
type Key struct{ value remember.Value[string] }

// New returns a key whose value is what read returns.
func New(read func(context.Context) (string, error), now func() time.Time) *Key {
	k := &Key{}
	k.value.Read = func(ctx context.Context) (string, error) {
		value, err := read(ctx)
		return value, readFault(err)
	}
	k.value.Now, k.value.MaxAge, k.value.Patience = now, maxAge, patience
	return k
}

// InSecret returns the key in the secret with the ARN, as {"api_key": "…"}.
func InSecret(cfg aws.Config, arn string, now func() time.Time) *Key {
	return New(func(ctx context.Context) (string, error) {
		var document struct {
			APIKey string `json:"api_key"`
		}
		err := secret.Read(ctx, cfg, arn, &document)
		if err == nil && document.APIKey == "" {
			err = errors.New("apikey: " + arn + ` has no "api_key"`)
		}
		return document.APIKey, err
	}, now)
}

// SignatureInSecret returns the signing key in the secret with the ARN, as {"webhook_secret": "…"}.
// It is empty until one is stored, because the provider issues it only after it knows the address
// of the webhook.
func SignatureInSecret(cfg aws.Config, arn string, now func() time.Time) *Key {
	return New(func(ctx context.Context) (string, error) {
		var document struct {
			WebhookSecret string `json:"webhook_secret"`
		}
		err := secret.Read(ctx, cfg, arn, &document)
		return document.WebhookSecret, err
	}, now)
}

// Get returns the key. If the key was never read successfully, it returns ErrUnavailable if its
// store does not answer, and ErrUnreadable after any other failure.
func (k *Key) Get(ctx context.Context) (string, error) { return k.value.Get(ctx) }

// Doubt reads the key again, and returns it. Call it after the key was refused, or after a request
// with another key: the key may have been replaced. Within a minute of the last such read it
// returns the result of that read. The errors are those of Get.
func (k *Key) Doubt(ctx context.Context) (string, error) { return k.value.Doubt(ctx) }

func readFault(err error) error {
	_, asked := errors.AsType[*smithy.OperationError](err)
	_, answered := errors.AsType[smithy.APIError](err)
	switch {
	case err == nil:
		return nil
	case asked && !answered:
		return ErrUnavailable.Because(err)
	}
	return ErrUnreadable.Because(err)
}
