package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/sandbox"
)

// disputeOf returns the id of an intent's first dispute.
func disputeOf(intent string) string { return "dp_" + strings.TrimPrefix(intent, "pi_") + "_1" }

func TestDispute_TakesMoneyUntilItIsWon(t *testing.T) {
	t.Parallel()
	b := start(t)
	for evidence, c := range map[string]struct {
		status sandbox.DisputeStatus
		net    int64 // of the 1250 that were paid
	}{
		"winning_evidence": {sandbox.DisputeWon, 1250}, "losing_evidence": {sandbox.DisputeLost, 850},
		"something else": {sandbox.DisputeNeedsResponse, 850},
	} {
		b := b.as(t)
		before, _, _ := b.money()
		id := b.paid("pm_card_visa")
		assert.Equal(t, http.StatusOK, b.post("/v1/payment_intents/"+id+"/sandbox_dispute", "amount=400").Status)
		b.post("/v1/disputes/"+disputeOf(id), "evidence[uncategorized_text]="+evidence)
		after, _, _ := b.money()
		assert.Equal(t, c.net, after-before, evidence)
		i, err := b.ledger.Intent(t.Context(), id)
		assert.NoError(t, err)
		assert.Equal(t, c.status, i.Disputes[0].Status)
	}
}

func TestDispute_RefusesWhatStripeRefuses(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.paid("pm_card_visa")
	dispute := "/v1/payment_intents/" + id + "/sandbox_dispute"
	assert.Equal(t, "amount_too_large", b.post(dispute, "amount=1251").Error.Code)
	assert.Equal(t, http.StatusOK, b.post(dispute, "amount=400").Status)
	assert.Equal(t, "charge_disputed", b.refund(id, "&amount=851").Error.Code, "more than is left")
	assert.Equal(t, http.StatusOK, b.refund(id, "&amount=850").Status)
	assert.Equal(t, "charge_disputed", b.refund(id, "&amount=1").Error.Code)
	assert.Equal(t, http.StatusOK, b.post(dispute, "").Status, "a bank can dispute what was refunded")
	assert.Equal(t, http.StatusBadRequest, b.post(dispute, "").Status, "all of it is disputed")

	assert.Equal(t, http.StatusOK, b.post("/v1/disputes/"+disputeOf(id)+"/close", "").Status)
	assert.Equal(t, http.StatusBadRequest, b.post("/v1/disputes/"+disputeOf(id)+"/close", "").Status, "it is closed")
	assert.Equal(t, http.StatusNotFound, b.post("/v1/disputes/dp_none_1/close", "").Status)
	assert.Equal(t, http.StatusNotFound, b.post("/v1/disputes/"+strings.TrimSuffix(disputeOf(id), "1")+"9", "").Status)
	held := b.held("pm_card_visa")
	assert.Equal(t, http.StatusBadRequest, b.post("/v1/payment_intents/"+held+"/sandbox_dispute", "").Status,
		"nothing was captured")
}
