// Package simulation lets the deployed system run in one process, from a seed: the functions as they are built for production, on
// the tables, queues, streams, schedules and routes that template.yaml describes, with the sandbox of the payment provider among
// them. What the functions say to the cloud goes through a scheduler, which decides by the seed what takes effect next, how long it
// took and what befalls it; so the same seed gives the same story, to the last byte.
//
// It runs inside a bubble of testing/synctest: time is virtual, and waiting costs nothing. Chance that libraries take from
// crypto/rand and math/rand is made to follow the seed, too; so two simulations must not run in one process at the same time.
package simulation

import (
	"container/heap"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"backroom/localstack/cloudsim"
	"backroom/localstack/cloudtest"
	"backroom/localstack/template"
)

// Settings say what is simulated.
type Settings struct {
	Seed    uint64
	Lag     bool // indexes and eventually consistent reads lag behind, queues give messages in any order, and one call of ten takes up to a second
	Limited bool // partitions take 1,000 write units a second, as DynamoDB's do
	Full    bool // batches wait until they are full, as long as anything else can happen
	Shards  int  // how many shards a stream has; 0: as many as on AWS a table has that is new
	Trace   io.Writer
}

// Simulation is one run. Its methods are called by the goroutine that runs it, and by no other, unless they say so.
type Simulation struct {
	Cloud  *cloudsim.Cloud
	Stack  *cloudtest.Cloud
	Ledger *Ledger

	t        testing.TB
	settings Settings
	faults   Faults
	dice     *rand.Rand
	trace    *trace

	agenda  agenda
	added   uint64
	callers int // how many there were

	inboxes map[string]*inbox   // by the URL of their queue
	shards  map[string][]*shard // by the name of their table
	apis    map[string]*api     // by id

	transacted map[string]bool // tables that transactions write

	struck  map[Fault]int
	alive   int // invocations that still do something, those included that Lambda waits for no more
	calls   int // calls under way
	planned int // deliveries that are about to be made

	mu       sync.Mutex
	arrivals []arrival
	wake     chan struct{}
	over     chan struct{}
	living   sync.WaitGroup // the processes of functions
}

// New deploys the system into the bubble of t. Everything that the template describes exists then, and nothing has happened.
func New(t *testing.T, s Settings) *Simulation {
	t.Helper()
	sim := bare(t, s)
	if err := sim.deploy(); err != nil {
		t.Fatal(err)
	}
	return sim
}

// bare is a simulation in which nothing is deployed.
func bare(t *testing.T, s Settings) *Simulation {
	t.Helper()
	follow(t, s.Seed)
	processors := runtime.GOMAXPROCS(1) // one thing happens at a time: a second processor is only handed to and fro
	t.Cleanup(func() { runtime.GOMAXPROCS(processors) })
	sim := &Simulation{
		t: t, settings: s, faults: Calm{}, dice: rand.New(rand.NewPCG(s.Seed, 1)), trace: newTrace(s.Trace), Ledger: newLedger(),
		inboxes: map[string]*inbox{}, shards: map[string][]*shard{}, apis: map[string]*api{}, struck: map[Fault]int{}, transacted: map[string]bool{},
		wake: make(chan struct{}, 1), over: make(chan struct{}),
	}
	about := cloudsim.Settings{Now: sim.Now, Limited: s.Limited, Shards: s.Shards}
	if s.Lag {
		about.IndexLag = func() time.Duration { return sim.between(0, time.Second) }
		about.ReadLag = func() time.Duration { return sim.between(0, 500*time.Millisecond) }
		about.Pick = sim.dice.IntN
	}
	sim.Cloud = cloudsim.New(about)
	sim.Stack = cloudtest.In(t, sim.Cloud, stack, sim.Now)
	t.Cleanup(sim.end)
	return sim
}

// stack is the stack's name.
const stack = "sim"

// Now returns the simulated time. Any goroutine may ask.
func (s *Simulation) Now() time.Time { return time.Now().UTC() }

// Disturb has faults befall whatever begins from now on. Calm{} ends them.
func (s *Simulation) Disturb(f Faults) { s.faults = f }

// Struck says how often each fault befell somebody so far.
func (s *Simulation) Struck() map[Fault]int { return maps.Clone(s.struck) }

// strike counts a fault that befell somebody.
func (s *Simulation) strike(f Fault) { s.struck[f]++ }

// Meanwhile runs what clients of the API do, each with a connection of its own, and lets things happen until all have returned. It
// fails the test if that takes longer than the limit.
func (s *Simulation) Meanwhile(limit time.Duration, clients ...func(*http.Client)) {
	s.t.Helper()
	left := make([]bool, len(clients))
	for i, do := range clients {
		connection := &http.Client{Transport: client{s.newCaller("client", i+1), s}}
		go func() {
			defer s.arrive(departed{i, left})
			do(connection)
		}()
	}
	if !s.Run(limit, func() bool { return !slices.Contains(left, false) }) {
		s.t.Fatalf("it takes longer than %s", limit)
	}
}

// departed is the end of somebody whom Meanwhile waits for.
type departed struct {
	who  int
	left []bool
}

