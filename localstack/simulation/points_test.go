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

// nth is a world in which one thing befalls the n-th call that a function makes, and nothing else.
type nth struct {
	simulation.Calm
	function string
	left     int
	fault    simulation.Fault
}

// Call counts calls.
func (n *nth) Call(at simulation.Site, _ *rand.Rand) simulation.Fault {
	if at.Function != n.function || n.fault == simulation.Stall {
		return simulation.None
	}
	if n.left--; n.left != 0 {
		return simulation.None
	}
	return n.fault
}

// Stall counts the calls that invocations are going to make, if each makes as many as the one before.
func (n *nth) Stall(function string, _, calls int, _ *rand.Rand) int {
	if function != n.function || n.fault != simulation.Stall || n.left <= 0 {
		return 0
	}
	n.left -= max(calls, 1)
	if n.left > 0 {
		return 0
	}
	return n.left + max(calls, 1)
}

// Each call that a function makes for an order, from POST to closed and mailed, is once the one that fails, whose answer is lost, the
// last thing that its function does, and the one at which its function stands still until its message was given to another.
func TestEveryCallMayBeTheLast(t *testing.T) {
	for _, fault := range []simulation.Fault{simulation.FailBefore, simulation.LoseAnswer, simulation.KillBefore, simulation.KillAfter, simulation.Stall} {
		t.Run(string(fault), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, simulation.Settings{Seed: 4}, 1000)
				points := map[string]int{}
				for _, function := range slices.Concat(ofOrder, ofCallbacks) {
					for struck := true; struck; {
						point := &nth{function: function, left: points[function] + 1, fault: fault}
						s.Disturb(point)
						s.Meanwhile(time.Hour, s.order(len(s.orders), basket("pm_card_visa", 2), 0))
						require.True(t, s.Run(4*time.Hour, s.over), "%s at call %d of %s: the order comes to no end", fault, points[function]+1, function)
						if struck = point.left <= 0; struck {
							points[function]++
						}
					}
					assert.Positive(t, points[function], "%s was not met", function)
				}
				assert.Equal(t, map[string]int{"paid confirmed": len(s.orders)}, s.audit(harm{mails: true, kills: true}))
				conformance.Figure(t, "%s at each of %d points, and every order closed: %v", fault, len(s.orders)-len(points), points)
			})
		})
	}
}
