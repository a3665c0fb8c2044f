package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"

	"backroom/functions"
	"backroom/shared/chance"
	"backroom/shared/function"
	"backroom/shared/observe"
)

// Why an invocation ends without an answer.
var (
	errKilled   = errors.New("simulation: the function's process is gone")
	errTimedOut = errors.New("simulation: the function took too long")
)

// deployed is one Lambda.
type deployed struct {
	sim     *Simulation
	name    string
	build   function.Builder
	environ map[string]string
	timeout time.Duration
	idle    []*environment
	begun   int // how many invocations there were
	calls   int // how many calls of its last invocation a fault could strike
}

// environment is one process of a function. It works on one invocation at a time.
type environment struct {
	function *deployed
	dice     *rand.Rand
	handler  lambda.Handler // nil before its first invocation
	current  atomic.Pointer[invocation]
	work     chan job
}

// job is an invocation that is given to a process.
type job struct {
	*invocation
	ctx     context.Context
	cancel  context.CancelFunc
	payload []byte
}

// invocation is one call of a function.
type invocation struct {
	caller
	environment *environment
	end         func(answer []byte, err error)
	ended       bool // Lambda has its answer, or has given it up
	returned    bool // its process has finished it
	stallAt     int  // the call at which it stalls; 0: none
	stall       time.Duration
	freezeAt    int // the call before which it freezes; 0: none
	frozen      atomic.Bool
}

// addFunction deploys a function. It returns an error if functions/functions.go does not name it.
func (s *Simulation) addFunction(name string) (*deployed, error) {
	entry, ok := functions.All[name]
	if !ok {
		return nil, fmt.Errorf("simulation: functions/functions.go does not name %s", name)
	}
	f := &deployed{sim: s, name: name, build: entry.Build, environ: s.Stack.Environment(name),
		timeout: s.Stack.Timeout(name)}
	return f, nil
}

// invoke calls the function. It calls end once: with the function's answer, or with an error once Lambda gives
// it up. hidden is the visibility timeout of the messages in the payload.
func (f *deployed) invoke(payload []byte, hidden time.Duration, end func(answer []byte, err error)) {
	s := f.sim
	f.begun++
	i := &invocation{caller: s.newCaller(f.name, f.begun), end: end}
	i.environment = f.take()
	i.environment.current.Store(i)
	s.alive++
	s.Ledger.invoked(f.name)
	allowed := f.timeout
	if i.stallAt = s.faults.Stall(f.name, f.begun, f.calls, s.dice); i.stallAt > 0 {
		i.stall = f.timeout + hidden + s.between(0, time.Minute)
		allowed += i.stall
	}
	i.freezeAt = s.faults.Freeze(f.name, f.begun, f.calls, s.dice)
	s.trace.note(s.Now(), "invoke", f.name, i.String(), string(payload))
	dice := rand.New(rand.NewPCG(s.settings.Seed, uint64(i.id)))
	ctx := chance.With(context.Background(), dice.Float64)
	ctx = lambdacontext.NewContext(ctx,
		&lambdacontext.LambdaContext{AwsRequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i.id)})
	ctx, cancel := context.WithTimeout(ctx, allowed)
	s.after(f.timeout, func() { i.finish(nil, errTimedOut) })
	i.environment.work <- job{i, ctx, cancel, payload}
}

func (f *deployed) take() *environment {
	if n := len(f.idle); n > 0 {
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return e
	}
	e := &environment{function: f, dice: rand.New(rand.NewPCG(f.sim.settings.Seed, f.sim.dice.Uint64())),
		work: make(chan job, 1)}
	f.sim.living.Go(e.live)
	return e
}

// live runs the process: one invocation after the other.
func (e *environment) live() {
	for {
		select {
		case j := <-e.work:
			answer, err := e.answer(j.ctx, j.payload)
			j.cancel()
			e.function.sim.arrive(&returned{j.invocation, answer, err})
		case <-e.function.sim.over:
			return
		}
	}
}

