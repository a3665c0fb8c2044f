package dynamotest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

func streams() map[string]example {
	return map[string]example{
		"a put of a new item writes an INSERT":            scenario(insertRecord),
		"a put over another item writes a MODIFY":         scenario(modifyRecord),
		"a put of an equal item writes no record":         scenario(unchangedRecord),
		"an update that changes nothing writes no record": scenario(unchangedUpdate),
		"a delete writes a REMOVE":                        scenario(removeRecord),
		"a delete of an absent item writes no record":     scenario(absentRecord),
		"a failed condition writes no record":             scenario(failedRecord),
		"an update writes a MODIFY with both images":      scenario(updateRecord),
		"records of one key are in order":                 scenario(orderedRecords),
		"a transaction writes a record for each item":     scenario(transactedRecords),
		"a canceled transaction writes no record":         scenario(cancelledRecords),
		"a batch writes a record for each item":           scenario(batchedRecords),
		"a stream of old images has no new ones":          scenario(oldImages),
		"a stream of new images has no old ones":          scenario(newImages),
		"a stream of keys has no images":                  scenario(keyRecords),
		"LATEST begins after the latest record":           scenario(latestRecords),
		"AFTER_SEQUENCE_NUMBER continues after a record":  scenario(afterRecord),
		"an unknown stream is refused":                    scenario(noStream),
	}
}

// record is a stream record.
type record struct {
	Name     string
	Old, New string // the images; "null" if there is none
}

// inserted, modified and removed are records with both images.
func inserted(i item) record { return record{"INSERT", "null", text(attributes(i))} }

func modified(old, new item) record {
	return record{"MODIFY", text(attributes(old)), text(attributes(new))}
}

func removed(i item) record { return record{"REMOVE", text(attributes(i)), "null"} }

// recorded waits until a table's stream has count records of the case's keys, for at most five
// seconds, and returns them in order.
func (s *stage) recorded(t conformance.T, table, keyName string, count int) []record {
	t.Helper()
	return eventually(count, func() []record { return s.records(t, table, keyName) })
}

// records reads all records of the case's keys in a table's stream.
func (s *stage) records(t conformance.T, table, keyName string) []record {
	t.Helper()
	all := []record{}
	for _, shard := range s.shards(t, table) {
		for _, r := range s.shard(t, table, &dynamodbstreams.GetShardIteratorInput{
			ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		}) {
			if s.ofCase(t, r, keyName) {
				all = append(all,
					record{string(r.EventName), image(t, r.Dynamodb.OldImage), image(t, r.Dynamodb.NewImage)})
			}
		}
	}
	return all
}

// image returns an image as text; "null" if there is none.
func image(t conformance.T, of map[string]streamtypes.AttributeValue) string {
	t.Helper()
	if of == nil {
		return "null"
	}
	all, err := attributevalue.FromDynamoDBStreamsMap(of)
	require.NoError(t, err)
	return text(all)
}

// ofCase reports whether a record has one of the case's keys.
func (s *stage) ofCase(t conformance.T, r streamtypes.Record, keyName string) bool {
	switch v := r.Dynamodb.Keys[keyName].(type) {
	case *streamtypes.AttributeValueMemberS:
		return v.Value == t.Name()
	case *streamtypes.AttributeValueMemberB:
		return string(v.Value) == t.Name()
	}
	return false
}

func (s *stage) stream(t conformance.T, table string) *string {
	t.Helper()
	described, err := s.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	require.NoError(t, err)
	require.NotNil(t, described.Table.LatestStreamArn)
	return described.Table.LatestStreamArn
}

func (s *stage) shards(t conformance.T, table string) []streamtypes.Shard {
	t.Helper()
	described,
		err := s.streams.DescribeStream(t.Context(),
		&dynamodbstreams.DescribeStreamInput{StreamArn: s.stream(t, table)})
	require.NoError(t, err)
	require.NotEmpty(t, described.StreamDescription.Shards)
	return described.StreamDescription.Shards
}

// shard reads a shard until it returns no more records.
func (s *stage) shard(t conformance.T, table string, from *dynamodbstreams.GetShardIteratorInput) []streamtypes.Record {
	t.Helper()
	from.StreamArn = s.stream(t, table)
	at, err := s.streams.GetShardIterator(t.Context(), from)
	require.NoError(t, err)
	return s.follow(t, at.ShardIterator)
}

