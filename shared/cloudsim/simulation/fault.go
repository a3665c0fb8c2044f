package simulation

import (
	"math/rand/v2"
)

// Fault is what befalls a call or a delivery.
type Fault string

// What befalls a call. A function that is killed does nothing more, not even what it deferred; one that stalls comes back as if no
// time had passed, long after its message was given to another.
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
	Duplicate Fault = "duplicate" // a message comes once more
	Late      Fault = "late"      // a message is received, and comes again only after an hour
	Undeleted Fault = "undeleted" // the batch was worked off, and nobody remembers
)

// CallFaults and DeliveryFaults are all there are.
var (
	CallFaults     = []Fault{FailBefore, LoseAnswer, Throttle, KillBefore, KillAfter, Stall, Partial, Conflict}
	DeliveryFaults = []Fault{Duplicate, Late, Undeleted}
)

// Site is where a fault may strike.
type Site struct {
	Function  string // who calls, or to whom a message is delivered; "client" for who calls the API from outside
	Operation string // as in "DynamoDB_20120810.PutItem", "POST /v1/refunds"; empty: a delivery
	Nth       int    // of the calls of this invocation, from 1
}

// Faults decide what befalls. Whoever decides by chance takes it from dice.
type Faults interface {
	Call(at Site, dice *rand.Rand) Fault
	Delivery(at Site, dice *rand.Rand) Fault
}

// Calm is a world without faults.
type Calm struct{}

// Call returns None.
func (Calm) Call(Site, *rand.Rand) Fault { return None }

// Delivery returns None.
func (Calm) Delivery(Site, *rand.Rand) Fault { return None }

// Rates is a world in which each fault strikes so often, of 1. A fault that makes no sense where it would strike is none.
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
func (r Rates) Call(_ Site, dice *rand.Rand) Fault { return r.draw(CallFaults, dice) }

// Delivery draws what befalls a delivery.
func (r Rates) Delivery(_ Site, dice *rand.Rand) Fault { return r.draw(DeliveryFaults, dice) }

func (r Rates) draw(from []Fault, dice *rand.Rand) Fault {
	x := dice.Float64()
	for _, f := range from {
		if x -= r[f]; x < 0 {
			return f
		}
	}
	return None
}
