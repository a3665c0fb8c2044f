package simulation_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/cloudsim/simulation"
	"backroom/shared/cloudtest/deviation"
)

// nth is a world in which one thing befalls the n-th call that a function makes, and nothing else.
type nth struct {
	simulation.Calm
	function string
	left     int
	fault    simulation.Fault
}

// Call counts down. An invocation stands still or does not; all else befalls its calls.
func (n *nth) Call(at simulation.Site, _ *rand.Rand) simulation.Fault {
	if at.Function != n.function || (at.Nth == 0) != (n.fault == simulation.Stall) {
		return simulation.None
	}
	if n.left--; n.left != 0 {
		return simulation.None
	}
	return n.fault
}

// Each call that a function makes for an order, from POST to closed and mailed, is once the one that fails, whose answer is lost, and
// the last thing that its function does; and each invocation once stands still until its message was given to another.
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
						s.Meanwhile(time.Hour, func() { s.order(len(s.orders), basket("pm_card_visa", 2), 0) })
						require.True(t, s.Run(4*time.Hour, s.over), "%s at call %d of %s: the order comes to no end", fault, points[function]+1, function)
						if struck = point.left <= 0; struck {
							points[function]++
						}
					}
					assert.Positive(t, points[function], "%s was not met", function)
				}
				assert.Equal(t, map[string]int{"closed confirmed": len(s.orders)}, s.audit(true))
				deviation.Figure(t, "%s at each of %d points, and every order closed: %v", fault, len(s.orders)-len(points), points)
			})
		})
	}
}
