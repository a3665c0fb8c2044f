package wire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/wake-overdue/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const name = "wake-overdue"

var build = function.Running(wire.New)

// placed is a cloud with an order that is due two minutes after the epoch.
func placed(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	c.Put("Orders", c.Image("relay-facts.json"))
	return c
}

func TestWakeOverdue_SendsALateOrderToAdvanceOrder(t *testing.T) {
	t.Parallel()
	c := placed(t)
	c.Clock.Pass(2*time.Minute + 30*time.Second)
	before := c.State()

	for range 2 { // called twice in a minute, it sends two messages with the same id
		c.Invoke(build, name, "wake-overdue.json")

		messages := c.Drain("AdvanceOrderQueue")
		require.Len(t, messages, 1)
		assert.JSONEq(t, c.Message("advance-order.overdue.json"), messages[0],
			"the message equals advance-order's sample")
		assert.Equal(t, before, c.State(), "it writes nothing")
	}
}

func TestWakeOverdue_IgnoresAnOrderThatIsNotLate(t *testing.T) {
	t.Parallel()
	c := placed(t)
	c.Clock.Pass(2 * time.Minute)

	c.Invoke(build, name, "wake-overdue.json")

	assert.Empty(t, c.Drain("AdvanceOrderQueue"))
}

func TestWakeOverdue_FailedSendFailsTheRun(t *testing.T) {
	t.Parallel()
	c := placed(t)
	c.Clock.Pass(2*time.Minute + 30*time.Second)
	c.Queue("AdvanceOrderQueue")
	c.Remove("AdvanceOrderQueue")
	before := c.State()

	for range 2 {
		_, err := c.Call(build, name, c.Event("wake-overdue.queue-gone.json"))
		assert.ErrorContains(t, err, "advance-order", "the next run tries again, and the alarm rings")
		assert.Equal(t, before, c.State())
	}
}
