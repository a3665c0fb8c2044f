package dynamo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/localstack/cloudsim/wire"
)

func TestDB_EqualRequestsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	run := func() (all string, digest [32]byte) {
		w := newWorld(t, nil)
		for n := range 300 {
			w.put(
				fmt.Sprintf(
					`"pk": {"S": "ord_%d"}, "open": {"S": "yes"}, "due": {"N": "%d"}, "tags": {"SS": ["b", "a"]}`, n,
					n%7))
		}
		for _, operation := range []string{"Scan", "DescribeTable"} {
			answer, _ := w.do(operation, `{"TableName": "Orders"}`)
			all += answer
		}
		for _, i := range w.iterators("TRIM_HORIZON") {
			answer, _ := w.do("GetRecords", `{"ShardIterator": "`+i+`"}`)
			all += answer
		}
		return all + strings.Join(w.overdue(), ","), w.db.Digest()
	}
	first, digest := run()
	second, again := run()
	assert.Equal(t, first, second)
	assert.Equal(t, digest, again)
}

func TestDigest_DependsOnEveryByteOfTheItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	seen := map[[32]byte]string{}
	for _, items := range [][]string{
		{}, {`"pk": {"S": "a"}`}, {`"pk": {"S": "b"}`}, {`"pk": {"S": "a"}`, `"pk": {"S": "b"}`},
		{`"pk": {"S": "a"}, "n": {"N": "1"}`}, {`"pk": {"S": "a"}, "n": {"S": "1"}`},
		{`"pk": {"S": "a"}, "n": {"L": [{"M": {"x": {"BOOL": true}}}]}`},
		{`"pk": {"S": "a"}, "n": {"L": [{"M": {"x": {"BOOL": false}}}]}`},
	} {
		w := newWorld(t, nil)
		for _, item := range items {
			w.put(item)
		}
		assert.NotContains(t, seen, w.db.Digest(), "%q and %q", items, seen[w.db.Digest()])
		seen[w.db.Digest()] = fmt.Sprint(items)
	}
	before := w.db.Digest()
	w.put(`"pk": {"S": "a"}, "n": {"N": "1"}`)
	w.do("DeleteItem", `{"TableName": "Orders", "Key": {"pk": {"S": "a"}}}`)
	assert.Equal(t, before, w.db.Digest(), "the digest does not depend on the history")
}

