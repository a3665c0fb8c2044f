// Package record is the only way to write an order, a hold or a charge: rows with a version and a log. Every write is
// conditional on the version that was loaded and raises it by one; there is no other kind of write. What a version
// announces is in its log entries, and the table's stream carries them on (package relay): state and facts are one write.
package record

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// HistoryLimit bounds a row's log. Beyond it the oldest entries but the first are dropped: the log is a diary, and no decision
// rests on it.
const HistoryLimit = 100

// What a read or a write may come back with.
var (
	ErrNotFound        = fault.New(fault.NotFound, "row-not-found", "There is no such row.")
	ErrVersionConflict = fault.New(fault.Conflict, "row-version-conflict", "The row was changed by another since it was loaded.")
	ErrExists          = fault.New(fault.Duplicate, "row-exists", "The row exists already.")
)

// Table is one table of rows.
type Table struct {
	DB    *dynamodb.Client
	Name  string
	Now   func() time.Time
	Nonce func() string // a new row's birth nonce
}

// Key is a row's primary key: the shop, and what tells the row from the shop's others.
func Key(shop saga.Shop, id string) string { return string(shop) + "#" + id }

// Change is one more version of a row.
type Change struct {
	Key     string
	Item    any          // the row's own attributes, marshalled by attributevalue; holds what its facts carry
	History saga.History // as it was loaded; the zero History for a row that must not exist yet
	Cause   saga.Cause   // who, because of what
	Facts   []saga.Fact  // what happened: at least one
}

// envelope is what every row has beside its own attributes.
type envelope struct {
	PK        string  `dynamodbav:"pk"`
	Version   int     `dynamodbav:"version"`
	Nonce     string  `dynamodbav:"nonce"`
	History   []entry `dynamodbav:"history"`
	Publishes int     `dynamodbav:"publishes,omitempty"` // how many facts of this version are heard: the stream filter asks for it
}

type entry struct {
	Version int       `dynamodbav:"v"`
	Fact    saga.Fact `dynamodbav:"fact"`
	At      int64     `dynamodbav:"at"` // milliseconds since 1970
	Cause   string    `dynamodbav:"cause"`
	Actor   string    `dynamodbav:"actor"`
}

// Load reads the row with the key, consistently, into item and returns its diary. It returns ErrNotFound for no row.
func (t Table) Load(ctx context.Context, key string, item any) (saga.History, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.Name, Key: PrimaryKey(key), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return saga.History{}, Failure(err)
	}
	if out.Item == nil {
		return saga.History{}, ErrNotFound
	}
	return Decode(out.Item, item)
}

// Decode reads a row's image into item and returns its diary.
func Decode(image map[string]types.AttributeValue, item any) (saga.History, error) {
	var e envelope
	if err := attributevalue.UnmarshalMap(image, &e); err != nil {
		return saga.History{}, fmt.Errorf("record: decode row: %w", err)
	}
	if err := attributevalue.UnmarshalMap(image, item); err != nil {
		return saga.History{}, fmt.Errorf("record: decode row %s: %w", e.PK, err)
	}
	return e.history(), nil
}

// Exists is the ErrExists of a Save: it holds the row that was there first.
type Exists struct {
	Image map[string]types.AttributeValue
}

// Error says that the row exists.
func (e *Exists) Error() string { return ErrExists.Error() }

// Unwrap returns ErrExists.
func (e *Exists) Unwrap() error { return ErrExists }

// Save writes the change. It returns ErrMoved if the row moved on since it was loaded and an *Exists if a new row is there
// already, and ErrBusy if it kept colliding with transactions. A write whose answer was lost and that the SDK repeats is
// recognised as this very write, not as another's.
func (t Table) Save(ctx context.Context, c Change) error {
	_, err := t.SaveNext(ctx, c)
	return err
}

