package simulation

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"backroom/localstack/cloudsim"
)

// Ledger counts what everything costs, in the units of AWS's bill.
type Ledger struct {
	Invocations map[string]int // by function
	LogBytes    map[string]int // by function
	calls       map[Entry]*Sum
}

// Entry is what a sum is about: an operation of a function on a table, an index or a queue. The requests of a
// function's event source mapping count as the function's.
type Entry struct {
	Function  string
	Operation string // such as PutItem
	Resource  string // table or queue, without the stack's name
	Index     string
}

// Sum is the cost of an entry.
type Sum struct {
	Calls    int
	Writes   float64 // write request units; a transaction's count twice
	Reads    float64 // read request units
	Requests float64 // billed requests to SQS
	Items    int
	Bytes    int
}

func newLedger() *Ledger {
	return &Ledger{map[string]int{}, map[string]int{}, map[Entry]*Sum{}}
}

func (l *Ledger) invoked(function string)           { l.Invocations[function]++ }
func (l *Ledger) logged(function string, bytes int) { l.LogBytes[function] += bytes }

func (l *Ledger) called(function string, r cloudsim.Request, a cloudsim.Answer) {
	if len(a.Used) == 0 && r.Service != "" {
		l.add(Entry{Function: function, Operation: r.Operation, Resource: r.Service}, Sum{Calls: 1})
	}
	for i, u := range a.Used {
		sum := Sum{Writes: u.Writes, Reads: u.Reads, Requests: u.Requests, Items: u.Items, Bytes: u.Bytes}
		if i == 0 {
			sum.Calls = 1
		}
		l.add(Entry{function, r.Operation, strings.TrimPrefix(u.Resource, stack+"-"), u.Index}, sum)
	}
}

func (l *Ledger) add(e Entry, s Sum) {
	sum := l.calls[e]
	if sum == nil {
		sum = &Sum{}
		l.calls[e] = sum
	}
	sum.add(s)
}

func (s *Sum) add(o Sum) {
	s.Calls += o.Calls
	s.Writes += o.Writes
	s.Reads += o.Reads
	s.Requests += o.Requests
	s.Items += o.Items
	s.Bytes += o.Bytes
}

// Entries returns all entries, sorted.
func (l *Ledger) Entries() []Entry {
	return slices.SortedFunc(maps.Keys(l.calls), func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Resource, b.Resource),
			cmp.Compare(a.Index, b.Index), cmp.Compare(a.Operation, b.Operation))
	})
}

// Sum returns the cost of an entry, which is zero if there was no such call.
func (l *Ledger) Sum(e Entry) Sum {
	if s := l.calls[e]; s != nil {
		return *s
	}
	return Sum{}
}

// Total adds up the entries that wanted accepts.
func (l *Ledger) Total(wanted func(Entry) bool) Sum {
	var total Sum
	for e, s := range l.calls {
		if wanted(e) {
			total.add(*s)
		}
	}
	return total
}

// Forget resets all counts to zero.
func (l *Ledger) Forget() { *l = *newLedger() }
