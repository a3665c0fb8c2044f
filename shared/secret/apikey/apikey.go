// Package apikey holds the keys that we share with the payment provider: the one that opens its API, and the one that it
// signs its callbacks with. They are read by reference, and remembered.
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

// Why there is no key.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "payment-key-unavailable", "The store of the payment provider's key does not answer; try again later.")
	ErrUnreadable  = fault.New(fault.Internal, "payment-key-unreadable", "The payment provider's key may not be read, or is not where it should be.")
)

const (
	maxAge   = time.Hour   // how long a key that was replaced is still used where nothing casts a doubt on it
	patience = time.Minute // between two readings that doubts may cause: anybody can send the sandbox a wrong key
)

// Key is a key that is read when it is needed first. It is safe for concurrent use.
type Key struct{ value remember.Value[string] }

// New returns the key that read returns.
func New(read func(context.Context) (string, error), now func() time.Time) *Key {
	k := &Key{}
	k.value.Read = func(ctx context.Context) (string, error) {
		value, err := read(ctx)
		return value, readFault(err)
	}
	k.value.Now, k.value.MaxAge, k.value.Patience = now, maxAge, patience
	return k
}

// InSecret returns the key that Secrets Manager keeps under the ARN as {"api_key": "…"}.
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

// SignatureInSecret returns the key that Secrets Manager keeps in the same document as {"webhook_secret": "…"}; an empty one
// while there is none, because the provider gives it out only once it knows the address to call.
func SignatureInSecret(cfg aws.Config, arn string, now func() time.Time) *Key {
	return New(func(ctx context.Context) (string, error) {
		var document struct {
			WebhookSecret string `json:"webhook_secret"`
		}
		err := secret.Read(ctx, cfg, arn, &document)
		return document.WebhookSecret, err
	}, now)
}

// Get returns the key. While it was never read it returns ErrAway if its store does not answer, and ErrRefused if it answers
// otherwise.
func (k *Key) Get(ctx context.Context) (string, error) { return k.value.Get(ctx) }

// Doubt returns the key as it is now, for who met another one or saw this one refused: it may have been replaced. A doubt
// within a minute of the last one that was heeded gets what that one got. The errors are those of Get.
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
