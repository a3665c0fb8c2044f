package simulation

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"backroom/localstack/cloudsim"
)

// Ledger says what everything cost, in the units in which AWS bills it.
type Ledger struct {
	Invocations map[string]int // by function
	LogBytes    map[string]int // by function
	calls       map[Entry]*Sum
}

// Entry is what is added up: what a function did to a table, an index or a queue. Receiving and deleting the messages that a function
// works on is its mapping's doing, but its bill.
type Entry struct {
	Function  string
	Operation string // as in PutItem
	Resource  string // table or queue, without the stack's name
	Index     string
}

// Sum is what it came to.
type Sum struct {
	Calls    int
	Writes   float64 // write request units; a transaction's are doubled
	Reads    float64 // read request units
	Requests float64 // requests to SQS, as they are billed
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
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Operation, b.Operation))
	})
}

// Sum returns what an entry came to.
func (l *Ledger) Sum(e Entry) Sum {
	if s := l.calls[e]; s != nil {
		return *s
	}
	return Sum{}
}

// Total adds up the entries that are meant.
func (l *Ledger) Total(meant func(Entry) bool) Sum {
	var total Sum
	for e, s := range l.calls {
		if meant(e) {
			total.add(*s)
		}
	}
	return total
}

// Forget begins a new account.
func (l *Ledger) Forget() { *l = *newLedger() }
