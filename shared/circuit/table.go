package circuit

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
	"backroom/shared/record"
)

// ErrVersionConflict means that another write came first.
var ErrVersionConflict = fault.New(fault.Conflict, "circuit-version-conflict",
	"Another instance has changed the circuit.")

// Table stores circuits in DynamoDB, a row per service.
type Table struct {
	DB   *dynamodb.Client
	Name string
}

type item struct {
	PK      string `dynamodbav:"pk"`
	Version int    `dynamodbav:"version"`
	Until   int64  `dynamodbav:"until,omitempty"` // milliseconds since 1970; missing: closed
}

// Read returns a circuit's state, eventually consistent: it costs half a unit.
func (t Table) Read(ctx context.Context, service string) (State, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: record.PrimaryKey(service)})
	if err != nil {
		return State{}, record.Failure(err)
	}
	var i item
	if err := attributevalue.UnmarshalMap(out.Item, &i); err != nil {
		return State{}, fmt.Errorf("circuit: decode %s: %w", service, err)
	}
	s := State{Version: i.Version}
	if i.Until != 0 {
		s.Until = time.UnixMilli(i.Until).UTC()
	}
	return s, nil
}

// Write stores the next version of a state. It returns ErrVersionConflict if another write came
// first.
func (t Table) Write(ctx context.Context, service string, s State) error {
	i := item{PK: service, Version: s.Version + 1}
	if !s.Until.IsZero() {
		i.Until = s.Until.UnixMilli()
	}
	set, err := record.SetAll(i)
	if err != nil {
		return fmt.Errorf("circuit: encode: %w", err)
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: record.PrimaryKey(service), UpdateExpression: &set.Expression,
		ExpressionAttributeNames: set.Names, ExpressionAttributeValues: set.Values,
		ConditionExpression: aws.String("attribute_not_exists(pk)"),
	}
	if s.Version > 0 {
		in.ConditionExpression = aws.String("version = :read")
		in.ExpressionAttributeValues[":read"] = &types.AttributeValueMemberN{Value: strconv.Itoa(s.Version)}
	}
	_, err = t.DB.UpdateItem(ctx, in)
	if _, moved := errors.AsType[*types.ConditionalCheckFailedException](err); moved {
		return ErrVersionConflict.Because(err)
	}
	return record.Failure(err)
}
