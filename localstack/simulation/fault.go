package simulation

import "math/rand/v2"

// Fault is a failure that strikes a call or a delivery.
type Fault string

// Faults of a call. A killed function does nothing more, and runs no deferred function. A stalled function
// continues long after its message was given to another invocation. Its deadline is extended by the stall, so
// its later writes take effect. A frozen function stops between two calls, and continues before its timeout.
const (
	None       Fault = ""
	FailBefore Fault = "fail-before" // the call fails and has no effect
	LoseAnswer Fault = "lose-answer" // the call takes effect, and its answer is lost
	Throttle   Fault = "throttle"    // the call is refused: there are too many
	KillBefore Fault = "kill-before" // the function is killed before the call takes effect
	KillAfter  Fault = "kill-after"  // the function is killed after the call took effect
	Stall      Fault = "stall"       // the function stops for longer than its message is hidden
	Freeze     Fault = "freeze"      // the function stops before the call for most of its timeout
	Partial    Fault = "partial"     // only a part of a batch is done
	Conflict   Fault = "conflict"    // a write conflicts with a transaction
)

// Faults of a delivery.
const (
	Duplicate Fault = "duplicate" // a message, or a schedule's event, is delivered twice
	Late      Fault = "late"      // a message is received, but not handled before an hour has passed
	Undeleted Fault = "undeleted" // a batch was handled, but its messages or records are delivered again
)

// CallFaults and DeliveryFaults list all faults.
var (
	CallFaults     = []Fault{FailBefore, LoseAnswer, Throttle, KillBefore, KillAfter, Stall, Freeze, Partial, Conflict}
	DeliveryFaults = []Fault{Duplicate, Late, Undeleted}
)

// Site is a call that a fault may strike.
type Site struct {
	Function   string // the calling function, or "client" for a client of the API
	Invocation int    // the number of the function's invocation, from 1
	Nth        int    // the number of the invocation's call, from 1; opening a connection does not count
	Operation  string // such as PutItem, or POST /orders/{id}/refunds
	Resource   string // the table, queue, key, secret or API; one of them if the request names several
}

// Faults decide which faults strike. Random decisions use dice. A fault that cannot strike a call is ignored.
type Faults interface {
	// Call returns the fault of a call, but never Stall or Freeze.
	Call(at Site, dice *rand.Rand) Fault
	// Stall returns the call of a new invocation, from 1, at which the function stalls, or 0. calls is the
	// number of calls of the function's last invocation.
	Stall(function string, invocation, calls int, dice *rand.Rand) int
	// Freeze is Stall for the call before which the function freezes.
	Freeze(function string, invocation, calls int, dice *rand.Rand) int
	// Message returns the fault of a message or event before its delivery: Duplicate, or Late for a message.
	Message(function string, dice *rand.Rand) Fault
	// Batch returns the fault of a batch of messages or records that a function has handled: Undeleted.
	Batch(function string, dice *rand.Rand) Fault
}

// Calm has no faults.
type Calm struct{}

// Call returns None.
func (Calm) Call(Site, *rand.Rand) Fault { return None }

// Stall returns 0.
func (Calm) Stall(string, int, int, *rand.Rand) int { return 0 }

// Freeze returns 0.
func (Calm) Freeze(string, int, int, *rand.Rand) int { return 0 }

// Message returns None.
func (Calm) Message(string, *rand.Rand) Fault { return None }

// Batch returns None.
func (Calm) Batch(string, *rand.Rand) Fault { return None }

// Rates are the probabilities of faults, from 0 to 1.
type Rates map[Fault]float64

// Evenly returns the same rate for each of the faults.
func Evenly(rate float64, faults ...Fault) Rates {
	r := Rates{}
	for _, f := range faults {
		r[f] = rate
	}
	return r
}

// Call draws the fault of a call.
func (r Rates) Call(_ Site, dice *rand.Rand) Fault {
	return r.draw(dice, FailBefore, LoseAnswer, Throttle, KillBefore, KillAfter, Partial, Conflict)
}

// Stall draws whether an invocation stalls, and at which of its calls.
func (r Rates) Stall(_ string, _, calls int, dice *rand.Rand) int {
	return r.drawCall(dice, Stall, calls)
}

// Freeze draws whether an invocation freezes, and before which of its calls.
func (r Rates) Freeze(_ string, _, calls int, dice *rand.Rand) int {
	return r.drawCall(dice, Freeze, calls)
}

// drawCall draws the call of an invocation that the fault strikes; 0: none.
func (r Rates) drawCall(dice *rand.Rand, f Fault, calls int) int {
	if r.draw(dice, f) == None {
		return 0
	}
	return 1 + dice.IntN(max(calls, 1))
}

// Message draws the fault of a message.
func (r Rates) Message(_ string, dice *rand.Rand) Fault { return r.draw(dice, Duplicate, Late) }

// Batch draws the fault of a batch.
func (r Rates) Batch(_ string, dice *rand.Rand) Fault { return r.draw(dice, Undeleted) }

func (r Rates) draw(dice *rand.Rand, from ...Fault) Fault {
	x := dice.Float64()
	for _, f := range from {
		if x -= r[f]; x < 0 {
			return f
		}
	}
	return None
}
