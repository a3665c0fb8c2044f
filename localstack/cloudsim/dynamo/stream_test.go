package dynamo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/dynamo"
)

func TestStream_RecordsOfAKeyAreInOneShardInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for n := range 3 {
		for key := range 40 {
			w.put(fmt.Sprintf(`"pk": {"S": "ord_%d"}, "n": {"N": "%d"}`, key, n))
		}
	}

	shards := w.records(w.iterators("TRIM_HORIZON"))
	require.Len(t, shards, dynamo.Shards)
	where := map[string]int{}
	for shard, records := range shards {
		assert.NotEmpty(t, records, "40 keys reach every shard")
		assert.True(t, slices.IsSortedFunc(records, func(a, b record) int {
			if a.Dynamodb.SequenceNumber < b.Dynamodb.SequenceNumber {
				return -1
			}
			return 1
		}))
		seen := map[string]int{}
		for _, r := range records {
			key := r.Dynamodb.Keys["pk"]["S"]
			if before, ok := where[key]; ok {
				assert.Equal(t, before, shard, key)
			}
			where[key] = shard
			assert.Equal(t, []string{"INSERT", "MODIFY", "MODIFY"}[seen[key]], r.EventName)
			seen[key]++
		}
	}
	assert.Len(t, where, 40)
}

func TestStream_HasTheShardsOfTheSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *world, s *dynamo.Settings) { s.Shards = 8 })
	for key := range 80 {
		w.put(fmt.Sprintf(`"pk": {"S": "ord_%d"}`, key))
	}
	shards := w.records(w.iterators("TRIM_HORIZON"))
	require.Len(t, shards, 8)
	assert.Len(t, slices.Concat(shards...), 80)
}

func TestGetRecords_UnknownShardIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *world, s *dynamo.Settings) { s.Shards = 1 })
	right := w.iterators("TRIM_HORIZON")[0]
	wrong := strings.Replace(right, "|0|", "|1|", 1)
	require.NotEqual(t, right, wrong)
	_, refused, _ := w.try("GetRecords", `{"ShardIterator": "`+wrong+`"}`)
	assert.Equal(t, "ValidationException", refused)
}

func TestStream_RecordsAreTrimmedAfterADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.put(`"pk": {"S": "a"}`)
	first := slices.Concat(w.records(w.iterators("TRIM_HORIZON"))...)[0].Dynamodb.SequenceNumber
	w.pass(time.Hour)
	w.put(`"pk": {"S": "a"}, "n": {"N": "1"}`)

	w.pass(23 * time.Hour)
	assert.Len(t, slices.Concat(w.records(w.iterators("TRIM_HORIZON"))...), 2)
	w.pass(time.Second)
	left := slices.Concat(w.records(w.iterators("TRIM_HORIZON"))...)
	require.Len(t, left, 1)
	assert.Equal(t, "MODIFY", left[0].EventName)
	arn, shards := w.shards()
	refusals := 0
	for _, shard := range shards {
		_, refused,
			_ := w.try("GetShardIterator", `{"StreamArn": "`+arn+`", "ShardId": "`+shard+
			`", "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "`+first+`"}`)
		if refused == "TrimmedDataAccessException" {
			refusals++
		}
	}
	assert.Equal(t, 1, refusals, "the shard that had the record says that it was trimmed")
}

func TestGetRecords_IteratorExpiresAfterFifteenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	iterator := w.iterators("LATEST")[0]
	w.pass(15 * time.Minute)
	w.do("GetRecords", `{"ShardIterator": "`+iterator+`"}`)
	w.pass(time.Second)
	_, refused, _ := w.try("GetRecords", `{"ShardIterator": "`+iterator+`"}`)
	assert.Equal(t, "ExpiredIteratorException", refused)
}

func TestDeleteTable_ItsStreamEndsAndStaysReadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.put(`"pk": {"S": "a"}`)
	all := w.iterators("TRIM_HORIZON")
	w.do("DeleteTable", `{"TableName": "Orders"}`)

	assert.Len(t, slices.Concat(w.records(all)...), 1, "its records can still be read")
	for _, i := range all {
		answer, _ := w.do("GetRecords", `{"ShardIterator": "`+i+`"}`)
		assert.NotContains(t, answer, "NextShardIterator", "the shard is closed")
	}
}

func TestStream_AnUnchangedItemHasNoRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.put(`"pk": {"S": "a"}, "n": {"N": "1"}`)
	latest := w.iterators("LATEST")
	w.put(`"pk": {"S": "a"}, "n": {"N": "1.0"}`)
	w.do("DeleteItem", `{"TableName": "Orders", "Key": {"pk": {"S": "b"}}}`)

	assert.Empty(t, slices.Concat(w.records(latest)...))
}