func (s *stage) follow(t conformance.T, iterator *string) []streamtypes.Record {
	t.Helper()
	var all []streamtypes.Record
	for iterator != nil {
		page, err := s.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		require.NoError(t, err)
		if len(page.Records) == 0 {
			return all
		}
		all, iterator = append(all, page.Records...), page.NextShardIterator
	}
	return all
}

func (s *stage) remove(t conformance.T, table string, key item) {
	t.Helper()
	_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: attributes(key)})
	require.NoError(t, err)
}

func (s *stage) update(t conformance.T, do string, values item) {
	t.Helper()
	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: &do,
		ExpressionAttributeValues: attributes(values),
	})
	require.NoError(t, err)
}

func insertRecord(t conformance.T, s *stage) {
	s.put(t, s.things, with(thing(t), item{"m": item{"l": list{1, nil}}, "ss": words{"a"}}))
	require.Equal(t, []record{inserted(with(thing(t), item{"m": item{"l": list{1, nil}}, "ss": words{"a"}}))},
		s.recorded(t, s.things, "id", 1))
}

func modifyRecord(t conformance.T, s *stage) {
	one, two := with(thing(t), item{"n": 1}), with(thing(t), item{"n": 2})
	s.put(t, s.things, one)
	s.put(t, s.things, two)
	require.Equal(t, []record{inserted(one), modified(one, two)}, s.recorded(t, s.things, "id", 2))
}

func unchangedRecord(t conformance.T, s *stage) {
	one, two := with(thing(t), item{"n": 1}), with(thing(t), item{"n": 2})
	s.put(t, s.things, one)
	s.put(t, s.things, one)
	s.put(t, s.things, two)
	require.Equal(t, []record{inserted(one), modified(one, two)}, s.recorded(t, s.things, "id", 2))
}

func unchangedUpdate(t conformance.T, s *stage) {
	one := with(thing(t), item{"n": 1})
	s.put(t, s.things, one)
	s.update(t, "SET n = :n", item{":n": 1})
	s.update(t, "REMOVE absent", nil)
	s.remove(t, s.things, thing(t))
	require.Equal(t, []record{inserted(one), removed(one)}, s.recorded(t, s.things, "id", 2))
}

func removeRecord(t conformance.T, s *stage) {
	one := with(thing(t), item{"n": 1})
	s.put(t, s.things, one)
	s.remove(t, s.things, thing(t))
	s.put(t, s.things, one)
	require.Equal(t, []record{inserted(one), removed(one), inserted(one)}, s.recorded(t, s.things, "id", 3))
}

func absentRecord(t conformance.T, s *stage) {
	s.remove(t, s.things, thing(t))
	s.put(t, s.things, thing(t))
	require.Equal(t, []record{inserted(thing(t))}, s.recorded(t, s.things, "id", 1))
}

func failedRecord(t conformance.T, s *stage) {
	s.put(t, s.things, thing(t))
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &s.things, Item: attributes(with(thing(t), item{"n": 1})),
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	})
	refuses(t, err, failed, "")
	s.remove(t, s.things, thing(t))
	require.Equal(t, []record{inserted(thing(t)), removed(thing(t))}, s.recorded(t, s.things, "id", 2))
}

func updateRecord(t conformance.T, s *stage) {
	one, two := with(thing(t), item{"n": 1, "m": item{"a": 1}}), with(thing(t), item{"n": 2, "m": item{"a": 1, "b": 2}})
	s.put(t, s.things, one)
	s.update(t, "SET m.b = :n ADD n :one", item{":n": 2, ":one": 1})
	require.Equal(t, []record{inserted(one), modified(one, two)}, s.recorded(t, s.things, "id", 2))
}

func orderedRecords(t conformance.T, s *stage) {
	want := []record{inserted(with(thing(t), item{"n": 0}))}
	for n := range 20 {
		s.put(t, s.things, with(thing(t), item{"n": n}))
		if n > 0 {
			want = append(want, modified(with(thing(t), item{"n": n - 1}), with(thing(t), item{"n": n})))
		}
	}
	require.Equal(t, want, s.recorded(t, s.things, "id", 20))
}

func transactedRecords(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, "", putsThing(""), puts("a", nil, ""), checks("b", "attribute_not_exists(pk)")))
	require.Equal(t, []record{inserted(thing(t))}, s.recorded(t, s.things, "id", 1))
	require.Len(t, s.recorded(t, s.rows, "pk", 1), 1)
}

