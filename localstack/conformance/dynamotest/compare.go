package dynamotest

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"backroom/localstack/conformance"
)

// Compare holds two clouds to the same answer to each operation of random sequences, and to the same tables and indexes at the
// end of each. The flags of rapid say how many and from which seed.
func Compare(t *testing.T, a, b Cloud) {
	one, other := newSite(t, a), newSite(t, b)
	spaces, answers := &spaces{}, tally{}
	rapid.Check(t, func(r *rapid.T) {
		tame := Tame[a.Name] != "" || Tame[b.Name] != ""
		d := dice{T: r, space: spaces.next(), valid: tame, tame: tame}
		for range rapid.IntRange(20, 40).Draw(r, "operations") {
			do := d.operation()
			said := do.on(one)
			answers[kind(said)]++
			same(r, do, a.Name, said, b.Name, do.on(other))
		}
		for _, look := range d.everything() {
			same(r, look, a.Name, look.on(one), b.Name, look.on(other))
		}
	})
	conformance.Figure(t, "%s and %s: %d sequences, and every answer equal: %s", a.Name, b.Name, spaces.count.Load(), answers)
}

// Agree holds two tables, on one cloud or on two alike, to each other: a write alone in one, and as the only action of a
// transaction in the other, succeeds or fails alike and leaves the same table; and what a write said is what is read.
func Agree(t *testing.T, a, b Cloud) {
	alone, together := newSite(t, a), newSite(t, b)
	spaces, answers := &spaces{}, tally{}
	rapid.Check(t, func(r *rapid.T) {
		d := dice{T: r, space: spaces.next()}
		for range rapid.IntRange(20, 40).Draw(r, "writes") {
			do := d.write()
			said := do.on(alone)
			answers[kind(said)]++
			same(r, do, "alone", outcome(said), "in a transaction", outcome(transacting{do}.on(together)))
			if u, ok := do.(changing); ok && u.Return == types.ReturnValueAllNew && outcome(said) == "written" {
				same(r, do, "ALL_NEW", said, "GetItem", getting{Key: u.Key}.on(alone))
			}
		}
		for _, look := range d.everything() {
			same(r, look, "alone", look.on(alone), "in transactions", look.on(together))
		}
	})
	conformance.Figure(t, "%s: %d sequences, each write alone as in a transaction: %s", a.Name, spaces.count.Load(), answers)
}

// kind returns the code of a refusal, or that it is none.
func kind(answer string) string {
	if code, _, _ := strings.Cut(answer, " "); strings.HasSuffix(code, "Exception") {
		return code
	}
	return "done"
}

// outcome returns an answer as far as a write alone and one in a transaction have it in common.
func outcome(answer string) string {
	answer = strings.Replace(answer, cancelled+" ConditionalCheckFailed", failed, 1)
	answer = strings.TrimSuffix(answer, " nothing")
	if strings.HasPrefix(answer, failed) || strings.HasPrefix(answer, cancelled) || answer == invalid {
		return answer
	}
	return "written"
}

// same demands that two answers are equal.
func same(r *rapid.T, do operation, a, said, b, says string) {
	r.Helper()
	if said != says {
		r.Fatalf("%T %+v\n%s: %s\n%s: %s", do, do, a, said, b, says)
	}
}

func newSite(t *testing.T, c Cloud) site {
	t.Helper()
	s := site{ctx: t.Context(), db: dynamodb.NewFromConfig(c.Config), table: "conformance-" + strings.ToLower(rand.Text()[:8]) + "-sequences"}
	create(t, s.db, rowsTable(s.table))
	return s
}

// spaces are what the keys of each sequence begin with.
type spaces struct{ count atomic.Int64 }

func (s *spaces) next() string { return fmt.Sprintf("%d-", s.count.Add(1)) }

// operation draws an operation.
func (d dice) operation() operation {
	switch d.upto(13) {
	case 0, 1:
		return getting{Key: d.key(), Show: one(d, "", "n", "m.x, l[0], s", "l[1], l[0], absent", "v.x, m.y")}
	case 2, 3:
		return d.query()
	case 4:
		return d.indexQuery()
	case 5:
		return d.transaction()
	case 6:
		return transactGetting(d.distinct(1 + d.upto(3)))
	case 7:
		return batchGetting(d.distinct(1 + d.upto(4)))
	case 8:
		return d.batch()
	}
	return d.write()
}

