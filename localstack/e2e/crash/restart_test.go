package crash

import (
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/localstack/e2e"
	"backroom/shared/ops/shop"
)

const (
	orders    = 200
	undecided = 100 // at least so many have no outcome when the cloud stops
)

func TestOrdersOutliveARestart(t *testing.T) {
	suite.Run(t, func(t conformance.T) {
		restart(t, false)
	})
}

func TestOrdersOutliveTheLossOfWhatStreamsHeld(t *testing.T) {
	suite.Run(t, func(t conformance.T) {
		restart(t, true)
	})
}

// restart stops the cloud cleanly with orders at every point of their way, and starts it again: the first have ended, later
// ones are on their way to their payment, and of the last the stream has not told yet that they were placed. If it forgets
// that meanwhile, only wake-overdue remembers them.
func restart(t conformance.T, forget bool) {
	t.Helper()
	ours(t)
	g := deliver(t)
	placed := g.place(t, orders/4)
	end(t, placed)
	payments := system.HoldUp(t, "authorize-payment")
	maps.Copy(placed, g.place(t, orders/4))
	facts := system.HoldUpFacts(t, "ORDERS_TABLE")
	untold := g.place(t, orders/2)
	maps.Copy(placed, untold)
	require.Len(t, placed, orders)

	waiting := len(withoutOutcome(t, placed))
	require.GreaterOrEqual(t, waiting, undecided)
	require.NoError(t, ministack.Stop())
	conformance.Figure(t, "the cloud was stopped while %d of %d accepted orders had no outcome; stream records lost: %t", waiting, orders, forget)
	ministack.ForgetStreams = forget
	require.NoError(t, ministack.Start(t.Context()))

	facts()
	payments()
	end(t, placed)
	conformance.Figure(t, "%s", g.settle(t, placed))

	wanted := map[bool]int{true: 0, false: len(untold)}[forget]
	system.Until(t, fmt.Sprintf("of %d orders that the stream did not tell of before the restart it tells of %d", len(untold), wanted), func() (any, bool) {
		told := placementsHeard(t, untold)
		return told, told == wanted
	})
}

// placementsHeard returns how many of the orders' placements reserve-stock heard of. It answers everything that it hears, and
// what it answers beyond what an order asked later is the answer to its placement.
func placementsHeard(t conformance.T, orders accepted) (heard int) {
	t.Helper()
	for id := range orders {
		for _, entry := range system.Order(t, buyer, id).Timeline {
			switch {
			case entry.Actor == "reserve-stock":
				heard++
			case entry.Type == "ReserveDue":
				heard--
			}
		}
	}
	return heard
}

// What the local cloud itself loses when it is killed is no promise of ours; docs/local-clouds.md tells it, and this holds it true.
func TestAKilledCloudGoesBackToItsLastCleanStop(t *testing.T) {
	suite.Run(t, func(t conformance.T) {
		ours(t)
		g := deliver(t)
		kept := g.place(t, 10)
		end(t, kept)
		require.NoError(t, ministack.Stop())
		require.NoError(t, ministack.Start(t.Context()))

		lost := g.place(t, 10)
		end(t, lost)
		ministack.Kill()
		require.NoError(t, ministack.Start(t.Context()))

		g.settle(t, kept)
		for id := range lost {
			answer := system.Send(t, shop.Call{Method: http.MethodGet, Path: "/orders/" + id, Token: system.Token(t, buyer)})
			e2e.Refused(t, answer, http.StatusNotFound, "unknown-order")
		}
		placed := g.place(t, 10)
		end(t, placed)
		maps.Copy(placed, kept)
		g.settle(t, placed)
	})
}
