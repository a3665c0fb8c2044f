package record_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/record"
	"backroom/shared/saga"
)

// line is an entry of a history.
type line struct {
	V     int       `dynamodbav:"v"`
	Fact  saga.Fact `dynamodbav:"fact"`
	At    int64     `dynamodbav:"at"`
	Cause string    `dynamodbav:"cause"`
}

func at(v int, fact saga.Fact, second int64) line {
	return line{v, fact, second * 1000, fmt.Sprintf("cause-%d", v)}
}

// image returns a row as it is read from its table.
func image(t *testing.T, version int, history []line, more map[string]any) map[string]types.AttributeValue {
	t.Helper()
	row := map[string]any{"pk": key, "version": version, "nonce": "n", "order": "ord_1", "shop": "main",
		"history": history}
	maps.Copy(row, more)
	item, err := attributevalue.MarshalMap(row)
	require.NoError(t, err)
	return item
}

func eventsSince(row map[string]types.AttributeValue, second int64) (ids, unrecoverable []string) {
	all, lost := record.EventsSince(row, time.Unix(second, 0))
	for _, e := range all {
		ids = append(ids, e.ID+" "+string(e.Type))
	}
	for _, u := range lost {
		unrecoverable = append(unrecoverable, u.Error())
	}
	return ids, unrecoverable
}

func TestEventsSince_ReturnsFactsUnderTheirFirstIDs(t *testing.T) {
	t.Parallel()
	history := []line{
		at(1, saga.OrderPlaced, 10), at(2, saga.ReserveDue, 20), at(2, saga.PaymentCheckDue, 20),
		at(3, saga.OrderRetried, 30), at(3, saga.CaptureDue, 30),
	}
	again := []string{"orders:main#ord_1@2.0~n ReserveDue", "orders:main#ord_1@2.1~n PaymentCheckDue",
		"orders:main#ord_1@3.1~n CaptureDue"}
	wanted := map[string]any{"lines": []saga.Line{}, "total": 1, "currency": "EUR", "payment_method": "pm"}
	for sentence, c := range map[string]struct {
		since         int64
		row           map[string]any
		events        []string
		unrecoverable []string
	}{
		"from a moment on, under the first ids": {20, wanted, again, nil},
		"all facts": {0, wanted,
			append([]string{"orders:main#ord_1@1.0~n OrderPlaced"}, again...), nil},
		"the latest fact only": {21, nil, again[2:], nil},
		"no fact":              {31, nil, nil, nil},
		"except a fact whose data the row lost": {20, nil, again[1:],
			[]string{`record: main#ord_1 cannot publish ReserveDue: the row has no attribute "lines"`}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			events, unrecoverable := eventsSince(image(t, 3, history, c.row), c.since)
			assert.Equal(t, c.events, events)
			assert.Equal(t, c.unrecoverable, unrecoverable)
		})
	}
}

func TestEventsSince_ReturnsTheDataThatTheRowHoldsNow(t *testing.T) {
	t.Parallel()
	events,
		unrecoverable := record.EventsSince(
		image(t, 2, []line{at(1, saga.OrderRefunding, 10), at(2, saga.OrderRefunding, 20)}, map[string]any{
			"refunds": []map[string]any{{"id": "r", "amount": int64(1)<<53 + 1, "try": 2, "status": "requested",
				"final": false, "notes": []string{"a"}, "none": nil}},
			"owner": "anna@example.com",
		}), time.Unix(10, 0))
	require.Empty(t, unrecoverable)
	require.Len(t, events, 2)
	assert.Equal(t, time.Unix(10, 0).UTC(), events[0].Time)
	assert.Equal(t, "cause-1", events[0].CausationID)
	for _, e := range events {
		assert.JSONEq(t, `{"order":"ord_1","shop":"main","refunds":[
			{"id":"r","amount":9007199254740993,"try":2,"status":"requested","final":false,"notes":["a"],"none":null}]}`, string(e.Data))
		assert.Contains(t, string(e.Data), "9007199254740993", "every digit is kept")
	}
}

// Of two facts that contradict each other the later is true, so each must keep its own version.
func TestEventsSince_KeepsAFactsOwnVersion(t *testing.T) {
	t.Parallel()
	events,
		unrecoverable := record.EventsSince(
		image(t, 7,
			[]line{at(5, saga.PaymentReturned, 10), at(6, saga.ReturnFailed, 20), at(7, saga.RefundStarted, 30)}, nil),
		time.Unix(0, 0))
	require.Empty(t, unrecoverable)
	require.Len(t, events, 2)
	for i, version := range []int{5, 6} {
		said, err := saga.As[saga.ChargeVersion](events[i])
		require.NoError(t, err)
		assert.Equal(t, version, said.Version, "%s", events[i].Type)
	}
}

// A full history has dropped lines after its first. The version of the line after the gap may have
// lost its first facts, so the ids of its other facts are unknown.
func TestEventsSince_NamesFactsThatAFullHistoryLost(t *testing.T) {
	t.Parallel()
	history := []line{at(1, saga.CaptureDue, 10), at(7, saga.ReleaseDue, 10), at(7, saga.ReturnDue, 10)}
	for v := 8; len(history) < record.HistoryLimit; v++ {
		history = append(history, at(v, saga.OrderRetried, 10))
	}
	history[50].Fact = saga.CaptureDue

	events, unrecoverable := eventsSince(image(t, 104, history, nil), 0)

	assert.Equal(t, []string{"orders:main#ord_1@1.0~n CaptureDue", "orders:main#ord_1@55.0~n CaptureDue"}, events)
	assert.Equal(t, []string{
		"record: main#ord_1 cannot publish ReleaseDue: the history is full, and the beginning of that version is " +
			"not in it",
		"record: main#ord_1 cannot publish ReturnDue: the history is full, and the beginning of that version is not " +
			"in it",
	}, unrecoverable)

	events, unrecoverable = eventsSince(image(t, 104, history[:99], nil), 0)
	assert.Len(t, events, 4, "a history that is not full has dropped nothing")
	assert.Empty(t, unrecoverable)
}

func TestEventsSince_NamesAForeignRowAndAnUnknownFact(t *testing.T) {
	t.Parallel()
	events,
		unrecoverable := eventsSince(
		map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "main#ord_1"}}, 0)
	assert.Empty(t, events)
	require.Len(t, unrecoverable, 1)
	assert.Contains(t, unrecoverable[0], "is not a row of ours")

	events,
		unrecoverable = eventsSince(image(t, 1, []line{at(1, "OrderEaten", 10), at(1, saga.CaptureDue, 10)}, nil), 0)
	assert.Equal(t, []string{"orders:main#ord_1@1.1~n CaptureDue"}, events)
	assert.Equal(t, []string{"record: main#ord_1 cannot publish OrderEaten: a fact without a route"}, unrecoverable)
}
