// Package sandboxdb stores the payment sandbox's intents, answers, used-up cards and setup in
// DynamoDB, in a table of its own, which has no stream.
//
// A scan of the table's intents is also a ledger of money. The shop has the sum of amount_received
// - sandbox_refunded - sandbox_disputed over the items with sandbox_authorizations. No intent may have been authorized
// or captured more than once.
package sandboxdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/fault"
	"backroom/shared/record"
	"backroom/shared/saga"
	"backroom/shared/sandbox"
)

// ErrMoved means that another request changed an item of the change since it was read.
var ErrMoved = fault.New(fault.Conflict, "sandbox-version-conflict",
	"Another request has changed the intent or the key.")

// Ledger stores intents, answers, the setup, and the used-up payment methods.
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
	Secret             string            `dynamodbav:"client_secret"`
	Created            int64             `dynamodbav:"created"` // milliseconds since 1970, as all times but TTLs
	Authenticated      bool              `dynamodbav:"authenticated,omitempty"`
	Settles            int64             `dynamodbav:"settles,omitempty"`
	Authorized         int64             `dynamodbav:"authorized,omitempty"`
	CanceledAt         int64             `dynamodbav:"canceled_at,omitempty"`
	CancellationReason string            `dynamodbav:"cancellation_reason,omitempty"`
	Captured           int64             `dynamodbav:"amount_received"`
	Refunds            []refundItem      `dynamodbav:"refunds,omitempty"`
	Disputes           []disputeItem     `dynamodbav:"disputes,omitempty"`
	Authorizations     int               `dynamodbav:"sandbox_authorizations"`
	Captures           int               `dynamodbav:"sandbox_captures"`
	// the sum of the refunds that did not fail
	Refunded int64 `dynamodbav:"sandbox_refunded"`
	Disputed int64 `dynamodbav:"sandbox_disputed,omitempty"` // the sum of the disputes not won
}

type disputeItem struct {
	ID      string `dynamodbav:"id" record:"key"`
	Amount  int64  `dynamodbav:"amount"`
	Status  string `dynamodbav:"status"`
	Created int64  `dynamodbav:"created"`
}

type refundItem struct {
	ID       string            `dynamodbav:"id" record:"key"`
	Amount   int64             `dynamodbav:"amount"`
	Status   string            `dynamodbav:"status"`
	Reason   string            `dynamodbav:"reason,omitempty"`
	Metadata map[string]string `dynamodbav:"metadata"`
	Created  int64             `dynamodbav:"created"`
	Becomes  string            `dynamodbav:"becomes,omitempty"`
	Settles  int64             `dynamodbav:"settles,omitempty"`
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
	Ready   int64  `dynamodbav:"ready"` // milliseconds since 1970
	// seconds since 1970: the table's TTL deletes the item later, and has no other effect
	Expires int64 `dynamodbav:"expires"`
}

type usedItem struct {
	PK string `dynamodbav:"pk"`
}

type setupItem struct {
	PK        string         `dynamodbav:"pk"`
	Version   int            `dynamodbav:"version"`
	Outage    int64          `dynamodbav:"outage,omitempty"`
	Endpoints []endpointItem `dynamodbav:"endpoints,omitempty"`
}

type endpointItem struct {
	ID      string   `dynamodbav:"id" record:"key"`
	URL     string   `dynamodbav:"url"`
	Events  []string `dynamodbav:"events"`
	Secret  string   `dynamodbav:"secret"`
	Created int64    `dynamodbav:"created"`
}

// Intent returns an intent, read consistently. It returns fault.NotFound for an unknown one.
func (l Ledger) Intent(ctx context.Context, id string) (sandbox.Intent, error) {
	var item intentItem
	rest, err := l.get(ctx, intentKey(id), &item)
	if err != nil {
		return sandbox.Intent{}, err
	}
	i := sandbox.Intent{
		ID: item.ID, Version: item.Version, Rest: rest, Status: sandbox.Status(item.Status), Amount: item.Amount,
		Currency:      item.Currency,
		CaptureMethod: item.CaptureMethod, ConfirmationMethod: item.ConfirmationMethod,
		PaymentMethod: item.PaymentMethod,
		LastError:     (*sandbox.Decline)(item.LastError), Metadata: item.Metadata, Secret: item.Secret,
		Created:       at(item.Created),
		Authenticated: item.Authenticated, Settles: at(item.Settles), Authorized: at(item.Authorized),
		CanceledAt:         at(item.CanceledAt),
		CancellationReason: item.CancellationReason, Captured: item.Captured, Authorizations: item.Authorizations,
		Captures: item.Captures,
	}
	for _, r := range item.Refunds {
		i.Refunds = append(i.Refunds, sandbox.Refund{
			ID: r.ID, Amount: r.Amount, Status: sandbox.RefundStatus(r.Status), Reason: r.Reason, Metadata: r.Metadata,
			Created: at(r.Created),
			Becomes: sandbox.RefundStatus(r.Becomes), Settles: at(r.Settles),
		})
	}
	for _, d := range item.Disputes {
		i.Disputes = append(i.Disputes, sandbox.Dispute{
			ID: d.ID, Amount: d.Amount, Status: sandbox.DisputeStatus(d.Status), Created: at(d.Created),
		})
	}
	return i, nil
}

// Setup returns the setup, read consistently; the zero Setup if nothing was configured.
func (l Ledger) Setup(ctx context.Context) (sandbox.Setup, error) {
	var item setupItem
	rest, err := l.get(ctx, setupKey, &item)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return sandbox.Setup{}, err
	}
	s := sandbox.Setup{Version: item.Version, Outage: at(item.Outage), Rest: rest}
	for _, e := range item.Endpoints {
		s.Endpoints = append(s.Endpoints,
			sandbox.Endpoint{ID: e.ID, URL: e.URL, Events: e.Events, Secret: e.Secret, Created: at(e.Created)})
	}
	return s, nil
}

