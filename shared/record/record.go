// Package record is the only writer of orders, reservations and charges. A row has a version and a
// history. Every write raises the version by one, on the condition that the row still has the version
// that was loaded. The facts of a version are in its history, and the table's stream carries them to
// package relay: state and facts are one write. A write keeps the attributes that this release does
// not know; stores of other rows keep theirs with Unmarshal and Marshal, or with Set.
package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// HistoryLimit is the largest number of entries in a row's history. Beyond it the oldest entries
// except the first are dropped. No decision depends on a dropped entry.
const HistoryLimit = 100

// The errors of reads and writes.
var (
	ErrNotFound        = fault.New(fault.NotFound, "row-not-found", "There is no such row.")
	ErrVersionConflict = fault.New(fault.Conflict, "row-version-conflict",
		"The row was changed by another since it was loaded.")
	ErrExists = fault.New(fault.Duplicate, "row-exists", "The row exists already.")
)

// Table is one table of rows.
type Table struct {
	DB    *dynamodb.Client
	Name  string
	Now   func() time.Time
	Nonce func() string // a new row's nonce, which tells it from a deleted row with its key
}

// Key returns a row's primary key: the shop, and an id that is unique in it.
func Key(shop saga.Shop, id string) string { return string(shop) + "#" + id }

// Change is the next version of a row.
type Change struct {
	Key     string
	Item    any          // the row's own attributes, for attributevalue; they contain the facts' data
	History saga.History // as loaded; the zero History for a new row
	Cause   saga.Cause   // the message or request, and its sender
	Facts   []saga.Fact  // at least one
}

// envelope is the attributes that every row has beside its own.
type envelope struct {
	PK      string  `dynamodbav:"pk"`
	Version int     `dynamodbav:"version"`
	Nonce   string  `dynamodbav:"nonce"`
	History []entry `dynamodbav:"history"`
	// facts of this version with consumers; the stream filter uses it
	Publishes int `dynamodbav:"publishes,omitempty"`
}

type entry struct {
	Version int       `dynamodbav:"v" record:"key"`
	Fact    saga.Fact `dynamodbav:"fact" record:"key"`
	At      int64     `dynamodbav:"at"` // milliseconds since 1970
	Cause   string    `dynamodbav:"cause"`
	Actor   string    `dynamodbav:"actor"`
}

// Load reads the row with the key consistently into item and returns its history. It returns
// ErrNotFound if there is no such row.
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

// Decode reads a row's image into item, a pointer to a struct, and returns its history. The Rest of
// the history is what item has no field for.
func Decode(image map[string]types.AttributeValue, item any) (saga.History, error) {
	var e envelope
	if err := attributevalue.UnmarshalMap(image, &e); err != nil {
		return saga.History{}, fmt.Errorf("record: decode row: %w", err)
	}
	if err := attributevalue.UnmarshalMap(image, item); err != nil {
		return saga.History{}, fmt.Errorf("record: decode row %s: %w", e.PK, err)
	}
	return e.history(rowLayout(item).rest(image)), nil
}

// Exists is the ErrExists of a Save, with the existing row.
type Exists struct {
	Image map[string]types.AttributeValue
}

// Error says that the row exists.
func (e *Exists) Error() string { return ErrExists.Error() }

// Unwrap returns ErrExists.
func (e *Exists) Unwrap() error { return ErrExists }

// Save writes the change. It returns ErrVersionConflict if the row changed since it was loaded, an
// *Exists if a new row already exists, and ErrContention if it kept colliding with transactions. If
// the answer to a write was lost and the SDK repeats the write, Save recognises the row as its own.
func (t Table) Save(ctx context.Context, c Change) error {
	_, err := t.SaveNext(ctx, c)
	return err
}

// SaveNext is Save, and returns the row's new history, so that the row can be saved again without a
// read.
func (t Table) SaveNext(ctx context.Context, c Change) (saga.History, error) {
	put, err := t.put(c)
	if err != nil {
		return saga.History{}, err
	}
	if err := t.write(ctx, c, put); err != nil {
		return saga.History{}, err
	}
	var e envelope
	if err := attributevalue.UnmarshalMap(put.Item, &e); err != nil {
		return saga.History{}, fmt.Errorf("record: decode row %s: %w", c.Key, err)
	}
	return e.history(rowLayout(c.Item).rest(put.Item)), nil
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

// Put returns the change as an action of Transact. If the transaction is canceled because of it,
// Refused returns the reason.
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
	rowLayout(c.Item).add(c.History.Rest, image)
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

// refused returns the meaning of a failed condition: nil if the current row equals the written one in
// every attribute that c.Item knows, so that only its first answer was lost; *Exists for a new row;
// ErrVersionConflict otherwise. An equal cause alone proves nothing: two deliveries of one message
// may have written different rows. Attributes that c.Item does not know prove nothing either: a
// newer release may have added them since.
func refused(c Change, written, current map[string]types.AttributeValue) error {
	switch {
	case rowLayout(c.Item).same(written, current):
		return nil
	case c.History.Version == 0:
		return &Exists{Image: current}
	}
	return ErrVersionConflict
}

func (e envelope) history(rest saga.Rest) saga.History {
	h := saga.History{Version: e.Version, Nonce: e.Nonce, Rest: rest}
	for _, l := range e.History {
		h.Entries = append(h.Entries, saga.Entry{
			Version: l.Version, Fact: l.Fact, At: time.UnixMilli(l.At).UTC(),
			Cause: saga.Cause{ID: l.Cause, Actor: l.Actor},
		})
	}
	return h
}

// PrimaryKey returns the key in DynamoDB's form. Every table of the template has one key attribute,
// pk.
func PrimaryKey(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: key}}
}
