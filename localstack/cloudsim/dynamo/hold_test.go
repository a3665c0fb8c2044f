package dynamo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/dynamo"
	"backroom/localstack/cloudsim/wire"
)

func TestWrites_NamesTheItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	names := func(operation, body string) []string { return w.db.Writes(operation, []byte(body)) }
	const a, b = `{"TableName": "Orders", "Key": {"pk": {"S": "a"}}}`,
		`{"TableName": "Orders", "Key": {"pk": {"S": "b"}}}`

	put := names("PutItem", `{"TableName": "Orders", "Item": {"n": {"N": "1"}, "pk": {"S": "a"}}}`)
	assert.Len(t, put, 1)
	assert.Equal(t, put, names("UpdateItem", a))
	assert.Equal(t, put, names("DeleteItem", a))
	assert.NotEqual(t, put, names("DeleteItem", b))
	assert.Equal(t, append(put, names("DeleteItem", b)...),
		names("TransactWriteItems", `{"TransactItems": [{"ConditionCheck": `+a+`}, {"Delete": `+b+`}]}`))
	assert.Empty(t, names("GetItem", a))
	assert.Empty(t, names("PutItem", `{"TableName": "Orders"`))
	assert.Empty(t, names("PutItem", `{"TableName": "Orders", "Item": {}}`))
}

func TestHold_RefusesWritesAndAllowsReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.put(`"pk": {"S": "b"}`)
	const key = `"TableName": "Orders", "Key": {"pk": {"S": "a"}}`
	held := w.db.Writes("DeleteItem", []byte(`{`+key+`}`))
	assert.True(t, w.db.Hold(held))
	assert.False(t,
		w.db.Hold(
			append(w.db.Writes("DeleteItem", []byte(`{"TableName": "Orders", "Key": {"pk": {"S": "c"}}}`)), held...)))

	for operation, body := range map[string]string{
		"PutItem":    `{"TableName": "Orders", "Item": {"pk": {"S": "a"}}}`,
		"UpdateItem": `{` + key + `}`,
		"DeleteItem": `{` + key + `}`,
	} {
		_, refused, _ := w.try(operation, body)
		assert.Equal(t, "TransactionConflictException", refused, operation)
	}
	answer, refused, _ := w.try("TransactWriteItems", `{"TransactItems": [
		{"Delete": {`+key+`}},
		{"Put": {"TableName": "Orders", "Item": {"pk": {"S": "b"}}, "ConditionExpression": "attribute_not_exists(pk)"}},
		{"Put": {"TableName": "Orders", "Item": {"pk": {"S": "c"}}}}]}`)
	assert.Equal(t, "TransactionCanceledException", refused)
	assert.Contains(t, answer, "[TransactionConflict, ConditionalCheckFailed, None]")
	_, refused, _ = w.try("TransactGetItems", `{"TransactItems": [{"Get": {`+key+`}}]}`)
	assert.Equal(t, "TransactionCanceledException", refused)
	answer,
		_ = w.do("BatchWriteItem",
		`{"RequestItems": {"Orders": [{"PutRequest": {"Item": {"pk": {"S": "a"}}}}, {"PutRequest": {"Item": {"pk": {"S": "d"}}}}]}}`)
	assert.JSONEq(t, `{"UnprocessedItems": {"Orders": [{"PutRequest": {"Item": {"pk": {"S": "a"}}}}]}}`, answer)
	assert.JSONEq(t, `{}`, w.get("a", true))
	assert.JSONEq(t, `{}`, w.get("c", true), "an item is not marked if another one of the request cannot be")

	w.db.Release(held)
	w.put(`"pk": {"S": "a"}`)
	assert.True(t, w.db.Hold(held))
}

func TestHold_HeldItemDoesNotExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.put(fmt.Sprintf(`"pk": {"S": "a"}, "ttl": {"N": "%d"}`, w.now.Unix()-1))
	held := w.db.Writes("DeleteItem", []byte(`{"TableName": "Orders", "Key": {"pk": {"S": "a"}}}`))
	w.db.Hold(held)
	assert.Zero(t, w.db.Expire())
	w.db.Release(held)
	assert.Equal(t, 1, w.db.Expire())
}

