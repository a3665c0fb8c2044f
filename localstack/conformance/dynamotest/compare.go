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

// Compare runs random sequences of operations on two clouds. Both must give the same answer to each
// operation, and have the same tables and indexes at the end. The flags of rapid set the number of
// sequences and the seed.
func Compare(t *testing.T, a, b Cloud) {
	one, other := newSite(t, a), newSite(t, b)
	spaces, answers := &spaces{}, tally{}
	rapid.Check(t, func(r *rapid.T) {
		restricted := Restricted[a.Name] != "" || Restricted[b.Name] != ""
		g := generator{T: r, space: spaces.next(), valid: restricted, typed: restricted}
		for range rapid.IntRange(20, 40).Draw(r, "operations") {
			do := g.operation()
			said := do.on(one)
			answers[kind(said)]++
			same(r, do, a.Name, said, b.Name, do.on(other))
		}
		for _, look := range g.everything() {
			same(r, look, a.Name, look.on(one), b.Name, look.on(other))
		}
	})
	conformance.Figure(t, "%s and %s: %d sequences, and every answer equal: %s", a.Name, b.Name, spaces.count.Load(),
		answers)
}

// Agree runs random writes on two tables, alone on a and as the only action of a transaction on b.
// Both must succeed or fail alike, and leave the same table. An item that a write returns must be
// the item that a read returns.
func Agree(t *testing.T, a, b Cloud) {
	alone, together := newSite(t, a), newSite(t, b)
	spaces, answers := &spaces{}, tally{}
	rapid.Check(t, func(r *rapid.T) {
		g := generator{T: r, space: spaces.next()}
		for range rapid.IntRange(20, 40).Draw(r, "writes") {
			do := g.write()
			said := do.on(alone)
			answers[kind(said)]++
			same(r, do, "alone", outcome(said), "in a transaction", outcome(transacting{do}.on(together)))
			if u, ok := do.(changing); ok && u.Return == types.ReturnValueAllNew && outcome(said) == "written" {
				same(r, do, "ALL_NEW", said, "GetItem", getting{Key: u.Key}.on(alone))
			}
		}
		for _, look := range g.everything() {
			same(r, look, "alone", look.on(alone), "in transactions", look.on(together))
		}
	})
	conformance.Figure(t, "%s: %d sequences, each write alone as in a transaction: %s", a.Name, spaces.count.Load(),
		answers)
}

// kind returns the code of a refusal, or "done" for any other answer.
func kind(answer string) string {
	if code, _, _ := strings.Cut(answer, " "); strings.HasSuffix(code, "Exception") {
		return code
	}
	return "done"
}

// outcome returns the part of an answer that a write alone and one in a transaction have in common.
func outcome(answer string) string {
	answer = strings.Replace(answer, cancelled+" ConditionalCheckFailed", failed, 1)
	answer = strings.TrimSuffix(answer, " nothing")
	if strings.HasPrefix(answer, failed) || strings.HasPrefix(answer, cancelled) || answer == invalid {
		return answer
	}
	return "written"
}

// same fails the test unless two answers are equal.
func same(r *rapid.T, do operation, a, said, b, says string) {
	r.Helper()
	if said != says {
		r.Fatalf("%T %+v\n%s: %s\n%s: %s", do, do, a, said, b, says)
	}
}

func newSite(t *testing.T, c Cloud) site {
	t.Helper()
	s := site{ctx: t.Context(), db: dynamodb.NewFromConfig(c.Config), table: "conformance-" +
		strings.ToLower(rand.Text()[:8]) + "-sequences"}
	create(t, s.db, rowsTable(s.table))
	return s
}

// spaces has the key prefixes of the sequences.
type spaces struct{ count atomic.Int64 }

func (s *spaces) next() string { return fmt.Sprintf("%d-", s.count.Add(1)) }

// operation draws an operation.
func (g generator) operation() operation {
	switch g.upto(13) {
	case 0, 1:
		return getting{Key: g.key(), Show: one(g, "", "n", "m.x, l[0], s", "l[1], l[0], absent", "v.x, m.y")}
	case 2, 3:
		return g.query()
	case 4:
		return g.indexQuery()
	case 5:
		return g.transaction()
	case 6:
		return transactGetting(g.distinct(1 + g.upto(3)))
	case 7:
		return batchGetting(g.distinct(1 + g.upto(4)))
	case 8:
		return g.batch()
	}
	return g.write()
}