func (l departed) order() [2]int { return [2]int{-1, l.who} }
func (l departed) accept()       { l.left[l.who] = true }

// Batch has all functions be given so much at once, at most, whatever the template says.
func (s *Simulation) Batch(size int) {
	for _, b := range s.inboxes {
		b.batch = size
	}
	for _, readers := range s.shards {
		for _, r := range readers {
			r.batch = size
		}
	}
}

// Digest is a hash over every call, answer, delivery and fault so far, in their order.
func (s *Simulation) Digest() string { return s.trace.digest() }

// Steps is how many of them there were.
func (s *Simulation) Steps() int { return s.trace.steps }

// Run lets things happen until done says so, or so much time has passed; it reports which. done is asked whenever something
// happened.
func (s *Simulation) Run(limit time.Duration, done func() bool) bool {
	s.t.Helper()
	until := time.Now().Add(limit)
	for !done() {
		if !s.step(until) {
			return done()
		}
	}
	return true
}

// Pass lets so much time pass, and happen what happens.
func (s *Simulation) Pass(d time.Duration) { s.Run(d, func() bool { return false }) }

// Quiet reports whether nothing is under way: no call, no invocation, no message that waits or is in flight, and no record that
// was not read. Only schedules go on.
func (s *Simulation) Quiet() bool {
	if s.alive > 0 || s.calls > 0 || s.planned > 0 {
		return false
	}
	synctest.Wait()
	if s.arrived() {
		return false
	}
	for url := range s.inboxes {
		if visible, inFlight, delayed := s.Cloud.Queues.Counts(url); visible+inFlight+delayed > 0 {
			return false
		}
	}
	for _, readers := range s.shards {
		for _, r := range readers {
			if r.behind {
				return false
			}
		}
	}
	return true
}

// step lets the next thing happen. It returns false if nothing does before the time is up.
func (s *Simulation) step(until time.Time) bool {
	synctest.Wait()
	s.admit()
	if s.settings.Full && s.alive == 0 && s.calls == 0 && s.planned == 0 {
		s.fillUp()
	}
	next := until
	if len(s.agenda) > 0 && s.agenda[0].at.Before(until) {
		next = s.agenda[0].at
	}
	if d := time.Until(next); d > 0 {
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-s.wake:
			timer.Stop()
			return true // somebody came who may have an earlier wish
		}
	}
	if len(s.agenda) == 0 || s.agenda[0].at.After(until) {
		return false
	}
	heap.Pop(&s.agenda).(*event).do()
	return true
}

// fillUp has a batch delivered that is not full, because it never will be: nothing else happens any more.
func (s *Simulation) fillUp() {
	for _, table := range sorted(s.shards) {
		for _, r := range s.shards[table] {
			if r.behind && !r.busy {
				r.plan()
				return
			}
		}
	}
	for _, url := range sorted(s.inboxes) {
		if b := s.inboxes[url]; s.Cloud.Queues.Visible(url) > 0 && b.running < b.concurrency {
			b.plan()
			return
		}
	}
}

// end lets go whoever was held back, so that the bubble can end.
func (s *Simulation) end() {
	synctest.Wait()
	close(s.over)
	s.living.Wait()
}

// An event is something that will happen.
type event struct {
	at  time.Time
	nth uint64 // of those at the same time, the one that was decided first is first
	do  func()
}

type agenda []*event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].nth < a[j].nth
	}
	return a[i].at.Before(a[j].at)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(*event)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// after has do happen when so much time has passed.
func (s *Simulation) after(d time.Duration, do func()) {
	s.added++
	heap.Push(&s.agenda, &event{time.Now().Add(d), s.added, do})
}

// pause is how long a call is on its way.
func (s *Simulation) pause() time.Duration {
	if s.settings.Lag && s.dice.IntN(10) == 0 {
		return s.between(9*time.Millisecond, time.Second)
	}
	return s.between(time.Millisecond, 9*time.Millisecond)
}

func (s *Simulation) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.dice.Int64N(int64(most-least)))
}

// An arrival is what a goroutine hands to the scheduler.
type arrival interface {
	order() [2]int // who hands it in, and how many that one handed in before
	accept()
}

// arrive hands something to the scheduler. Any goroutine may.
func (s *Simulation) arrive(a arrival) {
	s.mu.Lock()
	s.arrivals = append(s.arrivals, a)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// arrived reports whether somebody arrived who was not admitted.
func (s *Simulation) arrived() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.arrivals) > 0
}

// admit takes in what has arrived, in an order that does not depend on which goroutine was faster.
func (s *Simulation) admit() {
	select {
	case <-s.wake:
	default:
	}
	s.mu.Lock()
	all := s.arrivals
	s.arrivals = nil
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b arrival) int {
		x, y := a.order(), b.order()
		return slices.Compare(x[:], y[:])
	})
	for _, a := range all {
		a.accept()
	}
}

// deploy makes what the template describes.
func (s *Simulation) deploy() error {
	t, err := template.Read()
	if err != nil {
		return err
	}
	return s.read(t)
}