// Answer returns the answer of a key, read consistently. It returns fault.NotFound for an unknown
// key.
func (l Ledger) Answer(ctx context.Context, key string) (sandbox.Answer, error) {
	var item answerItem
	if _, err := l.get(ctx, answerKey(key), &item); err != nil {
		return sandbox.Answer{}, err
	}
	return sandbox.Answer{
		Key: key, Request: item.Request, Status: item.Status, Body: item.Body,
		Ready: at(item.Ready), Expires: time.Unix(item.Expires, 0).UTC(),
	}, nil
}

// UsedUp reports whether a payment method that pays only once has paid, read consistently.
func (l Ledger) UsedUp(ctx context.Context, paymentMethod string) (bool, error) {
	_, err := l.get(ctx, usedKey(paymentMethod), &usedItem{})
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Keep stores a change, all of it or nothing. It returns fault.Conflict if the intent or the setup
// changed since it was read, if the key was used since and has not expired, or if the payment
// method was used up since.
func (l Ledger) Keep(ctx context.Context, c sandbox.Change, now time.Time) error {
	var actions []types.TransactWriteItem
	if i := c.Intent; i != nil {
		put, err := l.next(toItem(*i), i.Rest, i.Version)
		if err != nil {
			return err
		}
		actions = append(actions, put)
	}
	if c.Setup != nil {
		put, err := l.next(toSetupItem(*c.Setup), c.Setup.Rest, c.Setup.Version)
		if err != nil {
			return err
		}
		actions = append(actions, put)
	}
	if a := c.Answer; a != nil {
		item := answerItem{answerKey(a.Key), a.Request, a.Status, a.Body, a.Ready.UnixMilli(), a.Expires.Unix()}
		put, err := l.put(item, saga.Rest{}, "attribute_not_exists(pk) OR expires <= :now", number(":now", now.Unix()))
		if err != nil {
			return err
		}
		actions = append(actions, put)
	}
	if c.UsesUp != "" {
		put, err := l.put(usedItem{usedKey(c.UsesUp)}, saga.Rest{}, "attribute_not_exists(pk)", nil)
		if err != nil {
			return err
		}
		actions = append(actions, put)
	}
	err := record.Transact(ctx, l.DB, actions...)
	if refused, ok := errors.AsType[*record.Canceled](err); ok {
		return ErrMoved.Because(refused)
	}
	return err
}

func toItem(i sandbox.Intent) intentItem {
	item := intentItem{
		PK: intentKey(i.ID), Version: i.Version + 1, ID: i.ID, Status: string(i.Status), Amount: i.Amount,
		Currency:      i.Currency,
		CaptureMethod: i.CaptureMethod, ConfirmationMethod: i.ConfirmationMethod, PaymentMethod: i.PaymentMethod,
		LastError: (*declineItem)(i.LastError), Metadata: i.Metadata, Secret: i.Secret, Created: milli(i.Created),
		Authenticated: i.Authenticated, Settles: milli(i.Settles), Authorized: milli(i.Authorized),
		CanceledAt:         milli(i.CanceledAt),
		CancellationReason: i.CancellationReason, Captured: i.Captured,
		Authorizations: i.Authorizations, Captures: i.Captures, Refunded: i.Refunded(), Disputed: i.Disputed(),
	}
	for _, r := range i.Refunds {
		item.Refunds = append(item.Refunds, refundItem{
			r.ID, r.Amount, string(r.Status), r.Reason, r.Metadata, milli(r.Created), string(r.Becomes),
			milli(r.Settles),
		})
	}
	for _, d := range i.Disputes {
		item.Disputes = append(item.Disputes, disputeItem{d.ID, d.Amount, string(d.Status), milli(d.Created)})
	}
	return item
}

func toSetupItem(s sandbox.Setup) setupItem {
	item := setupItem{PK: setupKey, Version: s.Version + 1, Outage: milli(s.Outage)}
	for _, e := range s.Endpoints {
		item.Endpoints = append(item.Endpoints, endpointItem{e.ID, e.URL, e.Events, e.Secret, milli(e.Created)})
	}
	return item
}

// next puts the version after read. With read 0, the item must not exist yet.
func (l Ledger) next(item any, rest saga.Rest, read int) (types.TransactWriteItem, error) {
	if read == 0 {
		return l.put(item, rest, "attribute_not_exists(pk)", nil)
	}
	return l.put(item, rest, "version = :read", number(":read", int64(read)))
}

func (l Ledger) put(
	item any, rest saga.Rest, condition string, values map[string]types.AttributeValue,
) (types.TransactWriteItem, error) {
	image, err := record.Marshal(item, rest)
	if err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("sandboxdb: encode: %w", err)
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &l.Name, Item: image, ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, nil
}

func (l Ledger) get(ctx context.Context, key string, item any) (saga.Rest, error) {
	out, err := l.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &l.Name, ConsistentRead: aws.Bool(true),
		Key: record.PrimaryKey(key),
	})
	switch {
	case err != nil:
		return saga.Rest{}, record.Failure(err)
	case out.Item == nil:
		return saga.Rest{}, record.ErrNotFound
	}
	rest, err := record.Unmarshal(out.Item, item)
	if err != nil {
		return saga.Rest{}, fmt.Errorf("sandboxdb: decode %s: %w", key, err)
	}
	return rest, nil
}

// at and milli convert a time to an attribute and back; 0 is the zero time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func number(name string, n int64) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}}
}

func intentKey(id string) string { return "intent#" + id }

func answerKey(key string) string { return "key#" + key }

const setupKey = "setup"

func usedKey(paymentMethod string) string { return "used#" + paymentMethod }