func cancelledRecords(t conformance.T, s *stage) {
	refuses(t, s.transact(t, "", putsThing(""), checks("b", "attribute_exists(pk)")), cancelled, "")
	s.put(t, s.things, with(thing(t), item{"n": 1}))
	require.Equal(t, []record{inserted(with(thing(t), item{"n": 1}))}, s.recorded(t, s.things, "id", 1))
}

func batchedRecords(t conformance.T, s *stage) {
	s.fill(t, 1)
	require.NoError(t,
		s.batch(t,
			map[string][]types.WriteRequest{s.rows: {putting(row(t, "a")), deleting(row(t, "r0")),
				deleting(row(t, "absent"))}}))
	require.Len(t, s.recorded(t, s.rows, "pk", 3), 3)
}

func oldImages(t conformance.T, s *stage) {
	one := with(row(t, "a"), item{"n": 1})
	s.put(t, s.rows, one)
	s.put(t, s.rows, with(row(t, "a"), item{"n": 2}))
	require.Equal(t, []record{{"INSERT", "null", "null"}, {"MODIFY", text(attributes(one)), "null"}},
		s.recorded(t, s.rows, "pk", 2))
}

func newImages(t conformance.T, s *stage) {
	one := item{"pk": t.Name(), "sk": 1, "n": 1}
	s.put(t, s.scores, one)
	s.remove(t, s.scores, item{"pk": t.Name(), "sk": 1})
	require.Equal(t, []record{{"INSERT", "null", text(attributes(one))}, {"REMOVE", "null", "null"}},
		s.recorded(t, s.scores, "pk", 2))
}

func keyRecords(t conformance.T, s *stage) {
	key := item{"pk": []byte(t.Name()), "sk": []byte{1}}
	s.put(t, s.blobs, with(key, item{"n": 1}))
	s.remove(t, s.blobs, key)
	require.Equal(t, []record{{"INSERT", "null", "null"}, {"REMOVE", "null", "null"}}, s.recorded(t, s.blobs, "pk", 2))
}

func latestRecords(t conformance.T, s *stage) {
	s.put(t, s.things, with(thing(t), item{"n": 1}))
	require.Len(t, s.recorded(t, s.things, "id", 1), 1)
	var iterators []*string
	for _, shard := range s.shards(t, s.things) {
		at, err := s.streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{
			StreamArn: s.stream(t, s.things), ShardId: shard.ShardId,
			ShardIteratorType: streamtypes.ShardIteratorTypeLatest,
		})
		require.NoError(t, err)
		iterators = append(iterators, at.ShardIterator)
	}
	s.put(t, s.things, with(thing(t), item{"n": 2}))
	found := eventually(1, func() []string {
		images := []string{}
		for _, iterator := range iterators {
			for _, r := range s.follow(t, iterator) {
				if s.ofCase(t, r, "id") {
					images = append(images, image(t, r.Dynamodb.NewImage))
				}
			}
		}
		return images
	})
	require.Equal(t, []string{text(attributes(with(thing(t), item{"n": 2})))}, found)
}

func afterRecord(t conformance.T, s *stage) {
	for n := range 3 {
		s.put(t, s.things, with(thing(t), item{"n": n}))
	}
	require.Len(t, s.recorded(t, s.things, "id", 3), 3)
	for kind, left := range map[streamtypes.ShardIteratorType]int{
		streamtypes.ShardIteratorTypeAfterSequenceNumber: 1, streamtypes.ShardIteratorTypeAtSequenceNumber: 2,
	} {
		shard, second := s.second(t)
		found := 0
		for _, r := range s.shard(t, s.things, &dynamodbstreams.GetShardIteratorInput{
			ShardId: shard, ShardIteratorType: kind, SequenceNumber: second,
		}) {
			if s.ofCase(t, r, "id") {
				found++
			}
		}
		require.Equal(t, left, found, "%s", kind)
	}
}

// second returns the shard and the sequence number of the case's second record.
func (s *stage) second(t conformance.T) (shardID, sequence *string) {
	t.Helper()
	for _, shard := range s.shards(t, s.things) {
		seen := 0
		for _, r := range s.shard(t, s.things, &dynamodbstreams.GetShardIteratorInput{
			ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		}) {
			if s.ofCase(t, r, "id") {
				seen++
			}
			if seen == 2 {
				return shard.ShardId, r.Dynamodb.SequenceNumber
			}
		}
	}
	require.Fail(t, "no second record")
	return nil, nil
}

func noStream(t conformance.T, s *stage) {
	arn := *s.stream(t, s.things) + "0"
	_, err := s.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
	require.Contains(t, []string{missing, invalid}, code(err), "%v", err)
}
