package dynamotest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

func capacity() map[string]example {
	return map[string]example{
		"capacity is returned only on request":                        scenario(unaskedCapacity),
		"a put costs one unit per KB, rounded up":                     scenario(putCapacity),
		"an update costs the larger of the old and the new size":      scenario(updateCapacity),
		"a delete costs the size of the deleted item":                 scenario(deleteCapacity),
		"a delete of an absent item costs one unit":                   scenario(absentCapacity),
		"a consistent read costs one unit per 4 KB, rounded up":       scenario(consistentCapacity),
		"an eventually consistent read costs half":                    scenario(eventualCapacity),
		"a read of an absent item costs as much as the smallest item": scenario(nothingCapacity),
		"a query costs the total size of the items that it reads":     scenario(queryCapacity),
		"a filter does not make a query cheaper":                      scenario(filterCapacity),
		"a projection does not make a read cheaper":                   scenario(projectionCapacity),
		"a transaction costs twice its writes":                        scenario(transactionCapacity),
		"a transaction costs twice its reads":                         scenario(transactionReadCapacity),
		"a batch costs each of its writes":                            scenario(batchCapacity),
		"a batch costs each of its reads":                             scenario(batchReadCapacity),
		"a write costs each index that projects it":                   scenario(indexCapacity),
		"a write costs no index that does not project it":             scenario(noIndexCapacity),
		"a change outside an index's projection costs it nothing":     scenario(unseenCapacity),
		"a change within an index's projection costs it one write":    scenario(seenCapacity),
		"a change of an index's key costs it two writes":              scenario(movedCapacity),
		"an item that leaves an index costs it one write":             scenario(leftCapacity),
		"a query of an index is charged to the index":                 scenario(indexQueryCapacity),
	}
}

// kilobytes returns an item with the key that has count KB and extra bytes, key included.
func kilobytes(key item, count, extra int) item {
	bytes := count<<10 + extra - len("s")
	for name, v := range key {
		bytes -= len(name) + len(v.(string))
	}
	return with(key, item{"s": strings.Repeat("y", bytes)})
}

// spent formats consumed capacity: the total, then the units of the table and of each index if they
// were requested.
func spent(c *types.ConsumedCapacity) string {
	if c == nil {
		return "none"
	}
	units := fmt.Sprint(aws.ToFloat64(c.CapacityUnits))
	if c.Table != nil {
		units += fmt.Sprint(" table ", aws.ToFloat64(c.Table.CapacityUnits))
	}
	for _, index := range []string{"byDue", "byOwner", "byTag"} {
		if used, ok := c.GlobalSecondaryIndexes[index]; ok {
			units += fmt.Sprint(" ", index, " ", aws.ToFloat64(used.CapacityUnits))
		}
	}
	return units
}

// putSpends puts an item and asserts its cost.
func (s *stage) putSpends(t conformance.T, table string, i item, want string, asked types.ReturnConsumedCapacity) {
	t.Helper()
	done,
		err := s.db.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: &table, Item: attributes(i), ReturnConsumedCapacity: asked})
	require.NoError(t, err)
	require.Equal(t, want, spent(done.ConsumedCapacity))
}

func unaskedCapacity(t conformance.T, s *stage) {
	s.putSpends(t, s.things, thing(t), "none", "")
	s.putSpends(t, s.things, thing(t), "none", types.ReturnConsumedCapacityNone)
	got, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.things, Key: attributes(thing(t))})
	require.NoError(t, err)
	require.Nil(t, got.ConsumedCapacity)
}

func putCapacity(t conformance.T, s *stage) {
	s.putSpends(t, s.things, thing(t), "1", types.ReturnConsumedCapacityTotal)
	s.putSpends(t, s.things, kilobytes(thing(t), 1, 0), "1", types.ReturnConsumedCapacityTotal)
	s.putSpends(t, s.things, kilobytes(thing(t), 1, 1), "2", types.ReturnConsumedCapacityTotal)
	s.putSpends(t, s.things, kilobytes(thing(t), 7, 0), "7", types.ReturnConsumedCapacityTotal)
	// the larger of the old and the new item counts
	s.putSpends(t, s.things, thing(t), "7", types.ReturnConsumedCapacityTotal)
}

