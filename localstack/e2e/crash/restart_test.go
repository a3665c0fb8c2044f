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
	undecided = 100 // how many of them, at least, have no outcome when the cloud stops
)

func TestRestart_LosesNoOrder(t *testing.T) {
	suite.Run(t, func(t conformance.T) {
		restart(t, false)
	})
}

func TestRestart_WithoutStreamRecordsLosesNoOrder(t *testing.T) {
	suite.Run(t, func(t conformance.T) {
		restart(t, true)
	})
}

// restart stops the cloud cleanly with orders in three states, and starts it again. The first orders have ended, the
// next wait for their payment, and for the last the stream has not delivered OrderPlaced. If forget is set, the stream
// loses those records, and only wake-overdue finds the orders.
func restart(t conformance.T, forget bool) {
	t.Helper()
	requireOwnCloud(t)
	g := deliver(t)
	placed := g.place(t, orders/4)
	end(t, placed)
	payments := system.HoldUp(t, "authorize-payment")
	maps.Copy(placed, g.place(t, orders/4))
	facts := system.HoldUpFacts(t, "ORDERS_TABLE")
	undelivered := g.place(t, orders/2)
	maps.Copy(placed, undelivered)
	require.Len(t, placed, orders)

	waiting := len(withoutOutcome(t, placed))
	require.GreaterOrEqual(t, waiting, undecided)
	require.NoError(t, ministack.Stop())
	conformance.Figure(t,
		"the cloud was stopped while %d of %d accepted orders had no outcome; stream records lost: %t", waiting, orders,
		forget)
	ministack.ForgetStreams = forget
	require.NoError(t, ministack.Start(t.Context()))

	facts()
	payments()
	end(t, placed)
	conformance.Figure(t, "%s", g.settle(t, placed))

	wanted := map[bool]int{true: 0, false: len(undelivered)}[forget]
	what := fmt.Sprintf("the stream delivers %d of %d placements after the restart", wanted, len(undelivered))
	system.Until(t, what, func() (any, bool) {
		consumed := consumedPlacements(t, undelivered)
		return consumed, consumed == wanted
	})
}

// consumedPlacements returns how many OrderPlaced of the orders reserve-stock consumed. It answers every message once,
// so its answers beyond an order's later requests are the answers to OrderPlaced.
func consumedPlacements(t conformance.T, orders accepted) (consumed int) {
	t.Helper()
	for id := range orders {
		for _, entry := range system.Order(t, buyer, id).Timeline {
			switch {
			case entry.Actor == "reserve-stock":
				consumed++
			case entry.Type == "ReserveDue":
				consumed--
			}
		}
	}
	return consumed
}

// This is how MiniStack behaves, not Backroom. docs/local-clouds.md describes it.
func TestKill_OfTheCloudRestoresItsLastCleanStop(t *testing.T) {
	suite.Run(t, func(t conformance.T) {
		requireOwnCloud(t)
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
			answer := system.Send(t,
				shop.Call{Method: http.MethodGet, Path: "/orders/" + id, Token: system.Token(t, buyer)})
			e2e.Refused(t, answer, http.StatusNotFound, "unknown-order")
		}
		placed := g.place(t, 10)
		end(t, placed)
		maps.Copy(placed, kept)
		g.settle(t, placed)
	})
}
