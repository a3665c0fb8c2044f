package record_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/fault"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// shelf is a row of these tests.
type shelf struct {
	Order string    `dynamodbav:"order"`
	Shop  saga.Shop `dynamodbav:"shop"`
	Mugs  int       `dynamodbav:"mugs"`
}

const key = "main#ord_1"

func first(mugs int) record.Change {
	return record.Change{
		Key: key, Item: shelf{"ord_1", "main", mugs}, Cause: saga.Cause{ID: "event-1", Actor: "test"}, Facts: []saga.Fact{saga.PaymentIntended},
	}
}

// table returns a table of rows whose nonces are counted, and the cloud it is in.
func table(t *testing.T) (record.Table, *cloudtest.Cloud) {
	c := cloudtest.New(t)
	rows := c.Runtime().Table(c.Table("Reservations"))
	nonces := 0
	rows.Nonce = func() string { nonces++; return fmt.Sprintf("nonce%03d", nonces) }
	return rows, c
}

func load(t *testing.T, rows record.Table) (shelf, saga.History) {
	t.Helper()
	var s shelf
	d, err := rows.Load(t.Context(), key, &s)
	require.NoError(t, err)
	return s, d
}

func TestEveryWriteRaisesTheVersionAndIsWrittenDown(t *testing.T) {
	t.Parallel()
	rows, c := table(t)

	require.NoError(t, rows.Save(t.Context(), first(10)))
	assert.JSONEq(t, `{
		"pk": "main#ord_1", "version": 1, "nonce": "nonce001",
		"history": [{"v": 1, "fact": "PaymentIntended", "at": 1772366400000, "cause": "event-1", "actor": "test"}],
		"order": "ord_1", "shop": "main", "mugs": 10
	}`, c.Row("Reservations", key), "a version that tells nothing to anybody has no tells")

	c.Clock.Pass(time.Second)
	_, diary := load(t, rows)
	require.NoError(t, rows.Save(t.Context(), record.Change{
		Key: key, Item: shelf{"ord_1", "main", 9}, History: diary, Cause: saga.Cause{ID: "event-2", Actor: "other"},
		Facts: []saga.Fact{saga.PaymentAuthorized, saga.OrderSettled, saga.PaymentDeclined},
	}))
	assert.JSONEq(t, `{
		"pk": "main#ord_1", "version": 2, "nonce": "nonce001", "publishes": 2,
		"history": [
			{"v": 1, "fact": "PaymentIntended", "at": 1772366400000, "cause": "event-1", "actor": "test"},
			{"v": 2, "fact": "PaymentAuthorized", "at": 1772366401000, "cause": "event-2", "actor": "other"},
			{"v": 2, "fact": "OrderSettled", "at": 1772366401000, "cause": "event-2", "actor": "other"},
			{"v": 2, "fact": "PaymentDeclined", "at": 1772366401000, "cause": "event-2", "actor": "other"}
		],
		"order": "ord_1", "shop": "main", "mugs": 9
	}`, c.Row("Reservations", key), "two of its facts are heard by somebody")

	s, diary := load(t, rows)
	assert.Equal(t, shelf{"ord_1", "main", 9}, s)
	assert.Equal(t, 2, diary.Version)
	assert.True(t, diary.Handled(saga.Cause{ID: "event-1"}) && diary.Handled(saga.Cause{ID: "event-2"}))
	assert.False(t, diary.Handled(saga.Cause{ID: "event-3"}))
	assert.Equal(t, saga.Entry{
		Version: 2, Fact: saga.PaymentDeclined, At: cloudtest.Epoch.Add(time.Second), Cause: saga.Cause{ID: "event-2", Actor: "other"},
	}, diary.Entries[3])
}

func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	rows, c := table(t)
	silent, clash := first(1), first(1)
	silent.Facts = nil
	clash.Item = struct {
		Log string `dynamodbav:"history"`
	}{"mine"}

	assert.ErrorContains(t, rows.Save(t.Context(), silent), "without a fact")
	assert.ErrorContains(t, rows.Save(t.Context(), clash), `may not have an attribute "history" of its own`)
	assert.Empty(t, c.Rows("Reservations"))
}

