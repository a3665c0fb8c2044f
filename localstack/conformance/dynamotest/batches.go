package dynamotest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

func batches() map[string]example {
	return map[string]example{
		"a batch writes to two tables":                      scenario(batchWrites),
		"a batch puts and deletes":                          scenario(batchDeletes),
		"25 writes are accepted, 26 are not":                scenario(batchWriteLimit),
		"two writes of one row are refused":                 scenario(batchWriteTwice),
		"a put and a delete of one row are refused":         scenario(batchPutDelete),
		"an empty batch is refused":                         scenario(emptyBatch),
		"a batch without writes for a table is refused":     scenario(tablelessBatch),
		"a batch with one invalid row writes nothing":       scenario(badBatch),
		"a batch to an unknown table is refused":            scenario(batchNowhere),
		"a batch reads from two tables":                     scenario(batchReads),
		"a batch omits absent rows":                         scenario(batchReadsAbsent),
		"a batch reads by a projection":                     scenario(batchReadsProjected),
		"100 keys are accepted, 101 are not":                scenario(batchReadLimit),
		"a batch with a repeated key is refused":            scenario(batchReadTwice),
		"an empty batch of keys is refused":                 scenario(emptyRead),
		"a batch with an invalid key is refused":            scenario(badRead),
		"16 MB are answered in part":                        scenario(largeRead),
		"a batch of reads from an unknown table is refused": scenario(batchReadNowhere),
	}
}

func putting(i item) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: attributes(i)}}
}

func deleting(key item) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: attributes(key)}}
}

func (s *stage) batch(t conformance.T, requests map[string][]types.WriteRequest) error {
	t.Helper()
	answer, err := s.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: requests})
	if err == nil {
		require.Empty(t, answer.UnprocessedItems)
	}
	return err
}

func batchWrites(t conformance.T, s *stage) {
	require.NoError(t,
		s.batch(t,
			map[string][]types.WriteRequest{s.rows: {putting(row(t, "a")), putting(row(t, "b"))},
				s.things: {putting(thing(t))}}))
	s.holds(t, s.things, thing(t), thing(t))
	require.EqualValues(t, 2, s.query(t, s.partition(t)).Count)
}

func batchDeletes(t conformance.T, s *stage) {
	s.fill(t, 2)
	require.NoError(t,
		s.batch(t,
			map[string][]types.WriteRequest{s.rows: {deleting(row(t, "r0")), deleting(row(t, "absent")),
				putting(with(row(t, "r1"), item{"n": 9}))}}))
	require.Equal(t, []string{text(attributes(with(row(t, "r1"), item{"n": 9})))},
		texts(s.query(t, s.partition(t)).Items))
}

func batchWriteLimit(t conformance.T, s *stage) {
	var all []types.WriteRequest
	for i := range 26 {
		all = append(all, putting(row(t, fmt.Sprint(i))))
	}
	refuses(t, s.batch(t, map[string][]types.WriteRequest{s.rows: all}), invalid, "")
	require.NoError(t, s.batch(t, map[string][]types.WriteRequest{s.rows: all[:25]}))
	require.EqualValues(t, 25, s.query(t, s.partition(t)).Count)
}

func batchWriteTwice(t conformance.T, s *stage) {
	refuses(t,
		s.batch(t,
			map[string][]types.WriteRequest{s.rows: {putting(row(t, "a")), putting(with(row(t, "a"), item{"n": 1}))}}),
		invalid, "")
	require.Zero(t, s.query(t, s.partition(t)).Count)
}

func batchPutDelete(t conformance.T, s *stage) {
	refuses(t, s.batch(t, map[string][]types.WriteRequest{s.rows: {putting(row(t, "a")), deleting(row(t, "a"))}}),
		invalid, "")
}

func emptyBatch(t conformance.T, s *stage) {
	refuses(t, s.batch(t, map[string][]types.WriteRequest{}), invalid, "")
}

func tablelessBatch(t conformance.T, s *stage) {
	refuses(t, s.batch(t, map[string][]types.WriteRequest{s.rows: {}}), invalid, "")
}

func badBatch(t conformance.T, s *stage) {
	refuses(t,
		s.batch(t, map[string][]types.WriteRequest{s.rows: {putting(row(t, "a")), putting(item{"pk": t.Name()})}}),
		invalid, "")
	require.Zero(t, s.query(t, s.partition(t)).Count)
}

