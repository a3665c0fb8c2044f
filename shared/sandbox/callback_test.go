package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/sandbox"
)

func TestHerald_SendsTheEventsOfAChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do    func(b bench)
		types []string
	}{
		"a payment that is captured": {func(b bench) { b.paid("pm_card_visa") },
			[]string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded"}},
		"a payment that is canceled": {func(
			b bench) {
			b.post("/v1/payment_intents/"+b.held("pm_card_visa")+"/cancel", "")
		},
			[]string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.canceled"}},
		"a payment that is declined": {func(b bench) { b.confirm("", b.create("", "pm_card_chargeDeclined").ID) },
			[]string{"payment_intent.created", "payment_intent.payment_failed"}},
		"a payment that is declined as it is created": {func(b bench) {
			b.post("/v1/payment_intents", "amount=100&currency=eur&confirm=true&payment_method=pm_card_chargeDeclined")
		}, []string{"payment_intent.created", "payment_intent.payment_failed"}},
		"a payment without a card": {func(b bench) { b.post("/v1/payment_intents", "amount=100&currency=eur") },
			[]string{"payment_intent.created"}},
		"a payment that requires its customer's action": {func(
			b bench) {
			b.confirm("", b.create("", "pm_card_authenticationRequired").ID)
		},
			[]string{"payment_intent.created", "payment_intent.requires_action"}},
		"a payment in processing": {func(b bench) { b.confirm("", b.create("", "pm_sandbox_processing_4000").ID) },
			[]string{"payment_intent.created", "payment_intent.processing",
				"payment_intent.amount_capturable_updated"}},
		"a refund that arrives": {func(b bench) { b.refund(b.paid("pm_card_visa"), "") },
			[]string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
				"refund.created"}},
		"a refund that fails at once": {func(b bench) { b.refund(b.paid("pm_card_refundFailFirst"), "") },
			[]string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
				"refund.created", "refund.failed"}},
		"a refund that is pending": {func(b bench) { b.refund(b.paid("pm_card_pendingRefund"), "") },
			[]string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
				"refund.created", "refund.updated"}},
		"a refund that fails later": {func(b bench) { b.refund(b.paid("pm_card_refundFail"), "") },
			[]string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
				"refund.created", "refund.updated", "refund.failed"}},
		"a dispute that is opened and won": {func(b bench) {
			id := b.paid("pm_card_visa")
			b.post("/v1/payment_intents/"+id+"/sandbox_dispute", "")
			b.post("/v1/disputes/"+disputeOf(id), "evidence[uncategorized_text]=winning_evidence")
		}, []string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
			"charge.dispute.created", "charge.dispute.closed"}},
		"a card whose bank disputes": {func(b bench) { b.paid("pm_card_createDispute") },
			[]string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
				"charge.dispute.created"}},
		"a request that changes nothing": {func(b bench) { b.post("/v1/payment_intents/pi_none/cancel", "") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			shop := b.listen()
			c.do(b)
			assert.Empty(t, shop.take(), "not before the answer")
			b.work()
			b.later(10 * time.Second)
			b.work()
			assert.Equal(t, c.types, shop.take())
		})
	}
}

func TestEvent_ContainsTheWholeObject(t *testing.T) {
	t.Parallel()
	b := start(t)
	shop := b.listen()
	id := b.paid("pm_card_visa")
	refund := b.refund(id, "")
	b.work()
	assert.Contains(t, shop.bodies[2], `"data":{"object":`+b.ask("GET", "/v1/payment_intents/"+id, "", "").Body[:40])
	assert.Contains(t, shop.bodies[2], `"metadata":{"order":"ord_1"}`)
	assert.Contains(t, shop.bodies[3], `"data":{"object":`+refund.Body+`}`)
	assert.Regexp(t, `^\{"id":"evt_[a-z0-9]{24}","object":"event",`, shop.bodies[3])
}

func TestHerald_DelaysAndRepeatsByCard(t *testing.T) {
	t.Parallel()
	const held, taken = "payment_intent.amount_capturable_updated", "payment_intent.succeeded"
	for card, c := range map[string]struct{ atOnce, soon, late []string }{
		"pm_card_callbackEarly": {[]string{"payment_intent.created", held, taken}, nil, nil},
		"pm_card_callbackLate":  {nil, nil, []string{"payment_intent.created", held, taken}},
		"pm_card_callbackTwice": {nil,
			[]string{"payment_intent.created", held, taken, "payment_intent.created", held, taken}, nil},
		"pm_card_callbackReversed": {nil, []string{"payment_intent.created", taken}, []string{held}},
		"pm_card_callbackNone":     {nil, nil, nil},
	} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			shop := b.listen()
			b.paid(card)
			assert.Equal(t, c.atOnce, shop.take())
			b.work()
			b.later(2 * time.Second)
			b.work()
			assert.ElementsMatch(t, c.soon, shop.take())
			b.later(20 * time.Second)
			b.work()
			assert.Equal(t, c.late, shop.take())
		})
	}
}

