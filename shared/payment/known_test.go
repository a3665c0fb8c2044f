package payment_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/payment"
)

func TestCharge_KnownNamesWhatThisReleaseDoesNotKnow(t *testing.T) {
	t.Parallel()
	c := payment.Charge{Order: "ord_1", Desired: payment.DesiredCapture, Observed: payment.Captured}
	require.NoError(t, c.Known())
	c.Desired = "park"
	assert.ErrorContains(t, c.Known(), `order ord_1: this release does not know the desired state "park"`)
}