func batchNowhere(t conformance.T, s *stage) {
	refuses(t,
		s.batch(t,
			map[string][]types.WriteRequest{s.rows: {putting(row(t, "a"))},
				"conformance-nowhere": {putting(thing(t))}}), missing, "")
}

// batchGet reads keys of several tables.
func (s *stage) batchGet(t conformance.T, requests map[string]types.KeysAndAttributes) (*dynamodb.BatchGetItemOutput,
	error) {
	t.Helper()
	return s.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: requests})
}

func wanted(keys ...item) types.KeysAndAttributes {
	all := types.KeysAndAttributes{ConsistentRead: aws.Bool(true), Keys: []map[string]types.AttributeValue{}}
	for _, key := range keys {
		all.Keys = append(all.Keys, attributes(key))
	}
	return all
}

func batchReads(t conformance.T, s *stage) {
	s.fill(t, 3)
	s.put(t, s.things, thing(t))
	answer,
		err := s.batchGet(t,
		map[string]types.KeysAndAttributes{s.rows: wanted(row(t, "r2"), row(t, "r0")), s.things: wanted(thing(t))})
	require.NoError(t, err)
	require.ElementsMatch(t, columned(2, 0), column(answer.Responses[s.rows], "n"))
	require.Equal(t, []string{text(attributes(thing(t)))}, texts(answer.Responses[s.things]))
	require.Empty(t, answer.UnprocessedKeys)
}

func batchReadsAbsent(t conformance.T, s *stage) {
	s.fill(t, 1)
	answer, err := s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: wanted(row(t, "r0"), row(t, "r1"))})
	require.NoError(t, err)
	require.Equal(t, columned(0), column(answer.Responses[s.rows], "n"))
	answer, err = s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: wanted(row(t, "r1"))})
	require.NoError(t, err)
	require.Empty(t, answer.Responses[s.rows])
}

func batchReadsProjected(t conformance.T, s *stage) {
	s.put(t, s.rows, with(row(t, "a"), item{"n": 1, "m": item{"x": 1, "y": 2}}))
	keys := wanted(row(t, "a"))
	keys.ProjectionExpression, keys.ExpressionAttributeNames = aws.String("#m.x"), names{"#m": "m"}
	answer, err := s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: keys})
	require.NoError(t, err)
	require.Equal(t, []string{text(attributes(item{"m": item{"x": 1}}))}, texts(answer.Responses[s.rows]))
}

func batchReadLimit(t conformance.T, s *stage) {
	var keys []item
	for i := range 101 {
		keys = append(keys, row(t, fmt.Sprint(i)))
	}
	_, err := s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: wanted(keys...)})
	refuses(t, err, invalid, "")
	_, err = s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: wanted(keys[:100]...)})
	require.NoError(t, err)
}

func batchReadTwice(t conformance.T, s *stage) {
	_, err := s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: wanted(row(t, "a"), row(t, "a"))})
	refuses(t, err, invalid, "")
}

func emptyRead(t conformance.T, s *stage) {
	_, err := s.batchGet(t, map[string]types.KeysAndAttributes{})
	refuses(t, err, invalid, "")
	_, err = s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: wanted()})
	refuses(t, err, invalid, "")
}

func badRead(t conformance.T, s *stage) {
	_, err := s.batchGet(t, map[string]types.KeysAndAttributes{s.rows: wanted(item{"pk": "a"})})
	refuses(t, err, invalid, "")
}

func batchReadNowhere(t conformance.T, s *stage) {
	_, err := s.batchGet(t, map[string]types.KeysAndAttributes{"conformance-nowhere": wanted(thing(t))})
	refuses(t, err, missing, "")
}

func largeRead(t conformance.T, s *stage) {
	var keys []item
	for i := range 44 { // 44 × 390 KB exceed 16 MB
		s.put(t, s.rows, with(row(t, fmt.Sprint(i)), item{"s": strings.Repeat("x", 390<<10)}))
		keys = append(keys, row(t, fmt.Sprint(i)))
	}
	asked := map[string]types.KeysAndAttributes{s.rows: wanted(keys...)}
	found, rounds := []string{}, 0
	for len(asked) > 0 && rounds < 10 {
		answer, err := s.batchGet(t, asked)
		require.NoError(t, err)
		for _, i := range answer.Responses[s.rows] {
			found = append(found, written(document(i["sk"])))
		}
		asked, rounds = answer.UnprocessedKeys, rounds+1
	}
	slices.Sort(found)
	require.Len(t, slices.Compact(found), 44)
	require.Equal(t, 2, rounds)
}