func TestCallbacks_RetryARefusedEvent(t *testing.T) {
	t.Parallel()
	b := start(t)
	shop := b.listen()
	shop.status = http.StatusServiceUnavailable
	b.create("", "pm_card_callbackEarly")
	require.Len(t, shop.take(), 1)
	require.Len(t, b.tasks, 1, "an early event that was refused is sent again")
	worker := sandbox.Callbacks{Ledger: b.ledger, Herald: b.herald}
	again := `{"endpoint":"` + b.tasks[0].Endpoint + `","event":` + string(b.tasks[0].Event) + `}`
	require.ErrorIs(t, worker.Handle(t.Context(), again), fault.Unavailable)

	require.Equal(t, http.StatusOK, b.ask("DELETE", "/v1/webhook_endpoints/"+b.tasks[0].Endpoint, "", "").Status)
	require.NoError(t, worker.Handle(t.Context(), again), "its endpoint is removed")
	assert.Len(t, shop.take(), 1)
}

func TestCallbacks_RefuseAnUnreadableTask(t *testing.T) {
	t.Parallel()
	b := start(t)
	worker := sandbox.Callbacks{Ledger: b.ledger, Herald: b.herald}
	for _, body := range []string{``, `{`, `{}`, `{"endpoint":"we_1"}`, `[]`} {
		require.ErrorIs(t, worker.Handle(t.Context(), body), fault.Malformed, body)
	}
	require.ErrorIs(t, worker.Handle(t.Context(), `{"intent":"pi_none"}`), fault.NotFound)
}

func TestCallbacks_PostponeATaskThatIsNotDue(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.create("", "pm_sandbox_processing_3600000").ID
	b.confirm("", id)
	require.Len(t, b.tasks, 1)
	b.tasks[0].due = b.now() // like SQS, which cannot delay for an hour
	b.mu.Lock()
	early := b.tasks[0]
	b.tasks = nil
	b.mu.Unlock()
	require.NoError(t,
		sandbox.Callbacks{Ledger: b.ledger, Herald: b.herald}.Handle(t.Context(), `{"intent":"`+early.Intent+`"}`))
	require.Len(t, b.tasks, 1)
	assert.Greater(t, b.tasks[0].due, b.now().Add(50*time.Minute))
	assert.Equal(t, "processing", b.get(id).State)
}

func TestEndpoints_AreRegisteredListedAndRemoved(t *testing.T) {
	t.Parallel()
	b := start(t)
	made := b.post("/v1/webhook_endpoints",
		"url=execute-api:a1b2c3/v1/payments/events&enabled_events[0]=payment_intent.succeeded&enabled_events[1]=refund.failed")
	require.Equal(t, http.StatusOK, made.Status, made.Body)
	assert.Regexp(t, `^we_.{24}$`, made.ID)
	assert.Regexp(t, `^whsec_.{24}$`, made.Secret)

	list := b.ask("GET", "/v1/webhook_endpoints", "", "").Body
	assert.Contains(t, list, `"enabled_events":["payment_intent.succeeded","refund.failed"]`)
	assert.Contains(t, list, `"url":"execute-api:a1b2c3/v1/payments/events"`)
	assert.NotContains(t, list, "whsec_", "a secret is returned once")

	for form, code := range map[string]string{
		"enabled_events[]=*":                             "parameter_missing",
		"url=https://shop.example":                       "parameter_missing",
		"url=ftp://shop.example&enabled_events[]=*":      "url_invalid",
		"url=https://shop.example&enabled_events[]=*&a=": "parameter_unknown",
	} {
		assert.Equal(t, code, b.post("/v1/webhook_endpoints", form).Error.Code, form)
	}
	gone := b.ask("DELETE", "/v1/webhook_endpoints/"+made.ID, "", "")
	assert.JSONEq(t, `{"id": "`+made.ID+`", "object": "webhook_endpoint", "deleted": true}`, gone.Body)
	assert.Equal(t, http.StatusNotFound, b.ask("DELETE", "/v1/webhook_endpoints/"+made.ID, "", "").Status)
	for range 16 {
		b.post("/v1/webhook_endpoints", "url=https://shop.example&enabled_events[]=*")
	}
	assert.Equal(t, http.StatusBadRequest,
		b.post("/v1/webhook_endpoints", "url=https://shop.example&enabled_events[]=*").Status)
}

func TestEndpoint_ReceivesOnlyItsEvents(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.post("/v1/webhook_endpoints", "url=http://127.0.0.1:9&enabled_events[]=payment_intent.succeeded")
	b.paid("pm_card_visa")
	require.Len(t, b.tasks, 1)
	assert.Contains(t, string(b.tasks[0].Event), `"type":"payment_intent.succeeded"`)
}

func TestSign_SignsAsStripeDoes(t *testing.T) {
	t.Parallel()
	got := sandbox.Sign([]byte(`{}`), "whsec_1", time.Unix(1_700_000_000, 0))
	assert.Equal(t, "t=1700000000,v1=c8cf6ed9fd9120874a1792902ffdf5b69559118b76d10974da8a20cf21f94bc5", got)
}
