// Package simulation runs the deployed system in one process, from a seed: the functions as they are built for
// production, on the tables, queues, streams, schedules and routes that template.yaml describes, with the
// payment sandbox. All requests of the functions to the cloud go through a scheduler. The seed decides which
// request takes effect next, how long it takes and which fault strikes it, so the same seed gives the same run,
// byte for byte.
//
// A simulation runs inside a bubble of testing/synctest: time is virtual, and waiting costs nothing. Random
// numbers that libraries take from crypto/rand and math/rand follow the seed too, so a process must not run two
// simulations at the same time.
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
	Seed uint64
	// Lag makes indexes and eventually consistent reads lag, queues deliver in any order, and one call of ten
	// take up to a second.
	Lag     bool
	Limited bool // partitions accept 1,000 write units a second, as on DynamoDB
	Full    bool // batches wait until they are full, unless nothing else can happen
	Shards  int  // the number of shards of a stream; 0: as many as a new table has on AWS
	Trace   io.Writer
	Seen    func(cloudsim.Request, cloudsim.Answer) // gets each request to AWS as it takes effect; may be nil
}

// Simulation is one run. Only the goroutine that runs it may call its methods, unless their comments say
// otherwise.
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
	callers int // how many callers there were

	inboxes map[string]*inbox   // by the URL of their queue
	shards  map[string][]*shard // by the name of their table
	apis    map[string]*api     // by id

	transacted map[string]bool // tables that transactions write

	struck  map[Fault]int
	alive   int // invocations whose process still works, including those that timed out for Lambda
	calls   int // calls under way
	planned int // deliveries that are about to be made

	mu       sync.Mutex
	arrivals []arrival
	wake     chan struct{}
	over     chan struct{}
	living   sync.WaitGroup // the processes of functions
}

// New deploys everything that the template describes into the bubble of t. It fails the test if it cannot.
func New(t *testing.T, s Settings) *Simulation {
	t.Helper()
	sim := bare(t, s)
	if err := sim.deploy(); err != nil {
		t.Fatal(err)
	}
	return sim
}

// bare returns a simulation in which nothing is deployed.
func bare(t *testing.T, s Settings) *Simulation {
	t.Helper()
	follow(t, s.Seed)
	processors := runtime.GOMAXPROCS(1) // one goroutine runs at a time; a second processor only costs switches
	t.Cleanup(func() { runtime.GOMAXPROCS(processors) })
	sim := &Simulation{
		t: t, settings: s, faults: Calm{}, dice: rand.New(rand.NewPCG(s.Seed, 1)), trace: newTrace(s.Trace),
		Ledger:  newLedger(),
		inboxes: map[string]*inbox{}, shards: map[string][]*shard{}, apis: map[string]*api{}, struck: map[Fault]int{},
		transacted: map[string]bool{},
		wake:       make(chan struct{}, 1), over: make(chan struct{}),
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

// Now returns the simulated time. Any goroutine may call it.
func (s *Simulation) Now() time.Time { return time.Now().UTC() }

// Disturb makes faults strike calls and deliveries that begin from now on. Calm{} ends them.
func (s *Simulation) Disturb(f Faults) { s.faults = f }

// Struck returns how often each fault has struck so far.
func (s *Simulation) Struck() map[Fault]int { return maps.Clone(s.struck) }

// strike counts a fault that struck.
func (s *Simulation) strike(f Fault) { s.struck[f]++ }

// Meanwhile runs clients of the API, each with a connection of its own, and runs the system until all clients
// have returned. It fails the test if that takes longer than the limit.
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

// departed is the return of a client that Meanwhile waits for.
type departed struct {
	who  int
	left []bool
}

func (l departed) order() [2]int { return [2]int{-1, l.who} }
func (l departed) accept()       { l.left[l.who] = true }

// Batch sets the batch size of all event source mappings, instead of the template's.
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

// Digest returns a hash over every call, answer, delivery and fault so far, in their order.
func (s *Simulation) Digest() string { return s.trace.digest() }

// Steps returns the number of calls, answers, deliveries and faults so far.
func (s *Simulation) Steps() int { return s.trace.steps }

// Run runs the system until done returns true, or until the limit has passed. It returns the last result of
// done, which it calls after every event.
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

// Pass runs the system for a duration.
func (s *Simulation) Pass(d time.Duration) { s.Run(d, func() bool { return false }) }

// Quiet reports whether nothing is under way: no call, no invocation, no message that waits or is in flight,
// and no unread stream record. Schedules are not counted.
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

// step runs the next event. It returns false if there is none before until.
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
			return true // the arrival may add an earlier event
		}
	}
	if len(s.agenda) == 0 || s.agenda[0].at.After(until) {
		return false
	}
	heap.Pop(&s.agenda).(*event).do()
	return true
}

// fillUp delivers one batch that is not full: nothing else can happen, so it will never be full.
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

// end releases all goroutines that wait, so that the bubble can end.
func (s *Simulation) end() {
	synctest.Wait()
	close(s.over)
	s.living.Wait()
}

// An event is scheduled work.
type event struct {
	at  time.Time
	nth uint64 // orders events of the same time: the one that was added first runs first
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

// after schedules do for the time d from now.
func (s *Simulation) after(d time.Duration, do func()) {
	s.added++
	heap.Push(&s.agenda, &event{time.Now().Add(d), s.added, do})
}

// pause draws how long a call takes to reach the cloud.
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
	order() [2]int // the goroutine's number, and the number of the arrival among its own
	accept()
}

// arrive hands an arrival to the scheduler. Any goroutine may call it.
func (s *Simulation) arrive(a arrival) {
	s.mu.Lock()
	s.arrivals = append(s.arrivals, a)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// arrived reports whether there are arrivals that admit has not accepted.
func (s *Simulation) arrived() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.arrivals) > 0
}

// admit accepts all arrivals, in an order that does not depend on the speed of goroutines.
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

// deploy creates what the template describes.
func (s *Simulation) deploy() error {
	t, err := template.Read()
	if err != nil {
		return err
	}
	return s.read(t)
}
