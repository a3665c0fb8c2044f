package simulation_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/localstack/simulation"
)

// nth has one fault strike the n-th call of a function, and has no other faults.
type nth struct {
	simulation.Calm
	function string
	left     int
	fault    simulation.Fault
}

// Call counts calls.
func (n *nth) Call(at simulation.Site, _ *rand.Rand) simulation.Fault {
	if at.Function != n.function || n.fault == simulation.Stall || n.fault == simulation.Freeze {
		return simulation.None
	}
	if n.left--; n.left != 0 {
		return simulation.None
	}
	return n.fault
}

// Stall counts the calls of invocations. It assumes that each makes as many as the one before.
func (n *nth) Stall(function string, _, calls int, _ *rand.Rand) int {
	return n.within(simulation.Stall, function, calls)
}

// Freeze is Stall for a function that freezes.
func (n *nth) Freeze(function string, _, calls int, _ *rand.Rand) int {
	return n.within(simulation.Freeze, function, calls)
}

// within returns which call of a new invocation the fault strikes; 0: none.
func (n *nth) within(fault simulation.Fault, function string, calls int) int {
	if function != n.function || n.fault != fault || n.left <= 0 {
		return 0
	}
	n.left -= max(calls, 1)
	if n.left > 0 {
		return 0
	}
	return n.left + max(calls, 1)
}

// Each fault strikes each call that a function makes for an order, from its placement to its last mail: the call
// fails, its answer is lost, its function is killed before or after it, freezes before it, or stalls until its
// message is given to another invocation.
func TestOrder_SettlesWithAFaultAtEachCall(t *testing.T) {
	for _, fault := range []simulation.Fault{
		simulation.FailBefore, simulation.LoseAnswer, simulation.KillBefore, simulation.KillAfter, simulation.Stall,
		simulation.Freeze,
	} {
		t.Run(string(fault), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, simulation.Settings{Seed: 4}, 1000)
				points := map[string]int{}
				for _, function := range slices.Concat(ofOrder, ofCallbacks) {
					for struck := true; struck; {
						point := &nth{function: function, left: points[function] + 1, fault: fault}
						s.Disturb(point)
						s.Meanwhile(time.Hour, s.order(len(s.orders), basket("pm_card_visa", 2), 0))
						require.True(t, s.Run(4*time.Hour, s.over), "%s at call %d of %s: the order does not end",
							fault, points[function]+1, function)
						if struck = point.left <= 0; struck {
							points[function]++
						}
					}
					assert.Positive(t, points[function], "no call of %s was struck", function)
				}
				assert.Equal(t, map[string]int{"paid confirmed": len(s.orders)},
					s.audit(harm{mails: true, kills: true}))
				conformance.Figure(t, "%s at each of %d calls, and every order settled: %v", fault,
					len(s.orders)-len(points), points)
			})
		})
	}
}
