package simulation

import "math/rand/v2"

// Fault is what befalls a call or a delivery.
type Fault string

// What befalls a call. A function that is killed does nothing more, not even what it deferred. One that stalls goes on long after its
// message was given to another: its own clock, and so its deadline, stood still meanwhile, and whatever it writes takes effect.
const (
	None       Fault = ""
	FailBefore Fault = "fail-before" // it fails, and has no effect
	LoseAnswer Fault = "lose-answer" // it takes effect, and the answer is lost
	Throttle   Fault = "throttle"    // it is refused, because there are too many
	KillBefore Fault = "kill-before" // the function is killed before the call takes effect
	KillAfter  Fault = "kill-after"  // and after
	Stall      Fault = "stall"       // the function stands still for longer than its message is hidden
	Partial    Fault = "partial"     // of a batch, only a part is done
	Conflict   Fault = "conflict"    // a write loses against another that is under way
)

// What befalls a delivery.
const (
	Duplicate Fault = "duplicate" // a message, or a schedule's event, comes once more
	Late      Fault = "late"      // a message is received, and comes again only after an hour
	Undeleted Fault = "undeleted" // a batch was worked off, and nobody remembers
)

// CallFaults and DeliveryFaults are all there are.
var (
	CallFaults     = []Fault{FailBefore, LoseAnswer, Throttle, KillBefore, KillAfter, Stall, Partial, Conflict}
	DeliveryFaults = []Fault{Duplicate, Late, Undeleted}
)

// Site is a call that a fault may strike.
type Site struct {
	Function   string // who calls; "client" for who calls the API from outside
	Invocation int    // how many of the function were begun, this one included
	Nth        int    // of the invocation's calls, from 1; those that only open a connection do not count
	Operation  string // as in PutItem, and in POST /orders/{id}/refunds
	Resource   string // the table, the queue, the key or secret, or the id of the API; of a request about several, one
}

// Faults decide what befalls. Whoever decides by chance takes it from dice. A fault that makes no sense where it would strike is
// none.
type Faults interface {
	// Call returns what befalls a call; a Stall is decided by Stall.
	Call(at Site, dice *rand.Rand) Fault
	// Stall returns the call of a new invocation, from 1, at which the function will stand still; 0: at none. calls is how many its
	// last invocation made.
	Stall(function string, invocation, calls int, dice *rand.Rand) int
	// Message returns what befalls a message or event that a function is about to be given: Duplicate, or, of a message, Late.
	Message(function string, dice *rand.Rand) Fault
	// Batch returns what befalls a batch of messages or records that a function has worked off: Undeleted.
	Batch(function string, dice *rand.Rand) Fault
}

// Calm is a world without faults.
type Calm struct{}

// Call returns None.
func (Calm) Call(Site, *rand.Rand) Fault { return None }

// Stall returns 0.
func (Calm) Stall(string, int, int, *rand.Rand) int { return 0 }

// Message returns None.
func (Calm) Message(string, *rand.Rand) Fault { return None }

// Batch returns None.
func (Calm) Batch(string, *rand.Rand) Fault { return None }

// Rates is a world in which each fault strikes so often, of 1.
type Rates map[Fault]float64

// Evenly returns rates at which each of the faults strikes equally often.
func Evenly(rate float64, faults ...Fault) Rates {
	r := Rates{}
	for _, f := range faults {
		r[f] = rate
	}
	return r
}

// Call draws what befalls a call.
func (r Rates) Call(_ Site, dice *rand.Rand) Fault {
	return r.draw(dice, FailBefore, LoseAnswer, Throttle, KillBefore, KillAfter, Partial, Conflict)
}

// Stall draws whether an invocation stands still, and at which of its calls.
func (r Rates) Stall(_ string, _, calls int, dice *rand.Rand) int {
	if r.draw(dice, Stall) == None {
		return 0
	}
	return 1 + dice.IntN(max(calls, 1))
}

// Message draws what befalls a message.
func (r Rates) Message(_ string, dice *rand.Rand) Fault { return r.draw(dice, Duplicate, Late) }

// Batch draws what befalls a batch.
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
