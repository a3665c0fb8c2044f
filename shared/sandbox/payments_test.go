package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (b bench) post(path, form string) answer {
	b.t.Helper()
	return b.ask("POST", path, "", form)
}

// held returns the id of an intent of 1250 whose amount is held on the card.
func (b bench) held(method string) string {
	b.t.Helper()
	id := b.create("", method).ID
	require.Equal(b.t, "requires_capture", b.confirm("", id).State)
	return id
}

// paid returns the id of an intent of 1250 that is captured.
func (b bench) paid(method string) string {
	b.t.Helper()
	id := b.held(method)
	require.Equal(b.t, "succeeded", b.post("/v1/payment_intents/"+id+"/capture", "").State)
	return id
}

func (b bench) refund(intent, form string) answer {
	b.t.Helper()
	return b.post("/v1/refunds", "payment_intent="+intent+form)
}

func (b bench) inTheTill(want int64) {
	b.t.Helper()
	net, _, _ := b.money()
	assert.Equal(b.t, want, net)
}

func TestCapture_CapturesAPayment(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.held("pm_card_visa")
	captured := b.ask("POST", "/v1/payment_intents/"+id+"/capture", "k1", "")
	assert.Equal(t, []any{"succeeded", int64(1250), 1}, []any{captured.State, captured.Received, captured.Taken})
	assert.Equal(t, captured.Body, b.get(id).Body)
	assert.True(t, b.ask("POST", "/v1/payment_intents/"+id+"/capture", "k1", "").Replayed)

	again := b.ask("POST", "/v1/payment_intents/"+id+"/capture", "k2", "")
	assert.Equal(t, http.StatusBadRequest, again.Status)
	assert.Equal(t, []string{"payment_intent_unexpected_state", "succeeded"},
		[]string{again.Error.Code, again.Error.Intent.Status})
	assert.Equal(t, "payment_intent_unexpected_state", b.post("/v1/payment_intents/"+id+"/cancel", "").Error.Code)

	net, held, taken := b.money()
	assert.Equal(t, []any{int64(1250), 1, 1}, []any{net, held, taken})
}

func TestCapture_PartVoidsTheRest(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.held("pm_card_visa")
	for form, code := range map[string]string{
		"amount_to_capture=1251": "amount_too_large", "amount_to_capture=0": "parameter_invalid_integer",
		"amount=1": "parameter_unknown",
	} {
		assert.Equal(t, code, b.post("/v1/payment_intents/"+id+"/capture", form).Error.Code, form)
	}
	captured := b.post("/v1/payment_intents/"+id+"/capture", "amount_to_capture=1000")
	assert.Contains(t, captured.Body, `"amount":1250,"amount_capturable":0,"amount_received":1000`)
	b.inTheTill(1000)
	assert.Equal(t, "amount", b.refund(id, "&amount=1001").Error.Param, "no more than was taken")
}

func TestAuthorization_LapsesAfterSevenDays(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.held("pm_card_visa")
	shop := b.listen()
	b.later(7*24*time.Hour - time.Minute)
	assert.Equal(t, "requires_capture", b.get(id).State)
	b.later(2 * time.Minute)
	refused := b.post("/v1/payment_intents/"+id+"/capture", "")
	assert.Equal(t, []string{"payment_intent_unexpected_state", "canceled"},
		[]string{refused.Error.Code, refused.Error.Intent.Status})
	found := b.get(id)
	assert.Equal(t, []string{"canceled", "automatic"}, []string{found.State, found.Why})
	b.work()
	assert.Equal(t, []string{"payment_intent.canceled"}, shop.take(), "sent once, by the first that noticed")
	b.inTheTill(0)
}

func TestCapture_CardWhoseAuthorizationLapses(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.held("pm_card_captureLapsed")
	refused := b.post("/v1/payment_intents/"+id+"/capture", "")
	assert.Equal(t, []string{"payment_intent_unexpected_state", "canceled"},
		[]string{refused.Error.Code, refused.Error.Intent.Status})
	assert.Equal(t, "automatic", b.get(id).Why)
	b.inTheTill(0)
}

