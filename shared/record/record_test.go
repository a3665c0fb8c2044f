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
		Key: key, Item: shelf{"ord_1", "main", mugs}, Cause: saga.Cause{ID: "event-1", Actor: "test"},
		Facts: []saga.Fact{saga.PaymentIntended},
	}
}

// table returns a table with numbered nonces, and its cloud.
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

func TestSave_RaisesTheVersionAndRecordsTheFacts(t *testing.T) {
	t.Parallel()
	rows, c := table(t)

	require.NoError(t, rows.Save(t.Context(), first(10)))
	assert.JSONEq(t, `{
		"pk": "main#ord_1", "version": 1, "nonce": "nonce001",
		"history": [{"v": 1, "fact": "PaymentIntended", "at": 1772366400000, "cause": "event-1", "actor": "test"}],
		"order": "ord_1", "shop": "main", "mugs": 10
	}`, c.Row("Reservations", key), "a version without consumers has no attribute publishes")

	c.Clock.Pass(time.Second)
	_, history := load(t, rows)
	require.NoError(t, rows.Save(t.Context(), record.Change{
		Key: key, Item: shelf{"ord_1", "main", 9}, History: history, Cause: saga.Cause{ID: "event-2", Actor: "other"},
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
	}`, c.Row("Reservations", key), "two of its facts have consumers")

	s, history := load(t, rows)
	assert.Equal(t, shelf{"ord_1", "main", 9}, s)
	assert.Equal(t, 2, history.Version)
	assert.True(t, history.Handled(saga.Cause{ID: "event-1"}) && history.Handled(saga.Cause{ID: "event-2"}))
	assert.False(t, history.Handled(saga.Cause{ID: "event-3"}))
	assert.Equal(t, saga.Entry{
		Version: 2, Fact: saga.PaymentDeclined, At: cloudtest.Epoch.Add(time.Second),
		Cause: saga.Cause{ID: "event-2", Actor: "other"},
	}, history.Entries[3])
}

func TestSave_RefusesAChangeWithoutFactsOrWithAReservedAttribute(t *testing.T) {
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

func TestSave_SecondWriterIsRefused(t *testing.T) {
	t.Parallel()
	rows, c := table(t)
	require.NoError(t, rows.Save(t.Context(), first(10)))
	_, created := load(t, rows)

	t.Run("a new row that exists is refused, with the existing row", func(t *testing.T) {
		err := rows.Save(t.Context(), first(99))
		require.ErrorIs(t, err, fault.Duplicate)
		var existing *record.Exists
		require.ErrorAs(t, err, &existing)
		var s shelf
		_, err = record.Decode(existing.Image, &s)
		require.NoError(t, err)
		assert.Equal(t, 10, s.Mugs)
	})

	change := func(mugs int, cause string, d saga.History) record.Change {
		return record.Change{Key: key, Item: shelf{"ord_1", "main", mugs}, History: d,
			Cause: saga.Cause{ID: cause, Actor: "test"}, Facts: []saga.Fact{saga.PaymentAuthorized}}
	}
	require.NoError(t, rows.Save(t.Context(), change(9, "event-2", created)))

	t.Run("a stale version is refused", func(t *testing.T) {
		for _, cause := range []string{"event-3", "event-2", "event-1"} {
			require.ErrorIs(t, rows.Save(t.Context(), change(8, cause, created)), record.ErrVersionConflict,
				"with the cause %s", cause)
		}
		s, d := load(t, rows)
		assert.Equal(t, []int{9, 2}, []int{s.Mugs, d.Version})
	})

	t.Run("a row that was deleted and created again is refused", func(t *testing.T) {
		c.Put("Reservations", strings.Replace(c.Row("Reservations", key), "nonce001", "nonce777", 1))
		_, again := load(t, rows)
		again.Nonce = "nonce001"
		require.ErrorIs(t, rows.Save(t.Context(), change(8, "event-3", again)), record.ErrVersionConflict)
	})

	t.Run("another key has no row", func(t *testing.T) {
		_, err := rows.Load(t.Context(), "main#ord_2", &shelf{})
		require.ErrorIs(t, err, fault.NotFound)
	})
}

// losingAnswers returns rows that lose the next answer to an operation.
func losingAnswers(rows record.Table, c *cloudtest.Cloud, operation string) (record.Table, func() int) {
	db, lost := c.Forgetful(operation)
	rows.DB = db
	return rows, lost
}

func TestSave_RecognisesItsOwnWriteAfterALostAnswer(t *testing.T) {
	t.Parallel()
	cloudtest.Patiently(t, func(t *testing.T) {
		rows, c := table(t)

		flaky, lost := losingAnswers(rows, c, "PutItem")
		require.NoError(t, flaky.Save(t.Context(), first(10)), "a new row")
		assert.Equal(t, 1, lost())
		s, created := load(t, rows)
		assert.Equal(t, []int{10, 1, 1}, []int{s.Mugs, created.Version, len(created.Entries)})

		flaky, lost = losingAnswers(rows, c, "PutItem")
		next := first(9)
		next.History = created
		require.NoError(t, flaky.Save(t.Context(), next), "the next version, by the same cause")
		assert.Equal(t, 1, lost())
		s, d := load(t, rows)
		assert.Equal(t, []int{9, 2, 2}, []int{s.Mugs, d.Version, len(d.Entries)})

		put, err := rows.Put(record.Change{
			Key: key, Item: shelf{"ord_1", "main", 8}, History: d, Cause: saga.Cause{ID: "event-3", Actor: "test"},
			Facts: []saga.Fact{saga.PaymentAuthorized},
		})
		require.NoError(t, err)
		flaky, lost = losingAnswers(rows, c, "TransactWriteItems")
		require.NoError(t, record.Transact(t.Context(), flaky.DB, put), "a transaction")
		assert.Equal(t, 1, lost())
		s, d = load(t, rows)
		assert.Equal(t, []int{8, 3, 3}, []int{s.Mugs, d.Version, len(d.Entries)})
	})
}

func TestSave_BoundsTheHistory(t *testing.T) {
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
	assert.Equal(t, 1, d.Entries[0].Version, "the first entry stays")
	assert.Equal(t, 7, d.Entries[1].Version, "then the latest entries")
	assert.Equal(t, record.HistoryLimit+5, d.Entries[record.HistoryLimit-1].Version)
}

func TestLoadEach_ReadsOneRowOfEachTable(t *testing.T) {
	t.Parallel()
	rows, c := table(t)
	require.NoError(t, rows.Save(t.Context(), first(10)))

	images, err := record.LoadEach(t.Context(), rows.DB, map[string]string{rows.Name: key, c.Table("Charges"): key})
	require.NoError(t, err)
	assert.Len(t, images, 1, "a missing row is absent")
	assert.Contains(t, images, rows.Name)
}

func TestReadMany_ReadsExistingItems(t *testing.T) {
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
	err := record.ReadMany(t.Context(), c.Runtime().DynamoDB(), c.Table("Catalog"), keys,
		func(image map[string]types.AttributeValue) {
			found[image["pk"].(*types.AttributeValueMemberS).Value] = true
		})
	require.NoError(t, err)
	assert.Len(t, found, 50)
	assert.True(t, found["main#SKU-0"] && found["main#SKU-98"])
}

func TestReadMany_AsksAgainForUnprocessedKeys(t *testing.T) {
	const unprocessed = `{"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"main#a"}}]}}}`
	for name, c := range map[string]struct {
		answers []string
		time    time.Duration
		calls   int
		kind    fault.Kind
	}{
		"until all are read":          {[]string{unprocessed, unprocessed, "{}"}, time.Minute, 3, ""},
		"until the tries are used up": {[]string{unprocessed}, time.Minute, 8, fault.Throttled},
		"until the context ends":      {[]string{unprocessed}, time.Microsecond, 1, fault.Unavailable},
		"not after a bad request":     {[]string{`{"__type":"x#ValidationException"}`}, time.Minute, 1, fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.time)
				defer cancel()
				s := &scripted{answers: c.answers}
				err := record.ReadMany(ctx, s.client(), "t", []string{"main#a"},
					func(map[string]types.AttributeValue) {})
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

// scripted is a store that gives its answers in order, and repeats the last one.
type scripted struct {
	answers []string // "" is success, as is any answer without __type
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
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewBufferString(answer))}, nil
}

func (s *scripted) client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", HTTPClient: s, BaseEndpoint: aws.String("http://store.invalid"),
		Credentials:      aws.AnonymousCredentials{},
		RetryMaxAttempts: 1, // the SDK does not retry; record does
	})
}