// SaveNext is Save, and returns the diary that the row has then: who goes on with the row need not load it again.
func (t Table) SaveNext(ctx context.Context, c Change) (saga.History, error) {
	put, err := t.put(c)
	if err != nil {
		return saga.History{}, err
	}
	if err := t.write(ctx, c, put); err != nil {
		return saga.History{}, err
	}
	return Decode(put.Item, &struct{}{})
}

func (t Table) write(ctx context.Context, c Change, put *types.Put) error {
	err := persist(ctx, func() error {
		_, err := t.DB.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: put.TableName, Item: put.Item,
			ConditionExpression: put.ConditionExpression, ExpressionAttributeValues: put.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: put.ReturnValuesOnConditionCheckFailure,
		})
		return err
	})
	if failed, ok := errors.AsType[*Canceled](err); ok {
		return refused(c, put.Item, failed.Reasons[0].Item)
	}
	return err
}

// Put returns the change as part of a transaction (Transact). Where the transaction is refused for it, Refused says why.
func (t Table) Put(c Change) (types.TransactWriteItem, error) {
	put, err := t.put(c)
	return types.TransactWriteItem{Put: put}, err
}

func (t Table) put(c Change) (*types.Put, error) {
	if len(c.Facts) == 0 {
		return nil, fmt.Errorf("record: a write of %s without a fact", c.Key)
	}
	e := envelope{PK: c.Key, Version: c.History.Version + 1, Nonce: c.History.Nonce}
	if c.History.Version == 0 {
		e.Nonce = t.Nonce()
	}
	for _, old := range c.History.Entries {
		e.History = append(e.History, entry{old.Version, old.Fact, old.At.UnixMilli(), old.Cause.ID, old.Cause.Actor})
	}
	for _, f := range c.Facts {
		e.History = append(e.History, entry{e.Version, f, t.Now().UnixMilli(), c.Cause.ID, c.Cause.Actor})
		if f.HasConsumers() {
			e.Publishes++
		}
	}
	if over := len(e.History) - HistoryLimit; over > 0 {
		e.History = append(e.History[:1], e.History[1+over:]...)
	}
	image, err := attributevalue.MarshalMap(c.Item)
	if err != nil {
		return nil, fmt.Errorf("record: encode %s: %w", c.Key, err)
	}
	common, err := attributevalue.MarshalMap(e)
	if err != nil {
		return nil, fmt.Errorf("record: encode %s: %w", c.Key, err)
	}
	for name, value := range common {
		if _, taken := image[name]; taken {
			return nil, fmt.Errorf("record: row %s may not have an attribute %q of its own", c.Key, name)
		}
		image[name] = value
	}
	put := &types.Put{
		TableName: &t.Name, Item: image,
		ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if c.History.Version > 0 {
		put.ConditionExpression = aws.String("version = :loaded AND nonce = :nonce")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{
			":loaded": &types.AttributeValueMemberN{Value: fmt.Sprint(c.History.Version)},
			":nonce":  &types.AttributeValueMemberS{Value: c.History.Nonce},
		}
	}
	return put, nil
}

// refused tells what it means that the condition of a write did not hold: the row that stands is this very write, to its
// last attribute, and its first answer was lost; or a row was there first; or it moved on. The same cause alone proves
// nothing: two deliveries of one message may have come to different ends.
func refused(c Change, wrote, stands map[string]types.AttributeValue) error {
	switch {
	case reflect.DeepEqual(wrote, stands):
		return nil
	case c.History.Version == 0:
		return &Exists{Image: stands}
	}
	return ErrVersionConflict
}

func (e envelope) history() saga.History {
	d := saga.History{Version: e.Version, Nonce: e.Nonce}
	for _, l := range e.History {
		d.Entries = append(d.Entries, saga.Entry{
			Version: l.Version, Fact: l.Fact, At: time.UnixMilli(l.At).UTC(), Cause: saga.Cause{ID: l.Cause, Actor: l.Actor},
		})
	}
	return d
}

// PrimaryKey returns the key as DynamoDB takes it. Every table of the template has the one key attribute, pk.
func PrimaryKey(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: key}}
}
