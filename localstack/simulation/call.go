package simulation

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"backroom/localstack/cloudsim"
)

// caller sends requests. It is an invocation, or a client of the API.
type caller struct {
	id   int
	name string
	turn int           // how many callers of that name there were, this one included
	sent *atomic.Int64 // how many calls it made
	met  *atomic.Int64 // how many of them a fault could strike
	gone *atomic.Bool  // its process has ended
	open *atomic.Int64 // how many of its calls wait for their answer
}

// newCaller returns a caller. Only the goroutine that runs the simulation may call it, so that ids do not depend
// on the speed of goroutines.
func (s *Simulation) newCaller(name string, turn int) caller {
	s.callers++
	return caller{s.callers, name, turn, &atomic.Int64{}, &atomic.Int64{}, &atomic.Bool{}, &atomic.Int64{}}
}

func (c caller) String() string { return fmt.Sprintf("#%d", c.id) }

// call is a request on its way.
type call struct {
	caller
	sim        *Simulation
	invocation *invocation // nil for a client
	sequence   int         // its number among all calls of the caller
	nth        int         // its number among those that a fault can strike
	http       *http.Request
	request    cloudsim.Request
	fault      Fault
	held       []string // items that its transaction locks
	reply      chan reply
}

type reply struct {
	answer cloudsim.Answer
	err    error
}

// Why a call has no answer.
var (
	errReset  = errors.New("simulation: connection reset by peer")
	errNobody = errors.New("simulation: connection refused: no server has that address")
	errCut    = errors.New("simulation: unexpected end of the connection")
)

// send hands a request to the scheduler and waits for the answer.
func (c caller) send(s *Simulation, i *invocation, r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	request, err := cloudsim.Read(r)
	if err != nil {
		return nil, err
	}
	sent := &call{caller: c, sim: s, invocation: i, sequence: int(c.sent.Add(1)), http: r, request: request,
		reply: make(chan reply, 1)}
	if !request.Opens {
		sent.nth = int(c.met.Add(1))
		i.freeze(sent.nth)
	}
	if c.gone.Load() {
		<-s.over
		return nil, errKilled
	}
	c.open.Add(1)
	defer c.open.Add(-1)
	s.arrive(sent)
	select {
	case got := <-sent.reply:
		if got.err != nil {
			return nil, got.err
		}
		return got.answer.Response(r), nil
	case <-r.Context().Done():
		if c.gone.Load() {
			<-s.over // a process that has ended does not see its deadline
		}
		return nil, r.Context().Err()
	case <-s.over:
		return nil, errKilled
	}
}

func (c *call) order() [2]int { return [2]int{c.id, c.sequence} }

// operation names the operation of the request.
func (c *call) operation() string {
	if c.request.Service != "" {
		return c.request.Service + "." + c.request.Operation
	}
	return c.http.Method + " " + c.http.URL.Path
}

// site describes the call to Faults, which decide by it.
func (c *call) site() Site {
	at := Site{Function: c.name, Invocation: c.turn, Nth: c.nth, Operation: c.request.Operation,
		Resource: resource(c.request)}
	if c.request.Service == "" {
		at.Operation = c.http.Method + " " + c.http.URL.Path
		if a := c.sim.api(c.http.URL.Host); a != nil {
			at.Resource = a.id
			if r, _ := a.find(c.http.Method, a.path(c.http)); r != nil && !r.greedy() {
				at.Operation = r.method + " " + r.path
			}
		}
	}
	return at
}

// resource returns the table, queue, key or secret of a request to AWS, or "".
func resource(r cloudsim.Request) string {
	var about struct {
		TableName, QueueUrl, KeyId, SecretId string
		RequestItems                         map[string]json.RawMessage
		TransactItems                        []map[string]struct{ TableName string }
	}
	if json.Unmarshal(r.Body, &about) != nil {
		return ""
	}
	for _, part := range about.TransactItems {
		for _, of := range part {
			about.TableName = of.TableName
		}
	}
	for _, table := range sorted(about.RequestItems) {
		about.TableName = table
	}
	name := cmp.Or(about.TableName, about.QueueUrl[strings.LastIndex(about.QueueUrl, "/")+1:], about.KeyId,
		about.SecretId)
	return strings.TrimPrefix(name, stack+"-")
}