func updateCapacity(t conformance.T, s *stage) {
	spends := func(do string, values item, want string) {
		t.Helper()
		done,
			err := s.db.UpdateItem(t.Context(),
			&dynamodb.UpdateItemInput{TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: &do,
				ExpressionAttributeValues: attributes(values),
				ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal})
		require.NoError(t, err)
		require.Equal(t, want, spent(done.ConsumedCapacity))
	}
	spends("SET n = :v", item{":v": 1}, "1")
	spends("SET s = :v", item{":v": strings.Repeat("y", 2500)}, "3")
	spends("SET n = :v", item{":v": 2}, "3")
	spends("REMOVE s", nil, "3")
	spends("SET n = :v", item{":v": 3}, "1")
}

func (s *stage) deleteSpends(t conformance.T, table string, key item, want string, asked types.ReturnConsumedCapacity) {
	t.Helper()
	done,
		err := s.db.DeleteItem(t.Context(),
		&dynamodb.DeleteItemInput{TableName: &table, Key: attributes(key), ReturnConsumedCapacity: asked})
	require.NoError(t, err)
	require.Equal(t, want, spent(done.ConsumedCapacity))
}

func deleteCapacity(t conformance.T, s *stage) {
	s.put(t, s.things, kilobytes(thing(t), 3, 1))
	s.deleteSpends(t, s.things, thing(t), "4", types.ReturnConsumedCapacityTotal)
}

func absentCapacity(t conformance.T, s *stage) {
	s.deleteSpends(t, s.things, thing(t), "1", types.ReturnConsumedCapacityTotal)
}

func (s *stage) getSpends(t conformance.T, consistent bool, show string, want string) {
	t.Helper()
	got,
		err := s.db.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: &s.things, Key: attributes(thing(t)), ConsistentRead: &consistent,
			ProjectionExpression: optional(show), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	require.NoError(t, err)
	require.Equal(t, want, spent(got.ConsumedCapacity))
}

func consistentCapacity(t conformance.T, s *stage) {
	s.put(t, s.things, kilobytes(thing(t), 4, 0))
	s.getSpends(t, true, "", "1")
	s.put(t, s.things, kilobytes(thing(t), 4, 1))
	s.getSpends(t, true, "", "2")
}

func eventualCapacity(t conformance.T, s *stage) {
	s.put(t, s.things, kilobytes(thing(t), 4, 0))
	s.getSpends(t, false, "", "0.5")
	s.put(t, s.things, kilobytes(thing(t), 8, 1))
	s.getSpends(t, false, "", "1.5")
}

func nothingCapacity(t conformance.T, s *stage) {
	s.getSpends(t, true, "", "1")
	s.getSpends(t, false, "", "0.5")
}

func projectionCapacity(t conformance.T, s *stage) {
	s.put(t, s.things, kilobytes(thing(t), 9, 0))
	s.getSpends(t, true, "id", "3")
}

func (s *stage) querySpends(t conformance.T, q *dynamodb.QueryInput, want string, asked types.ReturnConsumedCapacity) {
	t.Helper()
	q.ReturnConsumedCapacity = asked
	require.Equal(t, want, spent(s.query(t, q).ConsumedCapacity))
}

func queryCapacity(t conformance.T, s *stage) {
	q := s.partition(t)
	for _, name := range []string{"a", "b", "c"} {
		s.put(t, s.rows, kilobytes(row(t, name), 2, 0))
	}
	s.querySpends(t, q, "2", types.ReturnConsumedCapacityTotal) // 6 KB
	q.ConsistentRead = aws.Bool(false)
	s.querySpends(t, q, "1", types.ReturnConsumedCapacityTotal)
	q.Limit = aws.Int32(1)
	s.querySpends(t, q, "0.5", types.ReturnConsumedCapacityTotal)
}

func filterCapacity(t conformance.T, s *stage) {
	s.put(t, s.rows, kilobytes(row(t, "a"), 8, 1))
	q := s.partition(t)
	q.FilterExpression = aws.String("attribute_exists(absent)")
	s.querySpends(t, q, "3", types.ReturnConsumedCapacityTotal)
}