// write draws a write of one row.
func (g generator) write() write {
	e := g.expression()
	switch g.upto(5) {
	case 0, 1:
		return storing{Row: with(g.attributes(), g.key()), Where: e.perhapsCondition(), Values: e.values}
	case 2:
		return removing{Key: g.key(), Where: e.perhapsCondition(), Values: e.values}
	case 3:
		returned := one(g, types.ReturnValueUpdatedNew, types.ReturnValueUpdatedOld)
		return changing{Key: g.key(), Do: e.update(true), Where: e.perhapsCondition(), Values: e.values,
			Return: returned}
	}
	returned := one(g, types.ReturnValueAllNew, types.ReturnValueAllNew, types.ReturnValueAllOld, types.ReturnValueNone)
	return changing{Key: g.key(), Do: e.update(false), Where: e.perhapsCondition(), Values: e.values, Return: returned}
}

func (e *expression) perhapsCondition() string {
	if e.perhaps(2) {
		return ""
	}
	return e.condition(e.upto(2))
}

// transaction draws a transaction of valid actions, which fail only by their conditions. DynamoDB
// Local refuses the whole transaction if an action is invalid, whatever the conditions of the
// others.
func (g generator) transaction() transacting {
	var x transacting
	for _, key := range g.distinct(1 + g.upto(3)) {
		e := g.expression()
		switch g.upto(3) {
		case 0:
			x = append(x,
				storing{Row: with(g.attributes(), key), Where: e.faultless().perhapsCondition(), Values: e.values})
		case 1:
			x = append(x, removing{Key: key, Where: e.faultless().perhapsCondition(), Values: e.values})
		case 2:
			x = append(x,
				changing{Key: key, Do: e.update(true), Where: e.faultless().perhapsCondition(), Values: e.values})
		default:
			x = append(x, checking{Key: key, Where: e.faultless().condition(1), Values: e.values})
		}
	}
	return x
}

// faultless returns the expression, restricted to valid syntax.
func (e *expression) faultless() *expression {
	e.valid = true
	return e
}

func (g generator) batch() batchWriting {
	var w batchWriting
	for _, key := range g.distinct(1 + g.upto(4)) {
		if g.perhaps(3) {
			w = append(w, key)
		} else {
			w = append(w, with(g.attributes(), key, item{"batch": true}))
		}
	}
	return w
}

// query draws a query of a partition, page by page.
func (g generator) query() querying {
	e := g.expression()
	q := querying{Where: "pk = " + e.is(one(g, g.partitions()...)), Limit: int32(g.upto(3)), Back: g.perhaps(2)}
	switch g.upto(4) {
	case 0:
		q.Where += " AND sk " + one(g, "=", "<", "<=", ">", ">=") + " " + e.is(one(g, "1", "2", "3"))
	case 1:
		q.Where += " AND sk BETWEEN " + e.is(one(g, "1", "2")) + " AND " + e.is(one(g, "2", "3"))
	case 2:
		q.Where += " AND begins_with(sk, " + e.is(one(g, "1", "2", "3")) + ")"
	}
	q.Filter, q.Values = e.perhapsCondition(), e.values
	return q
}

// indexQuery draws a query of an index.
func (g generator) indexQuery() querying {
	e := g.expression()
	q := querying{Index: "byOwner", Where: "#owner = " + e.is(one(g, g.owners()...)), Back: g.perhaps(2)}
	if g.perhaps(2) {
		q.Where += " AND #at " + one(g, "=", "<", ">=") + " " + e.is(g.number())
	}
	q.Filter, q.Values = e.perhapsCondition(), e.values
	return q
}

// everything returns operations that read all rows of the sequence, by partition and by index.
func (g generator) everything() []operation {
	var looks []operation
	for _, pk := range g.partitions() {
		looks = append(looks, querying{Where: "pk = :k", Values: item{":k": pk}})
	}
	for _, owner := range g.owners() {
		looks = append(looks,
			querying{Index: "byOwner", Where: "#owner = :k", Values: item{":k": owner}},
			querying{Index: "byDue", Where: "#open = :k", Values: item{":k": owner}})
	}
	return looks
}
