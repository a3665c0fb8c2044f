// Package notifydb stores in DynamoDB the status of every notice, and the suppressed recipients. It
// stores no address.
package notifydb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/notify"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Store is the table of notices: a row per notice, and a row per suppressed recipient.
type Store struct {
	DB    *dynamodb.Client
	Name  string
	Nonce func() string // makes each claim unique
}

var errUnread = errors.New("notifydb: a row cannot be decoded") // the cause is left out: it may contain an address

// item is the row of a notice.
type item struct {
	PK        string           `dynamodbav:"pk"`
	Shop      saga.Shop        `dynamodbav:"shop"`
	Order     string           `dynamodbav:"order"`
	Template  notify.Template  `dynamodbav:"template"`
	Refund    string           `dynamodbav:"refund,omitempty"`
	Status    notify.Status    `dynamodbav:"status"`
	Claim     string           `dynamodbav:"claim"`
	Until     int64            `dynamodbav:"until,omitempty"` // milliseconds since 1970; the end of the claim
	At        int64            `dynamodbav:"at,omitempty"`    // milliseconds since 1970; when it became final
	Recipient notify.Recipient `dynamodbav:"recipient,omitempty"`
	Message   string           `dynamodbav:"message,omitempty"`
}

func toItem(c notify.Claim, status notify.Status) item {
	n := c.Notice
	return item{PK: n.Key(), Shop: n.Shop, Order: n.Order, Template: n.Template, Refund: n.Refund, Status: status,
		Claim: c.Token}
}

// suppression is the row of a suppressed recipient.
type suppression struct {
	PK string `dynamodbav:"pk"`
	At int64  `dynamodbav:"at"` // milliseconds since 1970
}

func suppressionKey(r notify.Recipient) string { return "suppressed#" + string(r) }

// Claim claims a notice until the lease ends. It returns notify.ErrSettled for a final notice, and
// notify.ErrBeingSent for a claimed one; other errors are those of record.Failure. If the answer is
// lost and the SDK repeats the request, Claim recognizes its own claim.
func (s Store) Claim(ctx context.Context, n notify.Notice, now, until time.Time) (notify.Claim, error) {
	c := notify.Claim{Notice: n, Token: s.Nonce(), Until: until}
	claimed := toItem(c, notify.Sending)
	claimed.Until = until.UnixMilli()
	stands, err := s.put(ctx, claimed,
		"attribute_not_exists(pk) OR (#status = :sending AND (attribute_not_exists(#until) OR #until <= :now))",
		map[string]string{"#status": "status", "#until": "until"},
		map[string]any{":sending": notify.Sending, ":now": now.UnixMilli()})
	switch {
	case err != nil || stands == nil || stands.Claim == c.Token:
		return c, err
	case stands.Status == notify.Sending:
		return c, notify.ErrBeingSent
	}
	err = saga.Known("notice "+claimed.PK, "status", stands.Status, notify.Sent, notify.Suppressed)
	return c, cmp.Or(err, error(notify.ErrSettled))
}

// Settled reports whether a notice is final. It returns notify.ErrBeingSent for a claimed one; other
// errors are those of record.Failure.
func (s Store) Settled(ctx context.Context, n notify.Notice, now time.Time) (bool, error) {
	out, err := s.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Name, Key: record.PrimaryKey(n.Key()), ConsistentRead: aws.Bool(true),
	})
	if err != nil || out.Item == nil {
		return false, record.Failure(err)
	}
	var i item
	if err := attributevalue.UnmarshalMap(out.Item, &i); err != nil {
		return false, errUnread
	}
	if i.Status == notify.Sending && now.UnixMilli() < i.Until {
		return false, notify.ErrBeingSent
	}
	return i.Status != notify.Sending, nil
}

// Release ends a claim early, so that the notice can be claimed at once: it deletes the row. It
// returns notify.ErrBeingSent if the claim lapsed and the notice was claimed again; other errors are
// those of record.Failure.
func (s Store) Release(ctx context.Context, c notify.Claim) error {
	_, err := s.DB.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.Name, Key: record.PrimaryKey(c.Notice.Key()),
		ConditionExpression:      aws.String("attribute_not_exists(pk) OR #claim = :claim"),
		ExpressionAttributeNames: map[string]string{"#claim": "claim"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":claim": &types.AttributeValueMemberS{Value: c.Token},
		},
	})
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		return notify.ErrBeingSent
	}
	return record.Failure(err)
}

// Settle makes a claimed notice final. It returns notify.ErrBeingSent if the claim lapsed and the
// notice was claimed again; other errors are those of record.Failure.
func (s Store) Settle(ctx context.Context, c notify.Claim, o notify.Outcome) error {
	final := toItem(c, o.Status)
	final.At, final.Recipient, final.Message = o.At.UnixMilli(), o.Recipient, o.Message
	stands, err := s.put(ctx, final, "#claim = :claim", map[string]string{"#claim": "claim"},
		map[string]any{":claim": c.Token})
	if err == nil && stands != nil {
		return notify.ErrBeingSent
	}
	return err
}

// put writes a row under a condition, and keeps the attributes of the existing row that this release
// does not know. If the condition fails, it returns the existing row.
func (s Store) put(
	ctx context.Context, row item, condition string, names map[string]string, values map[string]any,
) (stands *item, err error) {
	set, err := record.SetAll(row)
	if err != nil {
		return nil, fmt.Errorf("notifydb: encode notice: %w", err)
	}
	bound, err := attributevalue.MarshalMap(values)
	if err != nil {
		return nil, fmt.Errorf("notifydb: encode condition: %w", err)
	}
	maps.Copy(set.Names, names)
	maps.Copy(set.Values, bound)
	_, err = s.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: record.PrimaryKey(row.PK), UpdateExpression: &set.Expression,
		ConditionExpression: &condition, ExpressionAttributeNames: set.Names, ExpressionAttributeValues: set.Values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return nil, record.Failure(err)
	}
	stands = &item{}
	if err := attributevalue.UnmarshalMap(refused.Item, stands); err != nil {
		return nil, errUnread
	}
	return stands, nil
}

// Suppressed reports whether a recipient is suppressed. Errors are those of record.Failure.
func (s Store) Suppressed(ctx context.Context, r notify.Recipient) (bool, error) {
	out, err := s.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Name, Key: record.PrimaryKey(suppressionKey(r)), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return false, record.Failure(err)
	}
	return out.Item != nil, nil
}

// Suppress stops all further mail to a recipient. Errors are those of record.Failure.
func (s Store) Suppress(ctx context.Context, r notify.Recipient, at time.Time) error {
	row := suppression{suppressionKey(r), at.UnixMilli()}
	set, err := record.SetAll(row)
	if err != nil {
		return fmt.Errorf("notifydb: encode suppression: %w", err)
	}
	_, err = s.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Name, Key: record.PrimaryKey(row.PK), UpdateExpression: &set.Expression,
		ExpressionAttributeNames: set.Names, ExpressionAttributeValues: set.Values,
	})
	return record.Failure(err)
}
