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

// line is one of a log, told so many seconds after the epoch.
type line struct {
	V     int       `dynamodbav:"v"`
	Fact  saga.Fact `dynamodbav:"fact"`
	At    int64     `dynamodbav:"at"`
	Cause string    `dynamodbav:"cause"`
}

func at(v int, fact saga.Fact, second int64) line {
	return line{v, fact, second * 1000, fmt.Sprintf("cause-%d", v)}
}

// stands returns a row as it is read from its table.
func stands(t *testing.T, version int, log []line, more map[string]any) map[string]types.AttributeValue {
	t.Helper()
	row := map[string]any{"pk": key, "version": version, "nonce": "n", "order": "ord_1", "shop": "main", "history": log}
	maps.Copy(row, more)
	image, err := attributevalue.MarshalMap(row)
	require.NoError(t, err)
	return image
}

func toldSince(image map[string]types.AttributeValue, second int64) (ids, untold []string) {
	told, not := record.EventsSince(image, time.Unix(second, 0))
	for _, e := range told {
		ids = append(ids, e.ID+" "+string(e.Type))
	}
	for _, u := range not {
		untold = append(untold, u.Error())
	}
	return ids, untold
}

func TestARowTellsAgainWhatItToldSince(t *testing.T) {
	t.Parallel()
	log := []line{
		at(1, saga.OrderPlaced, 10), at(2, saga.ReserveDue, 20), at(2, saga.PaymentCheckDue, 20), at(3, saga.OrderRetried, 30), at(3, saga.CaptureDue, 30),
	}
	again := []string{"orders:main#ord_1@2.0~n ReserveDue", "orders:main#ord_1@2.1~n PaymentCheckDue", "orders:main#ord_1@3.1~n CaptureDue"}
	wanted := map[string]any{"lines": []saga.Line{}, "total": 1, "currency": "EUR", "payment_method": "pm"}
	for sentence, c := range map[string]struct {
		since  int64
		row    map[string]any
		told   []string
		untold []string
	}{
		"from a moment on, under the ids that the facts had": {20, wanted, again, nil},
		"all of it":               {0, wanted, append([]string{"orders:main#ord_1@1.0~n OrderPlaced"}, again...), nil},
		"the latest only":         {21, nil, again[2:], nil},
		"nothing":                 {31, nil, nil, nil},
		"but what it has no more": {20, nil, again[1:], []string{`record: main#ord_1 tells ReserveDue: the row has no attribute "lines"`}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			told, untold := toldSince(stands(t, 3, log, c.row), c.since)
			assert.Equal(t, c.told, told)
			assert.Equal(t, c.untold, untold)
		})
	}
}

func TestARowTellsAgainWhatItHoldsNow(t *testing.T) {
	t.Parallel()
	told, untold := record.EventsSince(stands(t, 2, []line{at(1, saga.OrderRefunding, 10), at(2, saga.OrderRefunding, 20)}, map[string]any{
		"refunds": []map[string]any{{"id": "r", "amount": int64(1)<<53 + 1, "try": 2, "status": "requested", "final": false, "notes": []string{"a"}, "none": nil}},
		"owner":   "anna@example.com",
	}), time.Unix(10, 0))
	require.Empty(t, untold)
	require.Len(t, told, 2)
	assert.Equal(t, time.Unix(10, 0).UTC(), told[0].Time)
	assert.Equal(t, "cause-1", told[0].CausationID)
	for _, e := range told {
		assert.JSONEq(t, `{"order":"ord_1","shop":"main","refunds":[
			{"id":"r","amount":9007199254740993,"try":2,"status":"requested","final":false,"notes":["a"],"none":null}]}`, string(e.Data))
		assert.Contains(t, string(e.Data), "9007199254740993", "to the last digit")
	}
}

// Of two facts that contradict each other the later is true: told again, each has to carry the version that it had.
func TestAFactToldAgainHasTheVersionThatItHad(t *testing.T) {
	t.Parallel()
	told, untold := record.EventsSince(stands(t, 7, []line{at(5, saga.PaymentReturned, 10), at(6, saga.ReturnFailed, 20), at(7, saga.RefundStarted, 30)}, nil), time.Unix(0, 0))
	require.Empty(t, untold)
	require.Len(t, told, 2)
	for i, version := range []int{5, 6} {
		said, err := saga.As[saga.ChargeVersion](told[i])
		require.NoError(t, err)
		assert.Equal(t, version, said.Version, "%s", told[i].Type)
	}
}

// A full log has dropped lines after its first. The version of the line that follows the gap may have lost its beginning: the
// places of its facts, and with them their ids, are not known any more.
func TestAFullLogTellsOnlyWhatItKnows(t *testing.T) {
	t.Parallel()
	log := []line{at(1, saga.CaptureDue, 10), at(7, saga.ReleaseDue, 10), at(7, saga.ReturnDue, 10)}
	for v := 8; len(log) < record.HistoryLimit; v++ {
		log = append(log, at(v, saga.OrderRetried, 10))
	}
	log[50].Fact = saga.CaptureDue

	told, untold := toldSince(stands(t, 104, log, nil), 0)

	assert.Equal(t, []string{"orders:main#ord_1@1.0~n CaptureDue", "orders:main#ord_1@55.0~n CaptureDue"}, told)
	assert.Equal(t, []string{
		"record: main#ord_1 tells ReleaseDue: the log is full, and the beginning of that version is not in it",
		"record: main#ord_1 tells ReturnDue: the log is full, and the beginning of that version is not in it",
	}, untold)

	told, untold = toldSince(stands(t, 104, log[:99], nil), 0)
	assert.Len(t, told, 4, "a log that is not full is whole")
	assert.Empty(t, untold)
}

func TestWhatIsNoRowTellsNothing(t *testing.T) {
	t.Parallel()
	told, untold := toldSince(map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "main#ord_1"}}, 0)
	assert.Empty(t, told)
	require.Len(t, untold, 1)
	assert.Contains(t, untold[0], "is no row of ours")

	told, untold = toldSince(stands(t, 1, []line{at(1, "OrderEaten", 10), at(1, saga.CaptureDue, 10)}, nil), 0)
	assert.Equal(t, []string{"orders:main#ord_1@1.1~n CaptureDue"}, told)
	assert.Equal(t, []string{"record: main#ord_1 tells OrderEaten: a fact without a route"}, untold)
}
