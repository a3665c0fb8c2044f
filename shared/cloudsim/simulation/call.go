package simulation

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"backroom/shared/cloudsim"
)

// caller is whoever sends requests: an invocation, or a client of the API.
type caller struct {
	id   int
	name string
	sent *atomic.Int64 // how many calls
	gone *atomic.Bool  // its process is no more
}

func (s *Simulation) newCaller(name string) caller {
	s.callers++
	return caller{s.callers, name, &atomic.Int64{}, &atomic.Bool{}}
}

func (c caller) String() string { return fmt.Sprintf("#%d", c.id) }

// call is a request on its way.
type call struct {
	caller
	sim        *Simulation
	invocation *invocation // nil for a client
	nth        int
	http       *http.Request
	request    cloudsim.Request
	fault      Fault
	held       []string // items that its transaction holds
	reply      chan reply
}

type reply struct {
	answer cloudsim.Answer
	err    error
}

// Why a call has no answer.
var (
	errReset   = errors.New("simulation: connection reset by peer")
	errNobody  = errors.New("simulation: connection refused: nobody is at that address")
	errNoTrace = errors.New("simulation: unexpected end of the connection")
)

// send hands a request to the scheduler and waits for what comes of it.
func (c caller) send(s *Simulation, i *invocation, r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	request, err := cloudsim.Read(r)
	if err != nil {
		return nil, err
	}
	sent := &call{caller: c, sim: s, invocation: i, nth: int(c.sent.Add(1)), http: r, request: request, reply: make(chan reply, 1)}
	if c.gone.Load() {
		<-s.over
		return nil, errKilled
	}
	s.arrive(sent)
	select {
	case got := <-sent.reply:
		if got.err != nil {
			return nil, got.err
		}
		return got.answer.Response(r), nil
	case <-r.Context().Done():
		if c.gone.Load() {
			<-s.over // its process does not see its time run out
		}
		return nil, r.Context().Err()
	case <-s.over:
		return nil, errKilled
	}
}

func (c *call) order() [2]int { return [2]int{c.id, c.nth} }

// operation names what is asked.
func (c *call) operation() string {
	if c.request.Service != "" {
		return c.request.Service + "." + c.request.Operation
	}
	return c.http.Method + " " + c.http.URL.Path
}

// accept decides what will become of the call, and when.
func (c *call) accept() {
	if c.gone.Load() {
		return
	}
	s := c.sim
	s.calls++
	pause := s.between(time.Millisecond, 9*time.Millisecond)
	if !c.request.Opens {
		c.fault = s.befalls(c)
	}
	if c.invocation != nil && c.invocation.stallAt == c.nth {
		c.fault, pause = Stall, pause+c.invocation.stall
	}
	if c.fault != None {
		s.struck[c.fault]++
	}
	if c.request.Operation == "TransactWriteItems" && c.fault != Stall {
		if items := s.Cloud.Tables.Writes(c.request.Operation, c.request.Body); s.Cloud.Tables.Hold(items) {
			c.held = items
		}
	}
	s.after(pause, c.takeEffect)
}

// befalls draws a fault that makes sense for the call.
func (s *Simulation) befalls(c *call) Fault {
	f := s.faults.Call(Site{c.name, c.operation(), c.nth}, s.dice)
	switch f {
	case KillBefore, KillAfter:
		if c.invocation == nil {
			return None
		}
	case Stall: // decided when an invocation begins
		return None
	case Partial:
		if !divisible(c.request) {
			return None
		}
	case Conflict:
		if !strings.HasPrefix(c.request.Service, "DynamoDB") || !writes[c.request.Operation] {
			return None
		}
	}
	return f
}

// takeEffect is the moment at which the call reaches the other side.
func (c *call) takeEffect() {
	s := c.sim
	s.Cloud.Tables.Release(c.held)
	if c.gone.Load() {
		s.calls--
		return
	}
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

// carryOut has the cloud answer.
func (c *call) carryOut() cloudsim.Answer {
	s := c.sim
	asked, left := c.request, func(a cloudsim.Answer) cloudsim.Answer { return a }
	if c.fault == Partial {
		asked, left = part(c.request)
	}
	a := s.Cloud.Answer(asked)
	s.Ledger.called(c.name, asked, a)
	s.stir(asked, a)
	return left(a)
}

// answered hands the answer to whoever waits for it, unless something befell it on its way.
func (c *call) answered(r reply) {
	s := c.sim
	s.calls--
	if c.gone.Load() {
		return
	}
	c.note(string(r.answer.Body))
	switch c.fault {
	case LoseAnswer:
		r = reply{err: errNoTrace}
	case KillAfter:
		c.invocation.kill()
		return
	}
	c.reply <- r
}

func (c *call) note(came string) {
	asked := string(c.request.Body)
	if c.request.Service != cloudsim.SQS { // whose requests hold no maps
		asked = canonical(c.request.Body)
	}
	c.sim.trace.note(c.sim.Now(), "call", c.name, c.String(), strconv.Itoa(c.nth), c.operation(), asked, string(c.fault), came)
}

// stir has those look who wait for what a request changed.
func (s *Simulation) stir(r cloudsim.Request, a cloudsim.Answer) {
	for _, u := range a.Used {
		if r.Service == cloudsim.SQS {
			continue
		}
		if u.Writes > 0 && u.Index == "" {
			for _, reader := range s.shards[u.Resource] {
				reader.hear()
			}
		}
	}
	if r.Service == cloudsim.SQS {
		if b := s.inboxes[urlOf(r.Body)]; b != nil {
			b.look()
		}
	}
}

// A Client is somebody outside who calls the API.
type Client struct {
	caller
	sim *Simulation
}

// Client returns a client of the API, as a connection for net/http. Its requests meet the faults of a client's network.
func (s *Simulation) Client() *http.Client {
	return &http.Client{Transport: Client{s.newCaller("client"), s}}
}

// RoundTrip sends a request to the API.
func (c Client) RoundTrip(r *http.Request) (*http.Response, error) { return c.send(c.sim, nil, r) }
