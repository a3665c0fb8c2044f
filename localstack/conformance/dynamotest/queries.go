package dynamotest

import (
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// eventually repeats a read of an index, which may be late, until the answer has the wanted length,
// for at most five seconds. It returns the last answer.
func eventually[E any](wanted int, ask func() []E) []E {
	for range 50 {
		if found := ask(); len(found) >= wanted {
			return found
		}
		time.Sleep(100 * time.Millisecond)
	}
	return ask()
}

// ranged is a key condition on a table with five rows of one partition key, and the rows that it
// finds. :pk is the partition key.
type ranged struct {
	table func(s *stage) string
	keys  list // of the five rows, in order
	where string
	value item
	back  bool // ScanIndexForward false
	found []int
}

func (r ranged) check(t conformance.T, s *stage) {
	table := r.table(s)
	partition := any(t.Name())
	if _, binary := r.keys[0].([]byte); binary {
		partition = []byte(t.Name())
	}
	for _, i := range []int{3, 0, 4, 1, 2} {
		s.put(t, table, item{"pk": partition, "sk": r.keys[i], "i": i})
	}
	answer, err := s.db.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: &r.where,
		ExpressionAttributeValues: attributes(with(r.value, item{":pk": partition})),
		ScanIndexForward:          aws.Bool(!r.back), ConsistentRead: aws.Bool(true),
	})
	require.NoError(t, err)
	want := []string{}
	for _, i := range r.found {
		want = append(want, text(attributes(item{"pk": partition, "sk": r.keys[i], "i": i})))
	}
	require.Equal(t, want, texts(answer.Items))
	require.Equal(t, []int32{int32(len(want)), int32(len(want))}, []int32{answer.Count, answer.ScannedCount})
	require.Empty(t, answer.LastEvaluatedKey)
}

// badQuery is a query that is refused.
type badQuery struct {
	where, filter string
	names         names
	values        item
	index         string
	change        func(q *dynamodb.QueryInput)
}

func (b badQuery) check(t conformance.T, s *stage) {
	q := &dynamodb.QueryInput{TableName: &s.rows, KeyConditionExpression: &b.where, ExpressionAttributeNames: b.names,
		ExpressionAttributeValues: attributes(b.values)}
	if b.filter != "" {
		q.FilterExpression = &b.filter
	}
	if b.index != "" {
		q.IndexName = &b.index
	}
	if b.change != nil {
		b.change(q)
	}
	_, err := s.db.Query(t.Context(), q)
	refuses(t, err, invalid, "")
}

