package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v5"

	"backroom/shared/chance"
	"backroom/shared/fault"
)

// conflictTries is how often a colliding write is sent, with full jitter, because the SDK does not
// retry collisions. After that the queue retries its message.
const conflictTries = 8

// ErrContention is the error of a write that collided with other writes in every try.
var ErrContention = fault.New(fault.Conflict, "row-contention", "Others are changing the same rows right now.")

// Canceled is a transaction that a condition refused. Nothing of it was written. Reasons has one
// entry per action, in order.
type Canceled struct{ Reasons []Reason }

// Reason says whether one action's condition failed, and the current item (nil if there is none).
type Reason struct {
	Failed bool
	Item   map[string]types.AttributeValue
}

// Error says which actions' conditions failed.
func (c *Canceled) Error() string {
	text := "record: conditions failed of actions"
	for i, r := range c.Reasons {
		if r.Failed {
			text += fmt.Sprintf(" %d", i)
		}
	}
	return text
}

// Transact writes all actions or none. It returns a *Canceled if a condition failed, which is a
// result and not a failure, and ErrContention if it kept colliding with other writes.
func Transact(ctx context.Context, db *dynamodb.Client, actions ...types.TransactWriteItem) error {
	return persist(ctx, func() error {
		_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
		return err
	})
}

// jitter waits a random part of 20, 40, 80 … 800 ms.
type jitter struct {
	backoff.ExponentialBackOff
	ctx context.Context // seeds the random part in a simulation
}

func newJitter(ctx context.Context) *jitter {
	return &jitter{backoff.ExponentialBackOff{
		InitialInterval: 20 * time.Millisecond, Multiplier: 2, MaxInterval: 800 * time.Millisecond,
	}, ctx}
}

// NextBackOff returns how long to wait.
func (j *jitter) NextBackOff() time.Duration {
	return time.Duration(chance.Float(j.ctx) * float64(j.ExponentialBackOff.NextBackOff()))
}

// persist runs a write, and again while it collides with other writes. It returns the errors of
// Transact.
func persist(ctx context.Context, write func() error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := write()
		if err == nil || collided(err) {
			return struct{}{}, err
		}
		return struct{}{}, backoff.Permanent(err)
	}, backoff.WithBackOff(newJitter(ctx)), backoff.WithMaxTries(conflictTries))
	switch {
	case err == nil:
		return nil
	case throttled(err):
		return errThrottled.Because(err)
	case collided(err):
		return ErrContention.Because(err)
	}
	if refused, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		c, failed := &Canceled{}, false
		for _, r := range refused.CancellationReasons {
			c.Reasons = append(c.Reasons,
				Reason{Failed: aws.ToString(r.Code) == "ConditionalCheckFailed", Item: r.Item})
			failed = failed || c.Reasons[len(c.Reasons)-1].Failed
		}
		if failed {
			return c
		}
	}
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return &Canceled{Reasons: []Reason{{Failed: true, Item: refused.Item}}}
	}
	return Failure(err)
}

// throttled reports whether a transaction exceeded a table's limits, and did not only collide.
func throttled(err error) bool {
	refused, ok := errors.AsType[*types.TransactionCanceledException](err)
	return ok && collided(err) &&
		slices.ContainsFunc(refused.CancellationReasons, func(r types.CancellationReason) bool {
			return aws.ToString(r.Code) != "None" && aws.ToString(r.Code) != "TransactionConflict"
		})
}

// collided reports whether a write failed because of concurrent writes or throttling and not because
// of a condition. A transaction with both kinds of reasons failed because of the condition.
func collided(err error) bool {
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return true
	}
	refused, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return false
	}
	retryable := false
	for _, r := range refused.CancellationReasons {
		switch aws.ToString(r.Code) {
		case "ConditionalCheckFailed", "ValidationError", "ItemCollectionSizeLimitExceeded":
			return false
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			retryable = true
		}
	}
	return retryable
}

// Refused returns the error that Save would return if a Put of c failed for this reason: nil if the
// current row is this very write, an *Exists, or ErrVersionConflict.
func (t Table) Refused(c Change, put types.TransactWriteItem, r Reason) error {
	return refused(c, put.Put.Item, r.Item)
}

// Failure gives an error of DynamoDB its kind: Throttled, Unavailable, or Internal for a bug of ours.
func Failure(err error) error {
	if err == nil {
		return nil
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch api.ErrorCode() {
		case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
			return errThrottled.Because(err)
		case "InternalServerError", "ServiceUnavailable":
			return errUnavailable.Because(err)
		}
		return err
	}
	return errUnavailable.Because(err) // no answer: the network failed or the context ended
}

var errUnavailable = fault.New(fault.Unavailable, "store-unavailable",
	"The store does not answer; try again shortly.").After(time.Second)