func TestWhoComesSecond(t *testing.T) {
	t.Parallel()
	rows, c := table(t)
	require.NoError(t, rows.Save(t.Context(), first(10)))
	_, born := load(t, rows)

	t.Run("meets the row that was there first", func(t *testing.T) {
		err := rows.Save(t.Context(), first(99))
		require.ErrorIs(t, err, fault.Duplicate)
		var there *record.Exists
		require.ErrorAs(t, err, &there)
		var s shelf
		_, err = record.Decode(there.Image, &s)
		require.NoError(t, err)
		assert.Equal(t, 10, s.Mugs)
	})

	change := func(mugs int, cause string, d saga.History) record.Change {
		return record.Change{Key: key, Item: shelf{"ord_1", "main", mugs}, History: d, Cause: saga.Cause{ID: cause, Actor: "test"}, Facts: []saga.Fact{saga.PaymentAuthorized}}
	}
	require.NoError(t, rows.Save(t.Context(), change(9, "event-2", born)))

	t.Run("cannot change what moved on", func(t *testing.T) {
		for _, cause := range []string{"event-3", "event-2", "event-1"} {
			require.ErrorIs(t, rows.Save(t.Context(), change(8, cause, born)), record.ErrVersionConflict, "whatever its cause is: %s", cause)
		}
		s, d := load(t, rows)
		assert.Equal(t, []int{9, 2}, []int{s.Mugs, d.Version})
	})

	t.Run("cannot change what was deleted and made again", func(t *testing.T) {
		c.Put("Reservations", strings.Replace(c.Row("Reservations", key), "nonce001", "nonce777", 1))
		_, again := load(t, rows)
		again.Nonce = "nonce001"
		require.ErrorIs(t, rows.Save(t.Context(), change(8, "event-3", again)), record.ErrVersionConflict)
	})

	t.Run("finds nothing under another key", func(t *testing.T) {
		_, err := rows.Load(t.Context(), "main#ord_2", &shelf{})
		require.ErrorIs(t, err, fault.NotFound)
	})
}

// forgetting returns rows whose next answer to an operation is lost.
func forgetting(rows record.Table, c *cloudtest.Cloud, operation string) (record.Table, func() int) {
	db, lost := c.Forgetful(operation)
	rows.DB = db
	return rows, lost
}

func TestAWriteWhoseAnswerWasLostIsKnownAgain(t *testing.T) {
	t.Parallel()
	cloudtest.Patiently(t, func(t *testing.T) {
		rows, c := table(t)

		flaky, lost := forgetting(rows, c, "PutItem")
		require.NoError(t, flaky.Save(t.Context(), first(10)), "a new row")
		assert.Equal(t, 1, lost())
		s, born := load(t, rows)
		assert.Equal(t, []int{10, 1, 1}, []int{s.Mugs, born.Version, len(born.Entries)})

		flaky, lost = forgetting(rows, c, "PutItem")
		next := first(9)
		next.History = born
		require.NoError(t, flaky.Save(t.Context(), next), "one more version, and by the cause of the one before")
		assert.Equal(t, 1, lost())
		s, d := load(t, rows)
		assert.Equal(t, []int{9, 2, 2}, []int{s.Mugs, d.Version, len(d.Entries)})

		put, err := rows.Put(record.Change{
			Key: key, Item: shelf{"ord_1", "main", 8}, History: d, Cause: saga.Cause{ID: "event-3", Actor: "test"}, Facts: []saga.Fact{saga.PaymentAuthorized},
		})
		require.NoError(t, err)
		flaky, lost = forgetting(rows, c, "TransactWriteItems")
		require.NoError(t, record.Transact(t.Context(), flaky.DB, put), "a transaction")
		assert.Equal(t, 1, lost())
		s, d = load(t, rows)
		assert.Equal(t, []int{8, 3, 3}, []int{s.Mugs, d.Version, len(d.Entries)})
	})
}

func TestTheLogIsBounded(t *testing.T) {
	t.Parallel()
	rows, _ := table(t)
	require.NoError(t, rows.Save(t.Context(), first(0)))
	for n := 2; n <= record.HistoryLimit+5; n++ {
		_, d := load(t, rows)
		change := first(n)
		change.History, change.Cause.ID = d, fmt.Sprintf("event-%d", n)
		require.NoError(t, rows.Save(t.Context(), change))
	}
	_, d := load(t, rows)
	assert.Equal(t, record.HistoryLimit+5, d.Version)
	require.Len(t, d.Entries, record.HistoryLimit)
	assert.Equal(t, 1, d.Entries[0].Version, "how it began")
	assert.Equal(t, 7, d.Entries[1].Version, "then the latest")
	assert.Equal(t, record.HistoryLimit+5, d.Entries[record.HistoryLimit-1].Version)
}

func TestLoadEachReadsOneRowOfEachTable(t *testing.T) {
	t.Parallel()
	rows, c := table(t)
	require.NoError(t, rows.Save(t.Context(), first(10)))

	images, err := record.LoadEach(t.Context(), rows.DB, map[string]string{rows.Name: key, c.Table("Charges"): key})
	require.NoError(t, err)
	assert.Len(t, images, 1, "a row that is not there is absent")
	assert.Contains(t, images, rows.Name)
}

func TestReadManyReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	_, c := table(t)
	for i := range 100 {
		c.Put("Catalog", fmt.Sprintf(`{"pk":"main#SKU-%d"}`, i))
	}
	var keys []string
	for i := range 100 {
		keys = append(keys, fmt.Sprintf("main#SKU-%d", 2*i))
	}
	found := map[string]bool{}
	err := record.ReadMany(t.Context(), c.Runtime().DynamoDB(), c.Table("Catalog"), keys, func(image map[string]types.AttributeValue) {
		found[image["pk"].(*types.AttributeValueMemberS).Value] = true
	})
	require.NoError(t, err)
	assert.Len(t, found, 50)
	assert.True(t, found["main#SKU-0"] && found["main#SKU-98"])
}

