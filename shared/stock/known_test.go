package stock_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/stock"
)

func TestReservation_KnownNamesWhatThisReleaseDoesNotKnow(t *testing.T) {
	t.Parallel()
	r := stock.Reservation{Order: "ord_1", Desired: stock.DesiredSell, Observed: stock.Sold}
	require.NoError(t, r.Known())
	r.Observed = "shipped"
	assert.ErrorContains(t, r.Known(), `order ord_1: this release does not know the observed state "shipped"`)
}
