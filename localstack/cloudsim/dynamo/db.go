// Package dynamo is a simulated DynamoDB with its streams. It speaks the JSON protocol of the
// service, so the unmodified SDK can use it. The caller supplies the clock, and there is no
// randomness: equal requests at equal times give equal answers, byte for byte. It follows AWS's
// documentation, and DynamoDB Local where the documentation is silent.
//
// Where the two disagree, it follows the documentation. A transaction counts two units for each
// one. An update that does not fit its item cancels the transaction. Each element of a batch is
// rounded up by itself. There is one exception, where others report that AWS differs from DynamoDB
// Local: UPDATED_OLD and UPDATED_NEW of a part of a document return the whole attribute.
package dynamo

import (
	"net/http"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
	"backroom/localstack/cloudsim/wire"
)

// Settings say how a DB behaves.
type Settings struct {
	Region, Account string
	Now             func() time.Time
	IndexLag        func() time.Duration // the delay between a table and its global secondary indexes; nil: none
	// the age of an eventually consistent read of a table, up to ReadHorizon; nil: none
	ReadLag func() time.Duration
	Limited bool // whether partitions are throttled at WriteLimit and ReadLimit
	Shards  int  // of each stream; 0: the constant Shards
}

// DB is all tables of one account in one region. It is not safe for concurrent use.
type DB struct {
	settings Settings
	tables   map[string]*table
	streams  map[string]*stream  // by ARN
	tokens   map[string]answered // idempotency tokens of transactions
	issued   []string            // the tokens, oldest first
	held     map[string]bool
	buckets  map[string]*bucket
	sequence uint64 // of the last stream record
}

// New returns a DB without tables.
func New(s Settings) *DB {
	if s.Shards == 0 {
		s.Shards = Shards
	}
	return &DB{
		settings: s, tables: map[string]*table{}, streams: map[string]*stream{}, tokens: map[string]answered{},
		held: map[string]bool{}, buckets: map[string]*bucket{},
	}
}

// request is one request and its usage.
type request struct {
	document.Node
	uses []wire.Use
}

// operations are the simulated operations, by their name in X-Amz-Target.
var operations map[string]func(*DB, *request) ([]byte, error)

func init() {
	operations = map[string]func(*DB, *request) ([]byte, error){
		"CreateTable": (*DB).createTable, "DescribeTable": (*DB).describeTable, "DeleteTable": (*DB).deleteTable,
		"ListTables": (*DB).listTables, "UpdateTable": (*DB).updateTable,
		"UpdateTimeToLive": (*DB).updateTimeToLive, "DescribeTimeToLive": (*DB).describeTimeToLive,
		"UpdateContinuousBackups": (*DB).updateBackups, "DescribeContinuousBackups": (*DB).describeBackups,
		"TagResource": (*DB).tagResource,
		"GetItem":     (*DB).getItem, "PutItem": (*DB).putItem, "UpdateItem": (*DB).updateItem,
		"DeleteItem": (*DB).deleteItem,
		"Query":      (*DB).query, "Scan": (*DB).scan,
		"BatchGetItem": (*DB).batchGetItem, "BatchWriteItem": (*DB).batchWriteItem,
		"TransactWriteItems": (*DB).transactWriteItems, "TransactGetItems": (*DB).transactGetItems,
		"ListStreams": (*DB).listStreams, "DescribeStream": (*DB).describeStream,
		"GetShardIterator": (*DB).getShardIterator, "GetRecords": (*DB).getRecords,
	}
}

// legacy are the parameters that expressions replaced in 2014.
var legacy = []string{
	"Expected", "AttributeUpdates", "ConditionalOperator", "AttributesToGet", "KeyConditions", "QueryFilter",
	"ScanFilter",
}

// Do carries out one request. operation is the part of X-Amz-Target after the dot. Every error is a
// *wire.Error. The usage is returned for refused requests too: a failed condition costs as much as
// the write would have.
func (db *DB) Do(operation string, body []byte) ([]byte, []wire.Use, error) {
	carryOut, ok := operations[operation]
	if !ok {
		return nil, nil,
			wire.Refuse("com.amazon.coral.service#UnknownOperationException",
				"cloudsim does not simulate the operation "+operation)
	}
	n, err := document.Parse(body)
	if err != nil || n.Kind != document.Object {
		return nil, nil,
			wire.Refuse("com.amazon.coral.service#SerializationException", "The request is not a JSON object")
	}
	r := &request{Node: n}
	if err := refuseLegacy(n); err != nil {
		return nil, nil, refusal(err)
	}
	if detail := n.Get("ReturnConsumedCapacity").Text; !oneOf(detail, []string{"NONE", "TOTAL", "INDEXES"}) {
		return nil, nil, refusal(enum("returnConsumedCapacity", detail, "[INDEXES, TOTAL, NONE]"))
	}
	answer, err := carryOut(db, r)
	if err != nil {
		return nil, r.uses, refusal(err)
	}
	return answer, r.uses, nil
}

func refuseLegacy(n document.Node) error {
	for _, name := range legacy {
		if n.Has(name) {
			return attribute.Refusal("cloudsim does not simulate the legacy parameter " + name + "; use an expression")
		}
	}
	return nil
}

// refusal returns an error as the wire has it. An attribute.Refusal becomes a ValidationException.
func refusal(err error) *wire.Error {
	switch e := err.(type) { //nolint:errorlint // an itemError is unwrapped here
	case *wire.Error:
		return e
	case itemError:
		return refusal(e.error)
	}
	return wire.Refuse("com.amazon.coral.validate#ValidationException", err.Error())
}

func refuse(exception, message string) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Type: "com.amazonaws.dynamodb.v20120810#" + exception,
		Message: message}
}

// itemError is a refusal that depends on the stored item. In a transaction it is the cancellation
// reason of one action.
type itemError struct{ error }

// null refuses a request that lacks a required member.
func null(member string) error {
	return attribute.Refusal("Value null at '" + member + "' failed to satisfy constraint: Member must not be null")
}