func TestDo_ReturnsTheUsageOfARequest(t *testing.T) {
	t.Parallel()
	kilobyte := strings.Repeat("x", 1024)
	for sentence, example := range map[string]struct {
		operation, body string
		used            []wire.Use
	}{
		"a put counts its table and its index": {
			"PutItem",
			`{"TableName": "Orders", "Item": {"pk": {"S": "new"}, "open": {"S": "yes"}, "due": {"N": "1"}, "x": {"S": "` + kilobyte + `"}}}`,
			[]wire.Use{{Resource: "Orders", Writes: 2, Items: 1, Bytes: 1042},
				{Resource: "Orders", Index: "overdue", Writes: 1, Items: 1, Bytes: 17}},
		},
		"a transaction counts twice": {
			"TransactWriteItems",
			`{"TransactItems": [{"Put": {"TableName": "Orders", "Item": {"pk": {"S": "new"}}}}, {"Delete": {"TableName": "Orders", "Key": {"pk": {"S": "old"}}}}]}`,
			[]wire.Use{{Resource: "Orders", Writes: 4, Items: 2, Bytes: 5 + 17},
				{Resource: "Orders", Index: "overdue", Writes: 2, Items: 1, Bytes: 17}},
		},
		"a failed condition counts as the write": {
			"DeleteItem",
			`{"TableName": "Orders", "Key": {"pk": {"S": "old"}}, "ConditionExpression": "attribute_not_exists(pk)"}`,
			[]wire.Use{{Resource: "Orders", Writes: 1, Items: 1, Bytes: 17}},
		},
		"a failed condition of a put counts the larger item, and no index": {
			"PutItem",
			`{"TableName": "Orders", "Item": {"pk": {"S": "old"}, "open": {"S": "no"}, "due": {"N": "1"}, "x": {"S": "` + kilobyte + `"}}, "ConditionExpression": "attribute_not_exists(pk)"}`,
			[]wire.Use{{Resource: "Orders", Writes: 2, Items: 1, Bytes: 1041}},
		},
		"a failed condition of an update counts the item that is there": {
			"UpdateItem",
			`{"TableName": "Orders", "Key": {"pk": {"S": "old"}}, "UpdateExpression": "SET x = :x", "ConditionExpression": "attribute_not_exists(pk)", "ExpressionAttributeValues": {":x": {"S": "` + kilobyte + `"}}}`,
			[]wire.Use{{Resource: "Orders", Writes: 1, Items: 1, Bytes: 17}},
		},
		"a failed condition of a put in a transaction counts the larger item twice": {
			"TransactWriteItems",
			`{"TransactItems": [{"Put": {"TableName": "Orders", "Item": {"pk": {"S": "old"}, "open": {"S": "no"}, "due": {"N": "1"}, "x": {"S": "` + kilobyte + `"}}, "ConditionExpression": "attribute_not_exists(pk)"}}]}`,
			[]wire.Use{{Resource: "Orders", Writes: 4, Items: 1, Bytes: 1041}},
		},
		"an update of the index's key counts the index twice": {
			"UpdateItem",
			`{"TableName": "Orders", "Key": {"pk": {"S": "old"}}, "UpdateExpression": "SET due = :d", "ExpressionAttributeValues": {":d": {"N": "2"}}}`,
			[]wire.Use{{Resource: "Orders", Writes: 1, Items: 1, Bytes: 17},
				{Resource: "Orders", Index: "overdue", Writes: 2, Items: 2, Bytes: 34}},
		},
		"an update outside the index does not count the index": {
			"UpdateItem",
			`{"TableName": "Orders", "Key": {"pk": {"S": "old"}}, "UpdateExpression": "SET n = :d", "ExpressionAttributeValues": {":d": {"N": "2"}}}`,
			[]wire.Use{{Resource: "Orders", Writes: 1, Items: 1, Bytes: 20}},
		},
		"an eventually consistent read counts half": {
			"GetItem", `{"TableName": "Orders", "Key": {"pk": {"S": "old"}}}`,
			[]wire.Use{{Resource: "Orders", Reads: 0.5, Items: 1, Bytes: 17}},
		},
		"a read of nothing counts too": {
			"GetItem", `{"TableName": "Orders", "Key": {"pk": {"S": "new"}}, "ConsistentRead": true}`,
			[]wire.Use{{Resource: "Orders", Reads: 1}},
		},
		"a query counts its index": {
			"Query",
			`{"TableName": "Orders", "IndexName": "overdue", "KeyConditionExpression": "#o = :o", "ExpressionAttributeNames": {"#o": "open"}, "ExpressionAttributeValues": {":o": {"S": "yes"}}}`,
			[]wire.Use{{Resource: "Orders", Index: "overdue", Reads: 0.5, Items: 1, Bytes: 17}},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.put(`"pk": {"S": "old"}, "open": {"S": "yes"}, "due": {"N": "1"}`)
			_, _, used := w.try(example.operation, example.body)
			assert.Equal(t, example.used, used)
		})
	}
}

func TestDo_WhatIsNotSimulatedIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for body, code := range map[string]string{
		`{"TableName": "Orders", "Item": {"pk": {"S": "a"}}, "Expected": {}}`: "ValidationException",
		`{"TableName": "Orders", "Item": {"pk": {"S": "a"}}`:                  "SerializationException",
		`[]`: "SerializationException",
	} {
		_, refused, _ := w.try("PutItem", body)
		assert.Equal(t, code, refused, body)
	}
	_, refused, _ := w.try("ExecuteStatement", `{}`)
	assert.Equal(t, "UnknownOperationException", refused)
}

func BenchmarkPutItem(b *testing.B) {
	w := newWorld(b, nil)
	bodies := make([][]byte, 1000)
	for i := range bodies {
		bodies[i] = fmt.Appendf(nil,
			`{"TableName": "Orders", "ConditionExpression": "attribute_not_exists(pk) OR version < :v", "ExpressionAttributeValues": {":v": {"N": "5"}},
			"Item": {"pk": {"S": "main#ord_%d"}, "open": {"S": "yes"}, "due": {"N": "%d"}, "version": {"N": "1"}, "status": {"S": "Placed"},
			"lines": {"L": [{"M": {"sku": {"S": "mug"}, "units": {"N": "2"}, "price": {"N": "1250"}}}, {"M": {"sku": {"S": "cup"}, "units": {"N": "1"}, "price": {"N": "950"}}}]},
			"log": {"L": [{"M": {"v": {"N": "1"}, "fact": {"S": "OrderPlaced"}, "at": {"N": "1772366400000"}, "cause": {"S": "event-1"}}}]}}}`, i, i)
	}
	for i := 0; b.Loop(); i++ {
		if _, _, err := w.db.Do("PutItem", bodies[i%len(bodies)]); err != nil {
			b.Fatal(err)
		}
	}
}