// answer handles one invocation. A new process starts the function first.
func (e *environment) answer(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			e.function.sim.t.Errorf("%s panics: %v\n%s", e.function.name, p, debug.Stack())
			err = errKilled
		}
	}()
	if e.handler == nil {
		rt := e.function.sim.Stack.RuntimeOf(e.function.name, e)
		rt.Log = observe.Logger(e, slog.LevelInfo, e.function.name)
		rt.Nonce, rt.Web = e.nonce, e
		rt.AWS.Credentials = aws.AnonymousCredentials{} // nothing checks signatures here, and signing takes time
		handler, err := e.function.build(rt, e.function.environ)
		if err != nil {
			e.function.sim.t.Errorf("%s cannot start: %v", e.function.name, err)
			return nil, errKilled
		}
		if err := rt.Warm(ctx); err != nil {
			rt.Log.Warn("not everything could be prepared before the first request", "error", err.Error())
		}
		e.handler = handler
	}
	return e.handler.Invoke(ctx, payload)
}

const letters = "abcdefghijklmnopqrstuvwxyz234567"

func (e *environment) nonce() string {
	var text strings.Builder
	for range 8 {
		text.WriteByte(letters[e.dice.IntN(len(letters))])
	}
	return text.String()
}

// Write writes a line of the function's log. It drops lines of a process that has ended.
func (e *environment) Write(line []byte) (int, error) {
	i := e.current.Load()
	if i.gone.Load() {
		return len(line), nil
	}
	e.function.sim.Ledger.logged(e.function.name, len(line))
	return e.function.sim.Stack.Log.Write(line)
}

// RoundTrip sends a request to the cloud, to the API or to the payment sandbox.
func (e *environment) RoundTrip(r *http.Request) (*http.Response, error) {
	i := e.current.Load()
	return i.caller.send(e.function.sim, i, r)
}

// Do is RoundTrip under the name that the AWS SDK expects.
func (e *environment) Do(r *http.Request) (*http.Response, error) { return e.RoundTrip(r) }

// returned is an invocation that its process has finished.
type returned struct {
	*invocation
	answer []byte
	err    error
}

func (r *returned) order() [2]int { return [2]int{r.id, int(r.sent.Load()) + 1} }

func (r *returned) accept() {
	if !r.gone.Load() {
		r.environment.function.sim.alive--
	}
	r.invocation.returned = true
	r.finish(r.answer, r.err)
}

// finish ends an invocation for Lambda. A process that timed out or crashed is not used again.
func (i *invocation) finish(answer []byte, err error) {
	if i.ended {
		return
	}
	f := i.environment.function
	i.ended = true
	outcome := "ok"
	if err != nil {
		outcome = err.Error()
	}
	if i.frozen.Load() {
		f.sim.strike(Freeze)
	}
	f.sim.trace.note(f.sim.Now(), "end", f.name, i.String(), outcome, string(answer))
	switch {
	case errors.Is(err, errTimedOut):
		if i.stallAt == 0 {
			i.leave()
		} else {
			f.sim.strike(Stall)
		}
	case !errors.Is(err, errKilled):
		f.calls = int(i.met.Load())
		f.idle = append(f.idle, i.environment)
	}
	i.end(answer, err)
}

// freeze stops the process before its n-th call, if the call is the one that freezes it. The process goes on
// before its timeout if that call is an early one.
func (i *invocation) freeze(n int) {
	if i != nil && i.freezeAt == n && !i.frozen.Swap(true) {
		time.Sleep(i.environment.function.timeout * 4 / 5)
	}
}

// kill ends the process of an invocation. Nothing that the process does later has an effect.
func (i *invocation) kill() {
	i.leave()
	i.finish(nil, errKilled)
}

// leave marks the process of an invocation as ended.
func (i *invocation) leave() {
	if !i.gone.Swap(true) && !i.returned {
		i.environment.function.sim.alive--
	}
}