func queries() map[string]example {
	all := map[string]example{}
	for kind, keyed := range map[string]struct {
		table func(s *stage) string
		keys  list
	}{
		"strings": {rows, list{"A", "a", "ab", "b", "é"}},
		"numbers": {scores, list{-10, number("-9.5"), 0, 9, 10}},
		"binary":  {blobTable, list{[]byte{0}, []byte{1}, []byte{1, 2}, []byte{2}, []byte{255}}},
	} {
		second, fourth := item{":v": keyed.keys[1]}, item{":v": keyed.keys[3]}
		for where, expected := range map[string]struct {
			value item
			found []int
		}{
			"pk = :pk":                            {nil, []int{0, 1, 2, 3, 4}},
			"pk = :pk AND sk = :v":                {second, []int{1}},
			"pk = :pk AND sk < :v":                {fourth, []int{0, 1, 2}},
			"pk = :pk AND sk <= :v":               {fourth, []int{0, 1, 2, 3}},
			"pk = :pk AND sk > :v":                {second, []int{2, 3, 4}},
			"pk = :pk AND sk >= :v":               {second, []int{1, 2, 3, 4}},
			"pk = :pk AND sk BETWEEN :v AND :w":   {item{":v": keyed.keys[1], ":w": keyed.keys[3]}, []int{1, 2, 3}},
			"sk = :v AND pk = :pk":                {second, []int{1}},
			"(pk = :pk) AND (sk > :v)":            {second, []int{2, 3, 4}},
			":pk = pk AND :v < sk":                {second, []int{2, 3, 4}},
			"pk = :pk and sk between :v and :w":   {item{":v": keyed.keys[0], ":w": keyed.keys[0]}, []int{0}},
			"(pk = :pk AND sk BETWEEN :v AND :w)": {item{":v": keyed.keys[3], ":w": keyed.keys[4]}, []int{3, 4}},
		} {
			all[fmt.Sprintf("%s are found by %q", kind, where)] = ranged{table: keyed.table, keys: keyed.keys,
				where: where, value: expected.value, found: expected.found}
		}
		all[kind+" are found backwards"] = ranged{table: keyed.table, keys: keyed.keys, where: "pk = :pk AND sk < :v",
			value: fourth, back: true, found: []int{2, 1, 0}}
		if kind != "numbers" {
			all[kind+" are found by their beginning"] = ranged{table: keyed.table, keys: keyed.keys,
				where: "pk = :pk AND begins_with(sk, :v)", value: second, found: []int{1, 2}}
		}
	}
	pk := item{":pk": "a"}
	both := item{":pk": "a", ":v": "b"}
	maps.Copy(all, map[string]example{
		"a key condition without the partition key is refused": badQuery{where: "sk = :v", values: item{":v": "b"}},
		"an empty key condition is refused":                    badQuery{where: ""},
		"a key condition of an inequality is refused":          badQuery{where: "pk > :pk", values: pk},
		"a key condition with <> is refused":                   badQuery{where: "pk <> :pk", values: pk},
		"a sort key condition with <> is refused":              badQuery{where: "pk = :pk AND sk <> :v", values: both},
		"a sort key condition with IN is refused": badQuery{where: "pk = :pk AND sk IN (:v)",
			values: both},
		"OR in a key condition is refused": badQuery{where: "pk = :pk OR sk = :v", values: both},
		"OR of sort keys is refused": badQuery{where: "pk = :pk AND (sk = :v OR sk = :pk)",
			values: both},
		"NOT in a key condition is refused": badQuery{where: "pk = :pk AND NOT sk = :v",
			values: both},
		"contains in a key condition is refused": badQuery{where: "pk = :pk AND contains(sk, :v)",
			values: both},
		"size in a key condition is refused": badQuery{where: "pk = :pk AND size(sk) = :v",
			values: item{":pk": "a", ":v": 1}},
		"attribute_exists in a key condition is refused": badQuery{where: "pk = :pk AND attribute_exists(sk)",
			values: pk},
		"two conditions on the sort key are refused": badQuery{where: "pk = :pk AND sk > :v AND sk < :w",
			values: item{":pk": "a", ":v": "b", ":w": "c"}},
		"two partition keys are refused":              badQuery{where: "pk = :pk AND pk = :v", values: both},
		"a condition on another attribute is refused": badQuery{where: "pk = :pk AND n = :v", values: both},
		"a partition key of another type is refused":  badQuery{where: "pk = :pk", values: item{":pk": 1}},
		"a sort key of another type is refused": badQuery{where: "pk = :pk AND sk > :v",
			values: item{":pk": "a", ":v": 1}},
		"an empty partition key is refused":           badQuery{where: "pk = :pk", values: item{":pk": ""}},
		"begins_with of the partition key is refused": badQuery{where: "begins_with(pk, :pk)", values: pk},
		"BETWEEN of sort keys reversed is refused": badQuery{where: "pk = :pk AND sk BETWEEN :w AND :v",
			values: item{":pk": "a", ":v": "b", ":w": "c"}},
		"a key condition cannot compare two attributes": badQuery{where: "pk = sk"},
		"an unused value in a query is refused":         badQuery{where: "pk = :pk", values: both},
		"an undefined value in a query is refused":      badQuery{where: "pk = :pk AND sk = :v", values: pk},
		"a reserved word in a key condition is refused": badQuery{where: "pk = :pk AND owner = :v",
			values: both},
		"a filter on the partition key is refused": badQuery{where: "pk = :pk", filter: "pk = :pk",
			values: pk},
		"a filter on the sort key is refused": badQuery{where: "pk = :pk", filter: "sk > :v",
			values: both},
		"a filter on the index's key is refused": badQuery{index: "byOwner", where: "#o = :pk",
			filter: "#at > :v", names: names{"#o": "owner", "#at": "at"}, values: item{":pk": "a", ":v": 1}},
		"a filter must be a condition": badQuery{where: "pk = :pk", filter: "n", values: pk},
		"an unknown index is refused":  scenario(noIndex),
		"an index is not queried by the table's key": badQuery{index: "byOwner", where: "pk = :pk",
			values: pk},
		"a consistent read of an index is refused": badQuery{index: "byOwner", where: "#o = :pk",
			names: names{"#o": "owner"}, values: pk,
			change: func(q *dynamodb.QueryInput) { q.ConsistentRead = aws.Bool(true) }},
		"a limit of 0 is refused": badQuery{where: "pk = :pk", values: pk,
			change: func(q *dynamodb.QueryInput) { q.Limit = aws.Int32(0) }},
		"an invalid start key is refused": badQuery{where: "pk = :pk", values: pk,
			change: func(q *dynamodb.QueryInput) { q.ExclusiveStartKey = attributes(item{"pk": "a"}) }},
		"a start key in another partition is refused": badQuery{where: "pk = :pk", values: pk,
			change: func(q *dynamodb.QueryInput) { q.ExclusiveStartKey = attributes(item{"pk": "z", "sk": "a"}) }},
		"a start key for an index needs both keys": badQuery{index: "byOwner", where: "#o = :pk",
			names: names{"#o": "owner"}, values: pk,
			change: func(q *dynamodb.QueryInput) { q.ExclusiveStartKey = attributes(item{"pk": "a", "sk": "a"}) }},

		"an empty partition has no rows":                              scenario(emptyPartition),
		"pages with a limit return every row once":                    scenario(pages),
		"pages in reverse order return every row once":                scenario(pagesBack),
		"a page ends at its limit even if its filter drops every row": scenario(filteredPages),
		"a count query returns no items":                              scenario(counted),
		"an index is paged by its own key and the table's key":        scenario(indexPages),
		"rows with equal index keys are all found":                    scenario(equalIndexKeys),
		"an index returns rows in the order of its key":               scenario(indexOrder),
		"a sparse index has only rows with its key":                   scenario(sparse),
		"a sparse index loses rows that lose its key":                 scenario(sparseRemoval),
		"a KEYS_ONLY index has only keys":                             scenario(keysOnly),
		"an ALL index has every attribute":                            scenario(allProjected),
		"an INCLUDE index has the included attributes":                scenario(included),
		"a KEYS_ONLY index cannot return other attributes":            scenario(beyondProjection),
		"a row that changes its index key moves":                      scenario(movedInIndex),
		"a deleted row leaves its index":                              scenario(deletedFromIndex),
		"a scan returns every row":                                    scenario(scanned),
		"a scan in segments returns every row once":                   scenario(segments),
		"a scan of an index returns its rows":                         scenario(indexScanned),
		"a scan by pages returns every row once":                      scenario(scanPages),
		"a scan with a filter may name the key":                       scenario(scanFilter),
		"a scan of an unknown segment is refused":                     scenario(badSegment),
	})
	return all
}