func TestWhatIsHeldBackIsAskedForAgainWhileThereIsTime(t *testing.T) {
	const heldBack = `{"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"main#a"}}]}}}`
	for name, c := range map[string]struct {
		answers []string
		time    time.Duration
		calls   int
		kind    fault.Kind
	}{
		"until it comes":                        {[]string{heldBack, heldBack, "{}"}, time.Minute, 3, ""},
		"until the store is asked for too much": {[]string{heldBack}, time.Minute, 8, fault.Throttled},
		"until there is no time":                {[]string{heldBack}, time.Microsecond, 1, fault.Unavailable},
		"but not after a mistake":               {[]string{`{"__type":"x#ValidationException"}`}, time.Minute, 1, fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.time)
				defer cancel()
				s := &scripted{answers: c.answers}
				err := record.ReadMany(ctx, s.client(), "t", []string{"main#a"}, func(map[string]types.AttributeValue) {})
				assert.Equal(t, c.calls, s.calls)
				if c.kind == "" {
					require.NoError(t, err)
					return
				}
				assert.Equal(t, c.kind, fault.KindOf(err), "%v", err)
			})
		})
	}
}

// scripted is a store that gives the answers it was told to, one after the other; the last one for ever.
type scripted struct {
	answers []string // "" is success, and so is what names no error
	calls   int
}

func (s *scripted) Do(*http.Request) (*http.Response, error) {
	answer := s.answers[min(s.calls, len(s.answers)-1)]
	s.calls++
	status := http.StatusOK
	if strings.Contains(answer, `"__type"`) {
		status = http.StatusBadRequest
	}
	answer = cmp.Or(answer, "{}")
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewBufferString(answer))}, nil
}

func (s *scripted) client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", HTTPClient: s, BaseEndpoint: aws.String("http://store.invalid"), Credentials: aws.AnonymousCredentials{},
		RetryMaxAttempts: 1, // what is tried again here, the SDK does not try
	})
}

// canceled is the answer to a transaction that was refused for these reasons, one per action.
func canceled(codes ...string) string {
	var reasons []string
	for _, code := range codes {
		reasons = append(reasons, `{"Code":"`+code+`"}`)
	}
	return `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[` + strings.Join(reasons, ",") + `]}`
}

const collision = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}`

func TestCollisionsAreTriedAgain(t *testing.T) {
	transact := func(t *testing.T, db *dynamodb.Client) error {
		return record.Transact(t.Context(), db, types.TransactWriteItem{Put: &types.Put{TableName: aws.String("t"), Item: map[string]types.AttributeValue{}}})
	}
	save := func(t *testing.T, db *dynamodb.Client) error {
		return record.Table{DB: db, Name: "t", Now: time.Now, Nonce: func() string { return "n" }}.Save(t.Context(), first(1))
	}
	for name, c := range map[string]struct {
		write   func(*testing.T, *dynamodb.Client) error
		answers []string
		calls   int
		err     error
	}{
		"a transaction that collides twice is written then": {transact, []string{canceled("None", "TransactionConflict"), canceled("TransactionConflict"), ""}, 3, nil},
		"a row that collides is written then":               {save, []string{collision, collision, ""}, 3, nil},
		"who keeps colliding gives way":                     {transact, []string{canceled("TransactionConflict")}, 8, record.ErrContention},
		"a row that keeps colliding gives way":              {save, []string{collision}, 8, record.ErrContention},
		"a transaction that stays throttled is for later":   {transact, []string{canceled("None", "ThrottlingError")}, 8, fault.Throttled},
		"a throttled transaction is tried again":            {transact, []string{canceled("ThrottlingError"), ""}, 2, nil},
		"a condition is a result, whatever else happened":   {transact, []string{canceled("ConditionalCheckFailed", "TransactionConflict")}, 1, &record.Canceled{}},
		"a wrong request is no condition that failed":       {transact, []string{canceled("ValidationError", "TransactionConflict")}, 1, fault.Internal},
		"a throttled store asks for patience":               {save, []string{`{"__type":"x#ProvisionedThroughputExceededException"}`}, 1, fault.Throttled},
		"a store that is away asks for patience":            {save, []string{`{"__type":"x#InternalServerError"}`}, 1, fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{answers: c.answers}
				err := c.write(t, s.client())
				assert.Equal(t, c.calls, s.calls)
				if _, condition := errors.AsType[*record.Canceled](c.err); condition {
					assert.ErrorAs(t, err, new(*record.Canceled))
					return
				}
				assert.Equal(t, fault.KindOf(c.err), fault.KindOf(err), "%v", err)
			})
		})
	}
}