func TestCards_LoseAnswers(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.held("pm_card_captureLost")
	assert.Equal(t, http.StatusInternalServerError, b.post("/v1/payment_intents/"+id+"/capture", "").Status)
	assert.Equal(t, "succeeded", b.get(id).State)
	assert.Equal(t, http.StatusOK, b.refund(id, "").Status)

	id = b.held("pm_card_returnLost")
	assert.Equal(t, http.StatusInternalServerError, b.post("/v1/payment_intents/"+id+"/cancel", "").Status)
	assert.Equal(t, "canceled", b.get(id).State)

	id = b.paid("pm_card_returnLost")
	assert.Equal(t, http.StatusInternalServerError, b.ask("POST", "/v1/refunds", "k1", "payment_intent="+id).Status)
	assert.Equal(t, http.StatusInternalServerError, b.ask("POST", "/v1/refunds", "k1", "payment_intent="+id).Status,
		"and remembered so")
	assert.Equal(t, "charge_already_refunded", b.refund(id, "").Error.Code)
	b.inTheTill(0)
}

func TestRefund_NoMoreThanCaptured(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.paid("pm_card_visa")
	first := b.ask("POST", "/v1/refunds", "k1", "payment_intent="+id+
		"&amount=400&reason=requested_by_customer&metadata[order]=ord_1")
	assert.Equal(t, []any{http.StatusOK, "succeeded", int64(400)}, []any{first.Status, first.State, first.Amount})
	assert.Contains(t, first.Body, `"metadata":{"order":"ord_1"},"payment_intent":"`+id+
		`","reason":"requested_by_customer"`)
	assert.True(t,
		b.ask("POST", "/v1/refunds", "k1", "payment_intent="+id+
			"&amount=400&reason=requested_by_customer&metadata[order]=ord_1").Replayed)
	assert.Equal(t, first.Body, b.ask("GET", "/v1/refunds/"+first.ID, "", "").Body)

	tooMuch := b.refund(id, "&amount=851")
	assert.Equal(t, []any{http.StatusBadRequest, "", "amount"},
		[]any{tooMuch.Status, tooMuch.Error.Code, tooMuch.Error.Param})
	rest := b.refund(id, "")
	assert.Equal(t, int64(850), rest.Amount)
	assert.NotEqual(t, first.ID, rest.ID)
	assert.Equal(t, "charge_already_refunded", b.refund(id, "&amount=1").Error.Code)
	assert.Contains(t, b.get(id).Body, `"sandbox_refunded":1250`)
	b.inTheTill(0)
}

func TestRefund_RequiresACapture(t *testing.T) {
	t.Parallel()
	b := start(t)
	assert.Equal(t, http.StatusBadRequest, b.refund(b.held("pm_card_visa"), "").Status)
	assert.Equal(t, http.StatusNotFound, b.refund("pi_none", "").Status)
	assert.Equal(t, "parameter_missing", b.post("/v1/refunds", "amount=1").Error.Code)
	id := b.paid("pm_card_visa")
	for _, form := range []string{"&amount=0", "&amount=x", "&reason=whim", "&charge=ch_1"} {
		assert.Equal(t, http.StatusBadRequest, b.refund(id, form).Status, form)
	}
	for _, none := range []string{"re_none", "re_none_1", strings.Replace(id, "pi_", "re_", 1) + "_1"} {
		assert.Equal(t, "resource_missing", b.ask("GET", "/v1/refunds/"+none, "", "").Error.Code, none)
	}
}

func TestRefund_ConcurrentRequestsRefundNoMoreThanCaptured(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.paid("pm_card_visa")
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() { b.ask("POST", "/v1/refunds", fmt.Sprint("k", n), "payment_intent="+id+"&amount=600") })
	}
	all.Wait()
	b.inTheTill(50)
}

func TestRefunds_AreListedLatestFirst(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.paid("pm_card_visa")
	var made []string
	for range 3 {
		made = append(made, b.refund(id, "&amount=100").ID)
	}
	list := func(query string) (ids []string, more bool) {
		var page struct {
			Object  string
			HasMore bool `json:"has_more"`
			Data    []struct{ ID string }
		}
		got := b.ask("GET", "/v1/refunds?payment_intent="+id+query, "", "")
		require.NoError(t, json.Unmarshal([]byte(got.Body), &page))
		assert.Equal(t, "list", page.Object)
		for _, r := range page.Data {
			ids = append(ids, r.ID)
		}
		return ids, page.HasMore
	}
	ids, more := list("")
	assert.Equal(t, []string{made[2], made[1], made[0]}, ids)
	assert.False(t, more)
	ids, more = list("&limit=2")
	assert.Equal(t, []string{made[2], made[1]}, ids)
	assert.True(t, more)
	ids, more = list("&limit=2&starting_after=" + made[1])
	assert.Equal(t, []string{made[0]}, ids)
	assert.False(t, more)
	for _, bad := range []string{"&limit=101", "&limit=0", "&starting_after=re_none", "&zest=1"} {
		assert.Equal(t, http.StatusBadRequest, b.ask("GET", "/v1/refunds?payment_intent="+id+bad, "", "").Status, bad)
	}
	assert.Equal(t, "parameter_missing", b.ask("GET", "/v1/refunds", "", "").Error.Code)
}

