// Package sandboxdb keeps the payment sandbox's intents, answers and used-up cards in DynamoDB, in a table of its own: plain
// items that nobody listens to.
package sandboxdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/fault"
	"backroom/shared/payment/sandbox"
	"backroom/shared/record"
)

// ErrMoved is what Keep comes back with if another was faster.
var ErrMoved = fault.New(fault.Conflict, "sandbox-moved", "The intent or the key was changed by another meanwhile.")

// Ledger keeps intents, answers, and which payment methods are used up.
type Ledger struct {
	DB   *dynamodb.Client
	Name string
}

type intentItem struct {
	PK                 string            `dynamodbav:"pk"`
	Version            int               `dynamodbav:"version"`
	ID                 string            `dynamodbav:"id"`
	Status             string            `dynamodbav:"status"`
	Amount             int64             `dynamodbav:"amount"`
	Currency           string            `dynamodbav:"currency"`
	CaptureMethod      string            `dynamodbav:"capture_method"`
	ConfirmationMethod string            `dynamodbav:"confirmation_method"`
	PaymentMethod      string            `dynamodbav:"payment_method,omitempty"`
	LastError          *declineItem      `dynamodbav:"last_error,omitempty"`
	Metadata           map[string]string `dynamodbav:"metadata"`
	Created            int64             `dynamodbav:"created"` // milliseconds since 1970
	Settles            int64             `dynamodbav:"settles,omitempty"`
	Authorizations     int               `dynamodbav:"sandbox_authorizations"`
}

type declineItem struct {
	Code        string `dynamodbav:"code"`
	DeclineCode string `dynamodbav:"decline_code,omitempty"`
	Message     string `dynamodbav:"message"`
	Card        string `dynamodbav:"card"`
}

type answerItem struct {
	PK      string `dynamodbav:"pk"`
	Request string `dynamodbav:"request"`
	Status  int    `dynamodbav:"status"`
	Body    string `dynamodbav:"body"`
	Ready   int64  `dynamodbav:"ready"`   // milliseconds since 1970
	Expires int64  `dynamodbav:"expires"` // seconds since 1970: the table's TTL cleans up after it, and decides nothing
}

type usedItem struct {
	PK string `dynamodbav:"pk"`
}

// Intent returns an intent, read consistently. It returns fault.NotFound for none.
func (l Ledger) Intent(ctx context.Context, id string) (sandbox.Intent, error) {
	var item intentItem
	if err := l.get(ctx, intentKey(id), &item); err != nil {
		return sandbox.Intent{}, err
	}
	i := sandbox.Intent{
		ID: item.ID, Version: item.Version, Status: sandbox.Status(item.Status), Amount: item.Amount, Currency: item.Currency,
		CaptureMethod: item.CaptureMethod, ConfirmationMethod: item.ConfirmationMethod, PaymentMethod: item.PaymentMethod,
		LastError: (*sandbox.Decline)(item.LastError), Metadata: item.Metadata, Created: time.UnixMilli(item.Created).UTC(),
		Authorizations: item.Authorizations,
	}
	if item.Settles != 0 {
		i.Settles = time.UnixMilli(item.Settles).UTC()
	}
	return i, nil
}

// Answer returns what was answered under a key, read consistently. It returns fault.NotFound for a key that is not known.
func (l Ledger) Answer(ctx context.Context, key string) (sandbox.Answer, error) {
	var item answerItem
	if err := l.get(ctx, answerKey(key), &item); err != nil {
		return sandbox.Answer{}, err
	}
	return sandbox.Answer{
		Key: key, Request: item.Request, Status: item.Status, Body: item.Body,
		Ready: time.UnixMilli(item.Ready).UTC(), Expires: time.Unix(item.Expires, 0).UTC(),
	}, nil
}

// UsedUp reports whether a payment method that pays only once has paid, read consistently.
func (l Ledger) UsedUp(ctx context.Context, paymentMethod string) (bool, error) {
	err := l.get(ctx, usedKey(paymentMethod), &usedItem{})
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Keep stores a change, all of it or nothing. It returns fault.Conflict if the intent moved on since it was read, the key
// was used since and has not expired, or the payment method was used up since.
func (l Ledger) Keep(ctx context.Context, c sandbox.Change, now time.Time) error {
	var actions []types.TransactWriteItem
	if i := c.Intent; i != nil {
		put, err := l.put(toItem(*i), "attribute_not_exists(pk)", nil)
		if i.Version > 0 {
			put, err = l.put(toItem(*i), "version = :read", number(":read", int64(i.Version)))
		}
		if err != nil {
			return err
		}
		actions = append(actions, put)
	}
	if a := c.Answer; a != nil {
		item := answerItem{answerKey(a.Key), a.Request, a.Status, a.Body, a.Ready.UnixMilli(), a.Expires.Unix()}
		put, err := l.put(item, "attribute_not_exists(pk) OR expires <= :now", number(":now", now.Unix()))
		if err != nil {
			return err
		}
		actions = append(actions, put)
	}
	if c.UsesUp != "" {
		put, err := l.put(usedItem{usedKey(c.UsesUp)}, "attribute_not_exists(pk)", nil)
		if err != nil {
			return err
		}
		actions = append(actions, put)
	}
	err := record.Transact(ctx, l.DB, actions...)
	if refused, ok := errors.AsType[*record.Cancelled](err); ok {
		return ErrMoved.Because(refused)
	}
	return err
}

func toItem(i sandbox.Intent) intentItem {
	item := intentItem{
		PK: intentKey(i.ID), Version: i.Version + 1, ID: i.ID, Status: string(i.Status), Amount: i.Amount, Currency: i.Currency,
		CaptureMethod: i.CaptureMethod, ConfirmationMethod: i.ConfirmationMethod, PaymentMethod: i.PaymentMethod,
		LastError: (*declineItem)(i.LastError), Metadata: i.Metadata, Created: i.Created.UnixMilli(), Authorizations: i.Authorizations,
	}
	if !i.Settles.IsZero() {
		item.Settles = i.Settles.UnixMilli()
	}
	return item
}

func (l Ledger) put(item any, condition string, values map[string]types.AttributeValue) (types.TransactWriteItem, error) {
	image, err := attributevalue.MarshalMap(item)
	if err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("sandboxdb: encode: %w", err)
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &l.Name, Item: image, ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, nil
}

func (l Ledger) get(ctx context.Context, key string, item any) error {
	out, err := l.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &l.Name, ConsistentRead: aws.Bool(true),
		Key: record.PrimaryKey(key),
	})
	switch {
	case err != nil:
		return record.Failure(err)
	case out.Item == nil:
		return record.ErrNotFound
	}
	if err := attributevalue.UnmarshalMap(out.Item, item); err != nil {
		return fmt.Errorf("sandboxdb: decode %s: %w", key, err)
	}
	return nil
}

func number(name string, n int64) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}}
}

func intentKey(id string) string { return "intent#" + id }

func answerKey(key string) string { return "key#" + key }

func usedKey(paymentMethod string) string { return "used#" + paymentMethod }
