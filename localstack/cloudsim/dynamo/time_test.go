package dynamo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/dynamo"
)

// lagging are lags that a test can change.
type lagging struct{ index, read time.Duration }

func (l *lagging) settings(_ *world, s *dynamo.Settings) {
	s.IndexLag = func() time.Duration { return l.index }
	s.ReadLag = func() time.Duration { return l.read }
}

func TestIndexLag_DelaysChanges(t *testing.T) {
	t.Parallel()
	l := &lagging{index: 2 * time.Second}
	w := newWorld(t, l.settings)
	w.put(`"pk": {"S": "a"}, "open": {"S": "yes"}, "due": {"N": "1"}`)

	assert.Empty(t, w.overdue())
	w.pass(time.Second)
	l.index = 0
	w.put(`"pk": {"S": "b"}, "open": {"S": "yes"}, "due": {"N": "2"}`)
	assert.Equal(t, []string{"b"}, w.overdue(), "changes of different rows overtake each other")
	w.put(`"pk": {"S": "a"}`)
	assert.Equal(t, []string{"b"}, w.overdue(), "changes of one row do not")
	w.pass(time.Second)
	assert.Equal(t, []string{"b"}, w.overdue(), "the later change is applied last")
}

func TestReadLag_AnEventuallyConsistentReadIsOld(t *testing.T) {
	t.Parallel()
	l := &lagging{}
	w := newWorld(t, l.settings)
	w.put(`"pk": {"S": "a"}, "v": {"N": "1"}`)
	w.pass(time.Second)
	w.put(`"pk": {"S": "a"}, "v": {"N": "2"}`)
	w.put(`"pk": {"S": "b"}`)
	w.pass(time.Second)
	w.do("DeleteItem", `{"TableName": "Orders", "Key": {"pk": {"S": "a"}}}`)

	assert.JSONEq(t, `{}`, w.get("a", false))
	l.read = 500 * time.Millisecond
	assert.JSONEq(t, `{"Item": {"pk": {"S": "a"}, "v": {"N": "2"}}}`, w.get("a", false))
	assert.JSONEq(t, `{}`, w.get("a", true), "a consistent read is never old")
	l.read = 1500 * time.Millisecond
	assert.JSONEq(t, `{"Item": {"pk": {"S": "a"}, "v": {"N": "1"}}}`, w.get("a", false))
	assert.JSONEq(t, `{}`, w.get("b", false), "the item did not exist yet")
	scanned, _ := w.do("Scan", `{"TableName": "Orders"}`)
	assert.Equal(t, []string{"a"}, keys(t, scanned))
	w.pass(2 * dynamo.ReadHorizon)
	w.put(`"pk": {"S": "c"}`)
	l.read = time.Hour
	assert.JSONEq(t, `{}`, w.get("a", false), "no read is older than ReadHorizon")
}

func TestExpire_DeletesExpiredItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.put(fmt.Sprintf(`"pk": {"S": "past"}, "ttl": {"N": "%d"}`, w.now.Unix()-1))
	w.put(fmt.Sprintf(`"pk": {"S": "now"}, "ttl": {"N": "%d"}`, w.now.Unix()))
	w.put(fmt.Sprintf(`"pk": {"S": "words"}, "ttl": {"S": "%d"}`, w.now.Unix()-1))
	w.put(fmt.Sprintf(`"pk": {"S": "ancient"}, "ttl": {"N": "%d"}`, w.now.AddDate(-6, 0, 0).Unix()))
	latest := w.iterators("LATEST")

	assert.Contains(t, w.get("past", true), "Item", "an expired item stays until Expire")
	assert.Equal(t, 1, w.db.Expire())
	assert.Zero(t, w.db.Expire())
	assert.JSONEq(t, `{}`, w.get("past", true))
	deleted := slices.Concat(w.records(latest)...)
	require.Len(t, deleted, 1)
	assert.Equal(t, "REMOVE", deleted[0].EventName)
	assert.Equal(t, map[string]string{"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
		deleted[0].UserIdentity)
}

func TestTransactWrite_TokenIsRememberedForTenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const once = `{"ClientRequestToken": "once", "TransactItems": [{"Update": {"TableName": "Orders", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}}]}`
	w.do("TransactWriteItems", once)
	w.pass(10 * time.Minute)
	_, used := w.do("TransactWriteItems", once)

	assert.JSONEq(t, `{"Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}`, w.get("a", true))
	assert.Zero(t, used[0].Writes)
	assert.Equal(t, 2.0, used[0].Reads, "a repeated transaction only reads")
	w.pass(time.Second)
	w.do("TransactWriteItems", once)
	assert.JSONEq(t, `{"Item": {"pk": {"S": "a"}, "n": {"N": "2"}}}`, w.get("a", true), "the token has expired")
}