func TestRefund_FollowsTheCard(t *testing.T) {
	t.Parallel()
	for card, c := range map[string]struct {
		first, firstLater, second, secondLater string
		till                                   int64 // of 1250, after two refunds of 500
	}{
		"pm_card_visa":                {"succeeded", "succeeded", "succeeded", "succeeded", 250},
		"pm_card_pendingRefund":       {"pending", "succeeded", "pending", "succeeded", 250},
		"pm_card_refundFail":          {"succeeded", "failed", "succeeded", "failed", 1250},
		"pm_card_refundFailFirst":     {"failed", "failed", "succeeded", "succeeded", 750},
		"pm_card_refundFailLateFirst": {"succeeded", "failed", "succeeded", "succeeded", 750},
	} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			id := b.paid(card)
			first, second := b.refund(id, "&amount=500"), b.refund(id, "&amount=500")
			assert.Equal(t, []string{c.first, c.second}, []string{first.State, second.State})
			b.later(6 * time.Second)
			b.work()
			b.inTheTill(c.till)
			later := func(r answer) string { return b.ask("GET", "/v1/refunds/"+r.ID, "", "").State }
			assert.Equal(t, []string{c.firstLater, c.secondLater}, []string{later(first), later(second)})
		})
	}
}

func TestAct_FollowsTheCustomer(t *testing.T) {
	t.Parallel()
	b := start(t)
	asked := func(confirmation string) answer {
		id := b.post("/v1/payment_intents",
			"amount=1250&currency=eur&capture_method=manual&payment_method=pm_card_authenticationRequired&confirmation_method="+confirmation).ID
		i := b.confirm("", id)
		require.Equal(t, "requires_action", i.State)
		assert.Contains(t, i.Body, `"next_action":{"type":"use_stripe_sdk"`)
		assert.Regexp(t, "^"+id+"_secret_.{24}$", i.Client)
		return i
	}
	act := func(i answer, form string) answer {
		return b.ask("POST", "/v1/payment_intents/"+i.ID+"/sandbox_action", "", form,
			func(r *http.Request) { r.Header.Del("Authorization") })
	}
	i := asked("automatic")
	assert.Equal(t, http.StatusNotFound, act(i, "client_secret=other").Status)
	assert.Equal(t, http.StatusBadRequest, act(i, "client_secret="+i.Client+"&outcome=maybe").Status)
	assert.Equal(t, "requires_capture", act(i, "client_secret="+i.Client+"&outcome=succeed").State)
	assert.Equal(t, "payment_intent_unexpected_state", act(i, "client_secret="+i.Client).Error.Code, "only once")

	i = asked("manual")
	assert.Equal(t, "requires_confirmation", act(i, "client_secret="+i.Client).State)
	assert.Equal(t, "requires_capture", b.confirm("", i.ID).State, "the customer is not asked again")

	i = asked("automatic")
	failed := act(i, "client_secret="+i.Client+"&outcome=fail")
	assert.Equal(t, []any{http.StatusOK, "requires_payment_method"}, []any{failed.Status, failed.State})
	assert.Contains(t, failed.Body, "payment_intent_authentication_failure")
	_, held, _ := b.money()
	assert.Equal(t, 2, held)
}

func TestOutage_EndsByItselfOrByRequest(t *testing.T) {
	t.Parallel()
	b := start(t)
	id := b.held("pm_card_visa")
	out := func(form string) answer { return b.post("/v1/sandbox/outage", form) }
	require.Equal(t, http.StatusOK, out("seconds=120").Status)
	assert.Equal(t, http.StatusServiceUnavailable, b.get(id).Status)
	assert.Equal(t, "api_error", b.ask("POST", "/v1/payment_intents/"+id+"/capture", "k1", "").Error.Type)
	b.later(2 * time.Minute)
	assert.Equal(t, "requires_capture", b.get(id).State, "nothing was done")
	assert.False(t, b.ask("POST", "/v1/payment_intents/"+id+"/capture", "k1", "").Replayed, "nor remembered")

	out("seconds=120")
	require.Equal(t, http.StatusOK, out("seconds=0").Status)
	assert.Equal(t, http.StatusOK, b.get(id).Status)
	for _, bad := range []string{"", "seconds=-1", "seconds=3601", "minutes=1"} {
		assert.Equal(t, http.StatusBadRequest, out(bad).Status, bad)
	}
}