// fill stores rows r0, r1, … of the case's partition with n = 0, 1, …
func (s *stage) fill(t conformance.T, count int) {
	t.Helper()
	for n := range count {
		s.put(t, s.rows, item{"pk": t.Name(), "sk": fmt.Sprintf("r%d", n), "n": n})
	}
}

// partition returns a query of the case's partition.
func (s *stage) partition(t conformance.T) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{TableName: &s.rows, KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: attributes(item{":pk": t.Name()}), ConsistentRead: aws.Bool(true)}
}

// owned returns a query of an index by the case's name.
func (s *stage) owned(t conformance.T, index, attribute string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &s.rows, IndexName: &index, KeyConditionExpression: aws.String("#k = :k"),
		ExpressionAttributeNames: names{"#k": attribute}, ExpressionAttributeValues: attributes(item{":k": t.Name()}),
	}
}

func (s *stage) query(t conformance.T, q *dynamodb.QueryInput) *dynamodb.QueryOutput {
	t.Helper()
	answer, err := s.db.Query(t.Context(), q)
	require.NoError(t, err)
	return answer
}

// walk queries page by page. It returns all items, and the number of items on each page.
func (s *stage) walk(t conformance.T, q *dynamodb.QueryInput) (items []map[string]types.AttributeValue, sizes []int32) {
	t.Helper()
	for range 20 {
		page := s.query(t, q)
		items, sizes = append(items, page.Items...), append(sizes, page.Count)
		if q.ExclusiveStartKey = page.LastEvaluatedKey; len(q.ExclusiveStartKey) == 0 {
			return items, sizes
		}
	}
	require.Fail(t, "the pages do not end")
	return nil, nil
}