// write draws a write of one row.
func (d dice) write() write {
	e := d.expression()
	switch d.upto(5) {
	case 0, 1:
		return storing{Row: with(d.attributes(), d.key()), Where: e.perhapsCondition(), Values: e.values}
	case 2:
		return removing{Key: d.key(), Where: e.perhapsCondition(), Values: e.values}
	case 3:
		returned := one(d, types.ReturnValueUpdatedNew, types.ReturnValueUpdatedOld)
		return changing{Key: d.key(), Do: e.update(true), Where: e.perhapsCondition(), Values: e.values, Return: returned}
	}
	returned := one(d, types.ReturnValueAllNew, types.ReturnValueAllNew, types.ReturnValueAllOld, types.ReturnValueNone)
	return changing{Key: d.key(), Do: e.update(false), Where: e.perhapsCondition(), Values: e.values, Return: returned}
}

func (e *expression) perhapsCondition() string {
	if e.perhaps(2) {
		return ""
	}
	return e.condition(e.upto(2))
}

// transaction draws one whose actions are all valid, so that they fail by their conditions alone: DynamoDB Local refuses it as
// a whole where an action is invalid, whatever the others' conditions say.
func (d dice) transaction() transacting {
	var x transacting
	for _, key := range d.distinct(1 + d.upto(3)) {
		e := d.expression()
		switch d.upto(3) {
		case 0:
			x = append(x, storing{Row: with(d.attributes(), key), Where: e.faultless().perhapsCondition(), Values: e.values})
		case 1:
			x = append(x, removing{Key: key, Where: e.faultless().perhapsCondition(), Values: e.values})
		case 2:
			x = append(x, changing{Key: key, Do: e.update(true), Where: e.faultless().perhapsCondition(), Values: e.values})
		default:
			x = append(x, checking{Key: key, Where: e.faultless().condition(1), Values: e.values})
		}
	}
	return x
}

// faultless returns the expression, of which no more is drawn that is refused for how it is written.
func (e *expression) faultless() *expression {
	e.valid = true
	return e
}

func (d dice) batch() batchWriting {
	var w batchWriting
	for _, key := range d.distinct(1 + d.upto(4)) {
		if d.perhaps(3) {
			w = append(w, key)
		} else {
			w = append(w, with(d.attributes(), key, item{"batch": true}))
		}
	}
	return w
}

// query draws a query of a partition, page by page.
func (d dice) query() querying {
	e := d.expression()
	q := querying{Where: "pk = " + e.is(one(d, d.partitions()...)), Limit: int32(d.upto(3)), Back: d.perhaps(2)}
	switch d.upto(4) {
	case 0:
		q.Where += " AND sk " + one(d, "=", "<", "<=", ">", ">=") + " " + e.is(one(d, "1", "2", "3"))
	case 1:
		q.Where += " AND sk BETWEEN " + e.is(one(d, "1", "2")) + " AND " + e.is(one(d, "2", "3"))
	case 2:
		q.Where += " AND begins_with(sk, " + e.is(one(d, "1", "2", "3")) + ")"
	}
	q.Filter, q.Values = e.perhapsCondition(), e.values
	return q
}

// indexQuery draws a query of an index.
func (d dice) indexQuery() querying {
	e := d.expression()
	q := querying{Index: "byOwner", Where: "#owner = " + e.is(one(d, d.owners()...)), Back: d.perhaps(2)}
	if d.perhaps(2) {
		q.Where += " AND #at " + one(d, "=", "<", ">=") + " " + e.is(d.number())
	}
	q.Filter, q.Values = e.perhapsCondition(), e.values
	return q
}

// everything is what the sequence's rows can be read by: each partition, and each index.
func (d dice) everything() []operation {
	var looks []operation
	for _, pk := range d.partitions() {
		looks = append(looks, querying{Where: "pk = :k", Values: item{":k": pk}})
	}
	for _, owner := range d.owners() {
		looks = append(looks,
			querying{Index: "byOwner", Where: "#owner = :k", Values: item{":k": owner}},
			querying{Index: "byDue", Where: "#open = :k", Values: item{":k": owner}})
	}
	return looks
}