// canceled is the answer to a canceled transaction, with one reason per action.
func canceled(codes ...string) string {
	var reasons []string
	for _, code := range codes {
		reasons = append(reasons, `{"Code":"`+code+`"}`)
	}
	return `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[` +
		strings.Join(reasons, ",") + `]}`
}

const collision = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}`

func TestTransact_RetriesCollisions(t *testing.T) {
	transact := func(t *testing.T, db *dynamodb.Client) error {
		return record.Transact(t.Context(), db,
			types.TransactWriteItem{Put: &types.Put{TableName: aws.String("t"),
				Item: map[string]types.AttributeValue{}}})
	}
	save := func(t *testing.T, db *dynamodb.Client) error {
		return record.Table{DB: db, Name: "t", Now: time.Now, Nonce: func() string { return "n" }}.Save(t.Context(),
			first(1))
	}
	for name, c := range map[string]struct {
		write   func(*testing.T, *dynamodb.Client) error
		answers []string
		calls   int
		err     error
	}{
		"a transaction that collides twice is written": {transact,
			[]string{canceled("None", "TransactionConflict"), canceled("TransactionConflict"), ""}, 3, nil},
		"a row that collides twice is written": {save, []string{collision, collision, ""}, 3, nil},
		"a transaction that keeps colliding fails": {transact, []string{canceled("TransactionConflict")},
			8, record.ErrContention},
		"a row that keeps colliding fails": {save, []string{collision}, 8, record.ErrContention},
		"a transaction that stays throttled is throttled": {transact,
			[]string{canceled("None", "ThrottlingError")}, 8, fault.Throttled},
		"a throttled transaction is retried": {transact, []string{canceled("ThrottlingError"), ""},
			2, nil},
		"a failed condition is a result, even with a collision": {transact,
			[]string{canceled("ConditionalCheckFailed", "TransactionConflict")}, 1, &record.Canceled{}},
		"a bad request is not a failed condition": {transact,
			[]string{canceled("ValidationError", "TransactionConflict")}, 1, fault.Internal},
		"a throttled store is throttled": {save,
			[]string{`{"__type":"x#ProvisionedThroughputExceededException"}`}, 1, fault.Throttled},
		"a failing store is unavailable": {save, []string{`{"__type":"x#InternalServerError"}`},
			1, fault.Unavailable},
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

// box is a row with members in maps and lists.
type box struct {
	Order string    `dynamodbav:"order"`
	Shop  saga.Shop `dynamodbav:"shop"`
	Lid   *lid      `dynamodbav:"lid,omitempty"`
	Mugs  []mug     `dynamodbav:"mugs,omitempty"`
	Note  string    `dynamodbav:"note,omitempty"`
}

type lid struct {
	ID    string `dynamodbav:"id" record:"key"`
	Color string `dynamodbav:"color"`
}

type mug struct {
	SKU   string `dynamodbav:"sku" record:"key"`
	Units int    `dynamodbav:"units"`
}

func TestSave_KeepsAttributesThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	stored := `{"pk": "main#ord_1", "version": 1, "nonce": "n", "extra": {"a": [1]}, "order": "ord_1", "shop": "main",
		"history": [{"v": 1, "fact": "PaymentIntended", "at": 1, "cause": "c", "actor": "a", "extra": "history"}],
		"lid": {"id": "l", "color": "red", "extra": "lid"}, "note": "fragile",
		"mugs": [{"sku": "A", "units": 1, "extra": "a"}, {"sku": "B", "units": 1, "extra": "b"},
			{"sku": "B", "units": 2, "extra": "second b"}]}`
	for sentence, c := range map[string]struct {
		change func(*box, *saga.History)
		lid    string
		mugs   string
	}{
		"in all places": {func(*box, *saga.History) {}, `{"id": "l", "color": "red", "extra": "lid"}`,
			`[{"sku": "A", "units": 1, "extra": "a"}, {"sku": "B", "units": 1, "extra": "b"},
				{"sku": "B", "units": 2, "extra": "second b"}]`},
		"in elements that moved, and not in new ones": {func(b *box, _ *saga.History) {
			b.Mugs = []mug{{"C", 1}, {"B", 7}, {"A", 5}}
		}, `{"id": "l", "color": "red", "extra": "lid"}`,
			`[{"sku": "C", "units": 1}, {"sku": "B", "units": 7, "extra": "b"}, {"sku": "A", "units": 5, "extra": "a"}]`},
		"in a map only while it is about the same thing": {func(b *box, _ *saga.History) {
			b.Lid, b.Mugs = &lid{"another", "red"}, []mug{}
		}, `{"id": "another", "color": "red"}`, `[]`},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			rows, cloud := table(t)
			cloud.Put("Reservations", stored)
			var b box
			history, err := rows.Load(t.Context(), key, &b)
			require.NoError(t, err)
			c.change(&b, &history)
			b.Note = ""
			change := record.Change{Key: key, Item: b, History: history,
				Cause: saga.Cause{ID: "event-2", Actor: "test"},
				Facts: []saga.Fact{saga.PaymentAuthorized}}
			next, err := rows.SaveNext(t.Context(), change)
			require.NoError(t, err)
			change.History = next
			require.NoError(t, rows.Save(t.Context(), change), "without a read")
			assert.JSONEq(t, `{"pk": "main#ord_1", "version": 3, "nonce": "n", "publishes": 1,
				"extra": {"a": [1]}, "order": "ord_1", "shop": "main", "lid": `+c.lid+`, "mugs": `+c.mugs+`,
				"history": [{"v": 1, "fact": "PaymentIntended", "at": 1, "cause": "c", "actor": "a", "extra": "history"},
					{"v": 2, "fact": "PaymentAuthorized", "at": 1772366400000, "cause": "event-2", "actor": "test"},
					{"v": 3, "fact": "PaymentAuthorized", "at": 1772366400000, "cause": "event-2", "actor": "test"}]}`,
				cloud.Row("Reservations", key))
		})
	}
}

func TestSave_DropsWhatItDoesNotKnowOnlyWhenToldTo(t *testing.T) {
	t.Parallel()
	rows, cloud := table(t)
	require.NoError(t, rows.Save(t.Context(), first(1)))
	cloud.Put("Reservations", strings.Replace(cloud.Row("Reservations", key), "{", `{"extra": "anna",`, 1))
	s, history := load(t, rows)
	history.Rest = saga.Rest{}
	require.NoError(t, rows.Save(t.Context(), record.Change{Key: key, Item: s, History: history,
		Cause: saga.Cause{ID: "erase", Actor: "operator"}, Facts: []saga.Fact{saga.OrderErased}}))
	assert.NotContains(t, cloud.Row("Reservations", key), "anna")
}

// interrupted loses the answer to a write, after which another release adds to the row.
type interrupted struct {
	inner aws.HTTPClient
	then  func()
}

func (i *interrupted) Do(r *http.Request) (*http.Response, error) {
	response, err := i.inner.Do(r)
	if err == nil && i.then != nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") {
		then := i.then
		i.then = nil
		then()
		_ = response.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

func TestSave_RecognizesItsWriteAlthoughAnotherReleaseAddedToIt(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		add string
		err error
	}{
		"an attribute that it does not know": {`"extra": "new",`, nil},
		"an attribute that it knows":         {`"note": "another write",`, fault.Duplicate},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			rows, cloud := table(t)
			cfg := cloud.Runtime().AWS
			cfg.HTTPClient = &interrupted{cfg.HTTPClient, func() {
				cloud.Put("Reservations", strings.Replace(cloud.Row("Reservations", key), "{", "{"+c.add, 1))
			}}
			rows.DB = dynamodb.NewFromConfig(cfg)
			change := first(1)
			change.Item = box{Order: "ord_1", Shop: "main", Mugs: []mug{{"A", 1}}}
			require.ErrorIs(t, rows.Save(t.Context(), change), c.err)
		})
	}
}

func TestDecode_RefusesAListWhoseElementsHaveNoNaturalKey(t *testing.T) {
	t.Parallel()
	var row struct {
		Things []struct {
			Name string `dynamodbav:"name"`
		} `dynamodbav:"things"`
	}
	assert.PanicsWithValue(t,
		`record: no field of struct { Name string "dynamodbav:\"name\"" } has the tag record:"key"`,
		func() { _, _ = record.Decode(map[string]types.AttributeValue{}, &row) })
}

func BenchmarkDecode(b *testing.B) {
	row := box{Order: "ord_1", Shop: "main", Lid: &lid{"l", "red"}}
	for i := range 10 {
		row.Mugs = append(row.Mugs, mug{fmt.Sprint("SKU-", i), i})
	}
	image, err := record.Marshal(row, saga.Rest{})
	require.NoError(b, err)
	for b.Loop() {
		var out box
		if _, err := record.Decode(image, &out); err != nil {
			b.Fatal(err)
		}
	}
}
