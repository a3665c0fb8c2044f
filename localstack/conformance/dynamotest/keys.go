package dynamotest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// badKey is a key that every operation refuses.
type badKey struct {
	table func(s *stage) string
	key   item
}

func (k badKey) check(t conformance.T, s *stage) {
	table := k.table(s)
	_, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: attributes(k.key)})
	refuses(t, err, invalid, "")
	_, err = s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: attributes(k.key)})
	refuses(t, err, invalid, "")
	_, err = s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: attributes(k.key), UpdateExpression: aws.String("SET a = :v"),
		ExpressionAttributeValues: attributes(item{":v": 1}),
	})
	refuses(t, err, invalid, "")
}

// badRow is an item that PutItem refuses.
type badRow struct {
	table func(s *stage) string
	row   item
}

func (r badRow) check(t conformance.T, s *stage) {
	table := r.table(s)
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: attributes(r.row)})
	refuses(t, err, invalid, "")
}

// anyRow is a key that a table accepts and returns.
type anyRow struct {
	table func(s *stage) string
	key   item
}

func (r anyRow) check(t conformance.T, s *stage) {
	s.put(t, r.table(s), with(r.key, item{"n": 1}))
	s.holds(t, r.table(s), r.key, with(r.key, item{"n": 1}))
}

func things(s *stage) string    { return s.things }
func rows(s *stage) string      { return s.rows }
func scores(s *stage) string    { return s.scores }
func blobTable(s *stage) string { return s.blobs }

func keys() map[string]example {
	return map[string]example{
		"a key without its name is refused":               badKey{things, item{"other": "a"}},
		"a key of another type is refused":                badKey{things, item{"id": 1}},
		"a key with more than the key is refused":         badKey{things, item{"id": "a", "n": 1}},
		"a key that is empty is refused":                  badKey{things, item{"id": ""}},
		"a null key is refused":                           badKey{things, item{"id": nil}},
		"a key that is longer than 2048 bytes is refused": badKey{things, item{"id": strings.Repeat("k", 2049)}},
		"a key without its sort key is refused":           badKey{rows, item{"pk": "a"}},
		"a sort key alone is refused":                     badKey{rows, item{"sk": "a"}},
		"a sort key that is empty is refused":             badKey{rows, item{"pk": "a", "sk": ""}},
		"a sort key over 1024 bytes is refused": badKey{rows,
			item{"pk": "a", "sk": strings.Repeat("k", 1025)}},
		"a sort key of another type is refused":      badKey{scores, item{"pk": "a", "sk": "1"}},
		"a number sort key must be a number":         badKey{scores, item{"pk": "a", "sk": number("one")}},
		"a binary key that is empty is refused":      badKey{blobTable, item{"pk": []byte{}, "sk": []byte{1}}},
		"a binary sort key that is empty is refused": badKey{blobTable, item{"pk": []byte{1}, "sk": []byte{}}},

		"an item without its key is refused":         badRow{things, item{"n": 1}},
		"an item without its sort key is refused":    badRow{rows, item{"pk": "a"}},
		"an item with a key of another type":         badRow{things, item{"id": []byte("a")}},
		"an item with an empty key is refused":       badRow{things, item{"id": ""}},
		"an item with a key that is too long":        badRow{things, item{"id": strings.Repeat("k", 2049)}},
		"an item with an index key of another type":  badRow{rows, item{"pk": "a", "sk": "a", "owner": 1, "at": 1}},
		"an item with an empty index key is refused": badRow{rows, item{"pk": "a", "sk": "a", "owner": "", "at": 1}},
		"an item's number index key must be a number": badRow{rows,
			item{"pk": "a", "sk": "a", "owner": "a", "at": "1"}},
		"an item with null for an index key is refused": badRow{rows, item{"pk": "a", "sk": "a", "owner": nil}},

		"a key may have 2048 bytes":            anyRow{things, item{"id": strings.Repeat("k", 2048)}},
		"a sort key may have 1024 bytes":       anyRow{rows, item{"pk": "long", "sk": strings.Repeat("k", 1024)}},
		"a key may have letters of any script": anyRow{rows, item{"pk": "日本", "sk": "\u0001 \n"}},
		"a key may have any bytes":             anyRow{blobTable, item{"pk": []byte{0}, "sk": []byte{255, 0}}},
		"a sort key may be a negative number":  anyRow{scores, item{"pk": "negative", "sk": -7}},

		"equal numbers are one key, in any form":       scenario(oneNumber),
		"an update with an index key of another type":  scenario(indexKeyUpdate),
		"an item replaces another with the same key":   scenario(replacement),
		"reading and deleting an absent item succeeds": scenario(nothingThere),
		"an unknown table is refused":                  scenario(noTable),
		"keys are case-sensitive":                      scenario(twoKeys),
	}
}

func oneNumber(t conformance.T, s *stage) {
	s.put(t, s.scores, item{"pk": t.Name(), "sk": number("1.0"), "n": 1})
	s.put(t, s.scores, item{"pk": t.Name(), "sk": number("10e-1"), "n": 2})
	s.holds(t, s.scores, item{"pk": t.Name(), "sk": number("001")}, item{"pk": t.Name(), "sk": 1, "n": 2})
}

func indexKeyUpdate(t conformance.T, s *stage) {
	key := item{"pk": t.Name(), "sk": "a"}
	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.rows, Key: attributes(key), UpdateExpression: aws.String("SET #o = :v"),
		ExpressionAttributeNames: names{"#o": "owner"}, ExpressionAttributeValues: attributes(item{":v": 1}),
	})
	refuses(t, err, invalid, "")
	s.holds(t, s.rows, key, nil)
}

func replacement(t conformance.T, s *stage) {
	s.put(t, s.things, with(thing(t), item{"a": 1, "b": 1}))
	s.put(t, s.things, with(thing(t), item{"b": 2}))
	s.holds(t, s.things, thing(t), with(thing(t), item{"b": 2}))
}

func nothingThere(t conformance.T, s *stage) {
	s.holds(t, s.things, thing(t), nil)
	_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.things, Key: attributes(thing(t))})
	require.NoError(t, err)
}

func noTable(t conformance.T, s *stage) {
	table := aws.String("conformance-nowhere")
	_, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: attributes(thing(t))})
	refuses(t, err, missing, "")
	_, err = s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: attributes(thing(t))})
	refuses(t, err, missing, "")
	_, err = s.db.Query(t.Context(), &dynamodb.QueryInput{
		TableName: table, KeyConditionExpression: aws.String("id = :v"),
		ExpressionAttributeValues: attributes(item{":v": "a"}),
	})
	refuses(t, err, missing, "")
	_, err = s.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table})
	refuses(t, err, missing, "")
}

func twoKeys(t conformance.T, s *stage) {
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "a", "n": 1})
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "A", "n": 2})
	s.holds(t, s.rows, item{"pk": t.Name(), "sk": "a"}, item{"pk": t.Name(), "sk": "a", "n": 1})
}