func transactionCapacity(t conformance.T, s *stage) {
	answer, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		TransactItems: transaction{actions: []action{puts("a", item{"s": strings.Repeat("y", 1500)}, ""),
			checks("b", "attribute_not_exists(pk)"), putsThing("")}}.all(t, s),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{s.rows: "6", s.things: "2"}, perTable(answer.ConsumedCapacity))
}

func perTable(all []types.ConsumedCapacity) map[string]string {
	units := map[string]string{}
	for i := range all {
		units[aws.ToString(all[i].TableName)] = spent(&all[i])
	}
	return units
}

func transactionReadCapacity(t conformance.T, s *stage) {
	s.put(t, s.things, kilobytes(thing(t), 4, 1))
	answer, err := s.db.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{
		TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: &s.things,
			Key: attributes(thing(t))}}},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{s.things: "4"}, perTable(answer.ConsumedCapacity))
}

func batchCapacity(t conformance.T, s *stage) {
	answer, err := s.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{s.things: {putting(kilobytes(thing(t), 1, 1))},
			s.rows: {putting(row(t, "a")), putting(row(t, "b"))}},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{s.things: "2", s.rows: "2"}, perTable(answer.ConsumedCapacity))
}

func batchReadCapacity(t conformance.T, s *stage) {
	s.put(t, s.rows, kilobytes(row(t, "a"), 4, 1))
	answer, err := s.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{s.rows: wanted(row(t, "a"), row(t, "b"))},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{s.rows: "3"}, perTable(answer.ConsumedCapacity))
}

func owned(t conformance.T, more item) item {
	return with(row(t, "a"), item{"owner": t.Name(), "at": 1}, more)
}

func indexCapacity(t conformance.T, s *stage) {
	s.putSpends(t, s.rows, owned(t, item{"open": "y", "due": 1}), "3 table 1 byDue 1 byOwner 1",
		types.ReturnConsumedCapacityIndexes)
	s.deleteSpends(t, s.rows, row(t, "a"), "3 table 1 byDue 1 byOwner 1", types.ReturnConsumedCapacityIndexes)
}

func noIndexCapacity(t conformance.T, s *stage) {
	s.putSpends(t, s.rows, row(t, "a"), "1 table 1", types.ReturnConsumedCapacityIndexes)
	s.putSpends(t, s.rows, row(t, "b"), "1", types.ReturnConsumedCapacityTotal)
}

func unseenCapacity(t conformance.T, s *stage) {
	open := with(row(t, "a"), item{"open": "y", "due": 1})
	s.put(t, s.rows, open)
	s.putSpends(t, s.rows, with(open, item{"other": 1}), "1 table 1", types.ReturnConsumedCapacityIndexes)
}

func seenCapacity(t conformance.T, s *stage) {
	s.put(t, s.rows, owned(t, nil))
	s.putSpends(t, s.rows, owned(t, item{"other": 1}), "2 table 1 byOwner 1", types.ReturnConsumedCapacityIndexes)
}

func movedCapacity(t conformance.T, s *stage) {
	s.put(t, s.rows, owned(t, nil))
	s.putSpends(t, s.rows, owned(t, item{"at": 2}), "3 table 1 byOwner 2", types.ReturnConsumedCapacityIndexes)
}

func leftCapacity(t conformance.T, s *stage) {
	s.put(t, s.rows, owned(t, nil))
	s.putSpends(t, s.rows, row(t, "a"), "2 table 1 byOwner 1", types.ReturnConsumedCapacityIndexes)
}

func indexQueryCapacity(t conformance.T, s *stage) {
	s.put(t, s.rows, owned(t, nil))
	q := s.owned(t, "byOwner", "owner")
	require.Len(t, eventually(1, func() []map[string]types.AttributeValue { return s.query(t, q).Items }), 1)
	s.querySpends(t, q, "0.5 table 0 byOwner 0.5", types.ReturnConsumedCapacityIndexes)
}