// column returns an attribute of each item as text.
func column(items []map[string]types.AttributeValue, name string) []string {
	all := []string{}
	for _, i := range items {
		all = append(all, written(document(i[name])))
	}
	return all
}

// columned returns what column returns for the values.
func columned(values ...any) []string {
	all := []string{}
	for _, v := range values {
		all = append(all, written(document(attribute(v))))
	}
	return all
}

func emptyPartition(t conformance.T, s *stage) {
	answer := s.query(t, s.partition(t))
	require.Empty(t, answer.Items)
	require.Zero(t, answer.Count)
	require.Empty(t, answer.LastEvaluatedKey)
}

func pages(t conformance.T, s *stage) {
	s.fill(t, 5)
	q := s.partition(t)
	q.Limit = aws.Int32(2)
	first := s.query(t, q)
	require.Equal(t, text(attributes(item{"pk": t.Name(), "sk": "r1"})), text(first.LastEvaluatedKey))
	found, sizes := s.walk(t, q)
	require.Equal(t, columned("r0", "r1", "r2", "r3", "r4"), column(found, "sk"))
	require.Equal(t, []int32{2, 2, 1}, sizes)
	q.Limit, q.ExclusiveStartKey = aws.Int32(5), nil
	found, sizes = s.walk(t, q)
	require.Len(t, found, 5)
	require.Equal(t, []int32{5, 0}, sizes, "a page that ends at its limit may be followed by an empty page")
}

func pagesBack(t conformance.T, s *stage) {
	s.fill(t, 5)
	q := s.partition(t)
	q.Limit, q.ScanIndexForward = aws.Int32(2), aws.Bool(false)
	found, _ := s.walk(t, q)
	require.Equal(t, columned("r4", "r3", "r2", "r1", "r0"), column(found, "sk"))
}

func filteredPages(t conformance.T, s *stage) {
	s.fill(t, 5)
	q := s.partition(t)
	q.Limit, q.FilterExpression, q.ExpressionAttributeValues = aws.Int32(2), aws.String("n >= :n"),
		attributes(item{":pk": t.Name(), ":n": 3})
	first := s.query(t, q)
	require.Empty(t, first.Items)
	require.Equal(t, []int32{0, 2}, []int32{first.Count, first.ScannedCount}, "a limit counts the rows read")
	found, sizes := s.walk(t, q)
	require.Equal(t, columned(3, 4), column(found, "n"))
	require.Equal(t, []int32{0, 1, 1}, sizes)
}

func counted(t conformance.T, s *stage) {
	s.fill(t, 3)
	q := s.partition(t)
	q.Select = types.SelectCount
	answer := s.query(t, q)
	require.EqualValues(t, 3, answer.Count)
	require.Empty(t, answer.Items)
}

func indexPages(t conformance.T, s *stage) {
	for n := range 5 {
		s.put(t, s.rows, item{"pk": fmt.Sprint(t.Name(), n), "sk": "a", "owner": t.Name(), "at": n / 2})
	}
	q := s.owned(t, "byOwner", "owner")
	require.Len(t, eventually(5, func() []map[string]types.AttributeValue { return s.query(t, q).Items }), 5)
	q.Limit = aws.Int32(1)
	first := s.query(t, q)
	require.Equal(t, text(first.Items[0]), text(first.LastEvaluatedKey),
		"the start key has both keys, which are all attributes of these rows")
	found, _ := s.walk(t, q)
	require.Equal(t, columned(0, 0, 1, 1, 2), column(found, "at"))
	require.Len(t, distinct(texts(found)), 5)
}

func distinct(all []string) map[string]bool {
	seen := map[string]bool{}
	for _, s := range all {
		seen[s] = true
	}
	return seen
}

func equalIndexKeys(t conformance.T, s *stage) {
	for n := range 3 {
		s.put(t, s.rows, item{"pk": t.Name(), "sk": fmt.Sprint(n), "owner": t.Name(), "at": 7})
	}
	found := eventually(3,
		func() []map[string]types.AttributeValue { return s.query(t, s.owned(t, "byOwner", "owner")).Items })
	require.Len(t, distinct(texts(found)), 3)
}

