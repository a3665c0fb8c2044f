package dynamo_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/dynamo"
	"backroom/localstack/cloudsim/wire"
)

// world is a DB and its clock.
type world struct {
	t   testing.TB
	db  *dynamo.DB
	now time.Time
}

// newWorld returns a DB with the table Orders. Its key is pk. Its index overdue has the keys open
// and due, and projects only keys. It has a stream of both images, and its time-to-live attribute
// is ttl.
func newWorld(t testing.TB, change func(*world, *dynamo.Settings)) *world {
	w := &world{t: t, now: time.Unix(1772366400, 0)}
	s := dynamo.Settings{Region: "eu-central-1", Account: "000000000000", Now: func() time.Time { return w.now }}
	if change != nil {
		change(w, &s)
	}
	w.db = dynamo.New(s)
	w.do("CreateTable", `{"TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "open", "AttributeType": "S"}, {"AttributeName": "due", "AttributeType": "N"}],
		"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
		"GlobalSecondaryIndexes": [{"IndexName": "overdue", "KeySchema": [{"AttributeName": "open", "KeyType": "HASH"}, {"AttributeName": "due", "KeyType": "RANGE"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}],
		"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}`)
	w.do("UpdateTimeToLive",
		`{"TableName": "Orders", "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": true}}`)
	return w
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

// try carries out a request. It returns the answer, the code of the error or empty, and the usage.
func (w *world) try(operation, body string) (answer, refused string, used []wire.Use) {
	w.t.Helper()
	b, used, err := w.db.Do(operation, []byte(body))
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		_, refused, _ = strings.Cut(refusal.Type, "#")
		return string(refusal.Document()), refused, used
	}
	require.NoError(w.t, err)
	return string(b), "", used
}

// do carries out a request that must succeed.
func (w *world) do(operation, body string) (string, []wire.Use) {
	w.t.Helper()
	answer, refused, used := w.try(operation, body)
	require.Empty(w.t, refused, answer)
	return answer, used
}

// put writes an item with the attributes to Orders.
func (w *world) put(attributes string) []wire.Use {
	w.t.Helper()
	_, used := w.do("PutItem", `{"TableName": "Orders", "Item": {`+attributes+`}}`)
	return used
}

// get reads an item of Orders.
func (w *world) get(key string, consistent bool) string {
	w.t.Helper()
	kind := "false"
	if consistent {
		kind = "true"
	}
	answer, _ := w.do("GetItem", `{"TableName": "Orders", "Key": {"pk": {"S": "`+key+`"}}, "ConsistentRead": `+kind+`}`)
	return answer
}

// overdue returns the keys in the index, in its order.
func (w *world) overdue() []string {
	w.t.Helper()
	answer, _ := w.do("Query", `{"TableName": "Orders", "IndexName": "overdue", "KeyConditionExpression": "#o = :yes",
		"ExpressionAttributeNames": {"#o": "open"}, "ExpressionAttributeValues": {":yes": {"S": "yes"}}}`)
	return keys(w.t, answer)
}

func keys(t testing.TB, answer string) []string {
	t.Helper()
	var page struct {
		Items []map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &page))
	found := []string{}
	for _, item := range page.Items {
		found = append(found, item["pk"]["S"].(string))
	}
	return found
}

// record is a stream record.
type record struct {
	EventName    string
	UserIdentity map[string]string // a map, because encoding/json ignores the case of a struct's members
	Dynamodb     struct {
		Keys           map[string]map[string]string
		SequenceNumber string
		SizeBytes      int
	}
}

// shards returns the ARN of the stream of Orders, and the ids of its shards.
func (w *world) shards() (string, []string) {
	w.t.Helper()
	var list struct{ Streams []struct{ StreamArn string } }
	answer, _ := w.do("ListStreams", `{"TableName": "Orders"}`)
	require.NoError(w.t, json.Unmarshal([]byte(answer), &list))
	arn := list.Streams[0].StreamArn
	var described struct {
		StreamDescription struct{ Shards []struct{ ShardID string } }
	}
	answer, _ = w.do("DescribeStream", `{"StreamArn": "`+arn+`"}`)
	require.NoError(w.t, json.Unmarshal([]byte(answer), &described))
	var ids []string
	for _, s := range described.StreamDescription.Shards {
		ids = append(ids, s.ShardID)
	}
	return arn, ids
}

// iterators returns an iterator for each shard.
func (w *world) iterators(kind string) []string {
	w.t.Helper()
	arn, ids := w.shards()
	var all []string
	for _, id := range ids {
		answer,
			_ := w.do("GetShardIterator", `{"StreamArn": "`+arn+`", "ShardId": "`+id+`", "ShardIteratorType": "`+kind+
			`"}`)
		var i struct{ ShardIterator string }
		require.NoError(w.t, json.Unmarshal([]byte(answer), &i))
		all = append(all, i.ShardIterator)
	}
	return all
}

// records reads the records after each iterator.
func (w *world) records(iterators []string) [][]record {
	w.t.Helper()
	var all [][]record
	for _, i := range iterators {
		answer, _ := w.do("GetRecords", `{"ShardIterator": "`+i+`"}`)
		var page struct{ Records []record }
		require.NoError(w.t, json.Unmarshal([]byte(answer), &page))
		all = append(all, page.Records)
	}
	return all
}