// accept decides which fault strikes the call, and when it takes effect. It drops a call of a process that has
// ended.
func (c *call) accept() {
	if c.gone.Load() {
		return
	}
	s := c.sim
	if i := c.invocation; i != nil && i.ended && i.stallAt == 0 {
		s.t.Errorf("%s calls %s after it has answered: Lambda would have frozen it", c.name, c.operation())
	}
	if c.invocation == nil && c.open.Load() > 1 {
		s.t.Errorf("a client makes two calls at once: their order would be random")
	}
	s.calls++
	pause := s.pause()
	if !c.request.Opens {
		if i := c.invocation; i != nil && i.stallAt == c.nth {
			c.fault, pause = Stall, pause+i.stall
		} else {
			c.fault = s.drawFault(c)
		}
	}
	if c.request.Operation == "TransactWriteItems" && c.fault != Stall {
		if items := s.Cloud.Tables.Writes(c.request.Operation, c.request.Body); s.Cloud.Tables.Hold(items) {
			c.held = items
		}
	}
	s.after(pause, c.takeEffect)
}

// drawFault draws a fault that can strike the call.
func (s *Simulation) drawFault(c *call) Fault {
	if s.faults == (Calm{}) {
		return None // saves the work of describing the call
	}
	at := c.site()
	f := s.faults.Call(at, s.dice)
	switch f {
	case KillBefore, KillAfter:
		if c.invocation == nil {
			return None
		}
	case Partial:
		if !divisible(c.request) {
			return None
		}
	case Conflict:
		// A single write meets a conflict only in tables that transactions write.
		if c.request.Operation != "TransactWriteItems" && !(writes[c.request.Operation] && s.transacted[at.Resource]) {
			return None
		}
	case FailBefore, LoseAnswer, Throttle:
	default:
		return None
	}
	if f != None {
		s.strike(f)
	}
	return f
}

// takeEffect runs when the call reaches the cloud. The call has left its process, so it takes effect even if
// that process has ended.
func (c *call) takeEffect() {
	s := c.sim
	s.Cloud.Tables.Release(c.held)
	switch c.fault {
	case FailBefore:
		c.answered(reply{err: errReset})
	case Throttle, Conflict:
		c.answered(reply{answer: refusal(c)})
	case KillBefore:
		c.note("killed before")
		s.calls--
		c.invocation.kill()
	default:
		if c.request.Service == "" && !c.request.Opens {
			s.gateway(c)
			return
		}
		c.answered(reply{answer: c.carryOut()})
	}
}

// carryOut sends the request to the simulated cloud and returns the answer.
func (c *call) carryOut() cloudsim.Answer {
	s := c.sim
	asked, left := c.request, func(a cloudsim.Answer) cloudsim.Answer { return a }
	if c.fault == Partial {
		asked, left = part(c.request)
	}
	a := s.Cloud.Answer(asked)
	s.Ledger.called(c.name, asked, a)
	if s.settings.Seen != nil {
		s.settings.Seen(asked, a)
	}
	s.wakeMappings(asked, a)
	return left(a)
}

// answered returns the answer to the caller, unless a fault loses it.
func (c *call) answered(r reply) {
	s := c.sim
	s.calls--
	c.note(string(r.answer.Body))
	if c.gone.Load() {
		return
	}
	switch c.fault {
	case LoseAnswer:
		r = reply{err: errCut}
	case KillAfter:
		c.invocation.kill()
		return
	}
	c.reply <- r
}

func (c *call) note(came string) {
	asked := string(c.request.Body)
	if c.request.Service != cloudsim.SQS { // requests to SQS contain no maps
		asked = canonical(c.request.Body)
	}
	c.sim.trace.note(c.sim.Now(), "call", c.name, c.String(), strconv.Itoa(c.sequence), c.operation(), asked,
		string(c.fault), came)
}

// wakeMappings wakes the event source mappings of what a request changed.
func (s *Simulation) wakeMappings(r cloudsim.Request, a cloudsim.Answer) {
	for _, u := range a.Used {
		if r.Service == cloudsim.SQS {
			continue
		}
		if r.Operation == "TransactWriteItems" {
			s.transacted[strings.TrimPrefix(u.Resource, stack+"-")] = true
		}
		if u.Writes > 0 && u.Index == "" {
			for _, reader := range s.shards[u.Resource] {
				reader.wake()
			}
		}
	}
	if r.Service == cloudsim.SQS {
		if b := s.inboxes[urlOf(r.Body)]; b != nil {
			b.look()
		}
	}
}

// client is a client of the API that makes one call after the other. Faults of its network strike its calls.
type client struct {
	caller
	sim *Simulation
}

// RoundTrip sends a request to the API.
func (c client) RoundTrip(r *http.Request) (*http.Response, error) { return c.send(c.sim, nil, r) }