func indexOrder(t conformance.T, s *stage) {
	for _, at := range []number{"10", "-1", "9", "9.5"} {
		s.put(t, s.rows, item{"pk": t.Name(), "sk": string(at), "owner": t.Name(), "at": at})
	}
	q := s.owned(t, "byOwner", "owner")
	found := eventually(4, func() []map[string]types.AttributeValue { return s.query(t, q).Items })
	require.Equal(t, columned(-1, 9, number("9.5"), 10), column(found, "at"))
	q.ScanIndexForward = aws.Bool(false)
	require.Equal(t, columned(10, number("9.5"), 9, -1), column(s.query(t, q).Items, "at"))
	q.KeyConditionExpression, q.ExpressionAttributeValues = aws.String("#k = :k AND #at >= :at"),
		attributes(item{":k": t.Name(), ":at": number("9.5")})
	q.ExpressionAttributeNames["#at"] = "at"
	require.Equal(t, columned(10, number("9.5")), column(s.query(t, q).Items, "at"))
}

func sparse(t conformance.T, s *stage) {
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "both", "open": t.Name(), "due": 1})
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "none"})
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "first", "open": t.Name()})
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "second", "due": 1})
	found := eventually(1,
		func() []map[string]types.AttributeValue { return s.query(t, s.owned(t, "byDue", "open")).Items })
	require.Equal(t, columned("both"), column(found, "sk"))
}

// gone waits until an index has no row of the case.
func (s *stage) gone(t conformance.T, q *dynamodb.QueryInput) {
	t.Helper()
	left := eventually(1, func() []bool {
		if s.query(t, q).Count > 0 {
			return nil
		}
		return []bool{true}
	})
	require.Len(t, left, 1, "the index still has the row")
}

func sparseRemoval(t conformance.T, s *stage) {
	q := s.owned(t, "byDue", "open")
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "a", "open": t.Name(), "due": 1})
	require.Len(t, eventually(1, func() []map[string]types.AttributeValue { return s.query(t, q).Items }), 1)
	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.rows, Key: attributes(item{"pk": t.Name(), "sk": "a"}),
		UpdateExpression: aws.String("REMOVE #open"), ExpressionAttributeNames: names{"#open": "open"},
	})
	require.NoError(t, err)
	s.gone(t, q)
	s.holds(t, s.rows, item{"pk": t.Name(), "sk": "a"}, item{"pk": t.Name(), "sk": "a", "due": 1})
}

func keysOnly(t conformance.T, s *stage) {
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "a", "open": t.Name(), "due": 1, "n": 1})
	found := eventually(1,
		func() []map[string]types.AttributeValue { return s.query(t, s.owned(t, "byDue", "open")).Items })
	require.Equal(t, []string{text(attributes(item{"pk": t.Name(), "sk": "a", "open": t.Name(), "due": 1}))},
		texts(found))
}

func allProjected(t conformance.T, s *stage) {
	row := item{"pk": t.Name(), "sk": "a", "owner": t.Name(), "at": 1, "n": 1, "m": item{"l": list{1}}}
	s.put(t, s.rows, row)
	found := eventually(1,
		func() []map[string]types.AttributeValue { return s.query(t, s.owned(t, "byOwner", "owner")).Items })
	require.Equal(t, []string{text(attributes(row))}, texts(found))
}

func included(t conformance.T, s *stage) {
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "a", "tag": t.Name(), "n": 1, "other": 2})
	found := eventually(1,
		func() []map[string]types.AttributeValue { return s.query(t, s.owned(t, "byTag", "tag")).Items })
	require.Equal(t, []string{text(attributes(item{"pk": t.Name(), "sk": "a", "tag": t.Name(), "n": 1}))}, texts(found))
}

func beyondProjection(t conformance.T, s *stage) {
	q := s.owned(t, "byDue", "open")
	q.Select = types.SelectAllAttributes
	_, err := s.db.Query(t.Context(), q)
	refuses(t, err, invalid, "")
}