func TestLimited_APartitionIsThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *world, s *dynamo.Settings) { s.Limited = true })
	count := func(key string) int {
		for n := 0; ; n++ {
			_, refused, _ := w.try("PutItem", `{"TableName": "Orders", "Item": {"pk": {"S": "`+key+`"}}}`)
			if refused != "" {
				assert.Equal(t, "ThrottlingException", refused)
				return n
			}
		}
	}
	assert.Equal(t, dynamo.WriteLimit, count("a"), "a burst of one second passes")
	assert.Equal(t, dynamo.WriteLimit, count("b"), "another partition has its own limit")
	assert.Zero(t, count("a"))
	w.pass(100 * time.Millisecond)
	assert.Equal(t, dynamo.WriteLimit/10, count("a"))

	answer, refused,
		_ := w.try("TransactWriteItems",
		`{"TransactItems": [{"Put": {"TableName": "Orders", "Item": {"pk": {"S": "a"}}}}, {"Put": {"TableName": "Orders", "Item": {"pk": {"S": "c"}}}}]}`)
	assert.Equal(t, "TransactionCanceledException", refused)
	assert.Contains(t, answer, "[ThrottlingError, None]")
	answer,
		_ = w.do("BatchWriteItem",
		`{"RequestItems": {"Orders": [{"DeleteRequest": {"Key": {"pk": {"S": "a"}}}}, {"DeleteRequest": {"Key": {"pk": {"S": "d"}}}}]}}`)
	assert.JSONEq(t, `{"UnprocessedItems": {"Orders": [{"DeleteRequest": {"Key": {"pk": {"S": "a"}}}}]}}`, answer)
	w.get("a", true)
}

func TestLimited_AThrottledTransactionReadsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *world, s *dynamo.Settings) { s.Limited = true })
	const one = `{"Get": {"TableName": "Orders", "Key": {"pk": {"S": "%s"}}}}`
	read := func(keys ...string) (string, string, []wire.Use) {
		gets := make([]string, len(keys))
		for i, key := range keys {
			gets[i] = fmt.Sprintf(one, key)
		}
		return w.try("TransactGetItems", `{"TransactItems": [`+strings.Join(gets, ", ")+`]}`)
	}
	for range dynamo.ReadLimit / 2 {
		_, refused, _ := read("a")
		require.Empty(t, refused)
	}
	answer, refused, used := read("b", "a", "c")
	assert.Equal(t, "TransactionCanceledException", refused)
	assert.Contains(t, answer, "[None, ThrottlingError, None]")
	assert.Empty(t, used, "a refused read costs nothing")
	_, refused, _ = read("b", "c")
	assert.Empty(t, refused)
}

func TestLimited_AThrottledReadNamesItsTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *world, s *dynamo.Settings) { s.Limited = true })
	w.put(`"pk": {"S": "a"}`)
	for range dynamo.ReadLimit {
		w.get("a", true)
	}
	answer, refused, _ := w.try("GetItem", `{"TableName": "Orders", "Key": {"pk": {"S": "a"}}}`)
	assert.Equal(t, "ThrottlingException", refused)
	assert.Contains(t, answer, `"resource":"arn:aws:dynamodb:eu-central-1:000000000000:table/Orders"`)
}

func TestLimited_AHotIndexThrottlesItsTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *world, s *dynamo.Settings) { s.Limited = true })
	put := func(n int) string {
		_, refused,
			_ := w.try("PutItem",
			fmt.Sprintf(
				`{"TableName": "Orders", "Item": {"pk": {"S": "ord_%d"}, "open": {"S": "yes"}, "due": {"N": "1"}}}`, n))
		return refused
	}
	for n := range dynamo.WriteLimit {
		assert.Empty(t, put(n))
	}
	assert.Equal(t, "ThrottlingException", put(dynamo.WriteLimit), "all items are in one partition of the index")
}
