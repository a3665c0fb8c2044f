package dynamotest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// The codes of refusals.
const (
	invalid    = "ValidationException"
	failed     = "ConditionalCheckFailedException"
	cancelled  = "TransactionCanceledException"
	mismatched = "IdempotentParameterMismatchException"
	missing    = "ResourceNotFoundException"
	inUse      = "ResourceInUseException"
)

// stage has the tables that cases share. Each case has its own key.
type stage struct {
	db      *dynamodb.Client
	streams *dynamodbstreams.Client

	things string // key id
	rows   string // key pk and sk; indexes byOwner, byDue and byTag
	scores string // key pk and the number sk
	blobs  string // key pk and sk, both binary
}

// newStage creates the tables. They are deleted when the test ends.
func newStage(t *testing.T, c Cloud) *stage {
	t.Helper()
	s := &stage{db: dynamodb.NewFromConfig(c.Config), streams: dynamodbstreams.NewFromConfig(c.Config)}
	run := "conformance-" + strings.ToLower(rand.Text()[:8])
	s.things, s.rows, s.scores, s.blobs = run+"-things", run+"-rows", run+"-scores", run+"-blobs"
	for _, table := range []*dynamodb.CreateTableInput{
		{
			TableName: &s.things, KeySchema: key("id"), AttributeDefinitions: defined("S", "id"),
			StreamSpecification: streaming(types.StreamViewTypeNewAndOldImages),
		},
		rowsTable(s.rows),
		{
			TableName: &s.scores, KeySchema: key("pk", "sk"),
			AttributeDefinitions: append(defined("S", "pk"), defined("N", "sk")...),
			StreamSpecification:  streaming(types.StreamViewTypeNewImage),
		},
		{
			TableName: &s.blobs, KeySchema: key("pk", "sk"), AttributeDefinitions: defined("B", "pk", "sk"),
			StreamSpecification: streaming(types.StreamViewTypeKeysOnly),
		},
	} {
		create(t, s.db, table)
	}
	return s
}

// rowsTable is a table with indexes: byOwner projects all attributes, byDue only keys, byTag keys
// and n. byDue is sparse: it has only rows with the attribute open.
func rowsTable(name string) *dynamodb.CreateTableInput {
	index := func(name string, projected types.Projection, names ...string) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{IndexName: &name, KeySchema: key(names...), Projection: &projected}
	}
	return &dynamodb.CreateTableInput{
		TableName: &name, KeySchema: key("pk", "sk"),
		AttributeDefinitions: append(defined("S", "pk", "sk", "owner", "open", "tag"), defined("N", "at", "due")...),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			index("byOwner", types.Projection{ProjectionType: types.ProjectionTypeAll}, "owner", "at"),
			index("byDue", types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}, "open", "due"),
			index("byTag",
				types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"n"}}, "tag"),
		},
		StreamSpecification: streaming(types.StreamViewTypeOldImage),
	}
}

func key(names ...string) []types.KeySchemaElement {
	kinds := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}
	var schema []types.KeySchemaElement
	for i, name := range names {
		schema = append(schema, types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kinds[i]})
	}
	return schema
}

func defined(kind types.ScalarAttributeType, names ...string) []types.AttributeDefinition {
	var all []types.AttributeDefinition
	for _, name := range names {
		all = append(all, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kind})
	}
	return all
}

func streaming(view types.StreamViewType) *types.StreamSpecification {
	return &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view}
}

// create creates an on-demand table and waits until it is active. The table is deleted when the
// test ends.
func create(t *testing.T, db *dynamodb.Client, table *dynamodb.CreateTableInput) {
	t.Helper()
	table.BillingMode = types.BillingModePayPerRequest
	_, err := db.CreateTable(t.Context(), table)
	require.NoError(t, err)
	t.Cleanup(func() {
		if _,
			err := db.DeleteTable(context.Background(),
			&dynamodb.DeleteTableInput{TableName: table.TableName}); err != nil {
			t.Errorf("remove %s: %v", *table.TableName, err)
		}
	})
	ready := dynamodb.NewTableExistsWaiter(db,
		func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second })
	require.NoError(t, ready.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: table.TableName}, time.Minute))
}

// thing returns the key of the case's item in the table things.
func thing(t conformance.T) item { return item{"id": t.Name()} }

// put stores an item in a table.
func (s *stage) put(t conformance.T, table string, i item) {
	t.Helper()
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: attributes(i)})
	require.NoError(t, err)
}

// holds asserts that a table has an item, or no item with the key if want is nil.
func (s *stage) holds(t conformance.T, table string, key, want item) {
	t.Helper()
	got,
		err := s.db.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: &table, Key: attributes(key), ConsistentRead: aws.Bool(true)})
	require.NoError(t, err)
	require.Equal(t, text(attributes(want)), text(got.Item), "the item in the table")
}

// code returns the code of a refusal; empty for no error.
func code(err error) string {
	if err == nil {
		return ""
	}
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return refused.ErrorCode()
	}
	return err.Error()
}

// refuses asserts a refusal with a code, whose text contains says.
func refuses(t conformance.T, err error, want string, says string) {
	t.Helper()
	require.Equal(t, want, code(err), "%v", err)
	if says != "" {
		require.ErrorContains(t, err, says)
	}
}