func movedInIndex(t conformance.T, s *stage) {
	q := s.owned(t, "byOwner", "owner")
	for _, at := range []int{5, 3} {
		s.put(t, s.rows, item{"pk": t.Name(), "sk": "a", "owner": t.Name(), "at": at})
	}
	found := eventually(1, func() []map[string]types.AttributeValue {
		if items := s.query(t, q).Items; len(items) == 1 && written(document(items[0]["at"])) == `{"N":"3"}` {
			return items
		}
		return nil
	})
	require.Equal(t, columned(3), column(found, "at"))
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "a", "owner": t.Name() + " another", "at": 3})
	s.gone(t, q)
}

func deletedFromIndex(t conformance.T, s *stage) {
	q := s.owned(t, "byTag", "tag")
	s.put(t, s.rows, item{"pk": t.Name(), "sk": "a", "tag": t.Name()})
	require.Len(t, eventually(1, func() []map[string]types.AttributeValue { return s.query(t, q).Items }), 1)
	_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &s.rows, Key: attributes(item{"pk": t.Name(), "sk": "a"}),
	})
	require.NoError(t, err)
	s.gone(t, q)
}

// scan scans page by page for the rows with the case's mark, and returns their sort keys.
func (s *stage) scan(t conformance.T, input dynamodb.ScanInput) []string {
	t.Helper()
	input.TableName = &s.rows
	input.FilterExpression, input.ExpressionAttributeValues = aws.String("mark = :mark"),
		attributes(item{":mark": t.Name()})
	found := []string{}
	pager := dynamodb.NewScanPaginator(s.db, &input)
	for pager.HasMorePages() {
		page, err := pager.NextPage(t.Context())
		require.NoError(t, err)
		found = append(found, column(page.Items, "sk")...)
	}
	return found
}

// marked stores three rows in three partitions with the case's mark.
func (s *stage) marked(t conformance.T) {
	t.Helper()
	for n := range 3 {
		s.put(t, s.rows,
			item{"pk": fmt.Sprint(t.Name(), n), "sk": fmt.Sprint(n), "mark": t.Name(), "owner": t.Name(), "at": n})
	}
}

func scanned(t conformance.T, s *stage) {
	s.marked(t)
	require.ElementsMatch(t, columned("0", "1", "2"), s.scan(t, dynamodb.ScanInput{ConsistentRead: aws.Bool(true)}))
}

func segments(t conformance.T, s *stage) {
	s.marked(t)
	var found []string
	for segment := range int32(4) {
		found = append(found,
			s.scan(t,
				dynamodb.ScanInput{ConsistentRead: aws.Bool(true), Segment: aws.Int32(segment),
					TotalSegments: aws.Int32(4)})...)
	}
	require.ElementsMatch(t, columned("0", "1", "2"), found)
}

func indexScanned(t conformance.T, s *stage) {
	s.marked(t)
	found := eventually(3, func() []string { return s.scan(t, dynamodb.ScanInput{IndexName: aws.String("byOwner")}) })
	require.ElementsMatch(t, columned("0", "1", "2"), found)
}

func scanPages(t conformance.T, s *stage) {
	s.marked(t)
	require.ElementsMatch(t, columned("0", "1", "2"),
		s.scan(t, dynamodb.ScanInput{ConsistentRead: aws.Bool(true), Limit: aws.Int32(7)}))
}

func scanFilter(t conformance.T, s *stage) {
	s.put(t, s.things, thing(t))
	found,
		err := s.db.Scan(t.Context(),
		&dynamodb.ScanInput{TableName: &s.things, ConsistentRead: aws.Bool(true),
			FilterExpression: aws.String("id = :id"), ExpressionAttributeValues: attributes(item{":id": t.Name()})})
	require.NoError(t, err)
	require.EqualValues(t, 1, found.Count)
	require.Positive(t, found.ScannedCount)
}

func noIndex(t conformance.T, s *stage) {
	_, err := s.db.Query(t.Context(), s.owned(t, "byNothing", "pk"))
	require.Contains(t, []string{invalid, missing}, code(err),
		"AWS documents one code, and was seen to answer the other")
}

func badSegment(t conformance.T, s *stage) {
	_, err := s.db.Scan(t.Context(), &dynamodb.ScanInput{
		TableName: &s.rows, Segment: aws.Int32(2), TotalSegments: aws.Int32(2),
	})
	refuses(t, err, invalid, "")
	_, err = s.db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.rows, Segment: aws.Int32(0)})
	refuses(t, err, invalid, "")
}
