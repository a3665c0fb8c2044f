package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"

	"backroom/localstack/cloudtest"
	"backroom/localstack/cloudtest/loopback"
)

// peer is a server with Stripe's API: the sandbox, or stripe-mock, which is made from Stripe's
// OpenAPI document and refuses what that does not contain.
type peer struct {
	name, url, key string
	way            http.RoundTripper
}

func peers(t *testing.T, b bench) []peer {
	t.Helper()
	spec, err := server.LoadSpec(embedded.OpenAPISpec, "")
	require.NoError(t, err)
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	require.NoError(t, err)
	stub, err := server.NewStubServer(fixtures, spec, false, false)
	require.NoError(t, err)
	mock := httptest.NewServer(http.HandlerFunc(stub.HandleRequest))
	t.Cleanup(mock.Close)
	return []peer{{"stripe-mock", mock.URL, "sk_test_123", http.DefaultTransport},
		{"the sandbox", loopback.URL, cloudtest.SampleSecret, b.way}}
}

// ask sends a request and returns the status and the document.
func (p peer) ask(t *testing.T, method, path, form string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(form))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+p.key)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := p.way.RoundTrip(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var document map[string]any
	require.NoError(t, json.Unmarshal(body, &document), "%s: %s", p.name, body)
	return answer.StatusCode, document
}

// read are the members that our client reads, by object, with their types. A type with a question
// mark may be null.
var read = map[string]map[string]string{
	"payment_intent": {"id": "string", "status": "string", "client_secret": "string", "last_payment_error": "object?",
		"metadata": "object"},
	"refund": {"id": "string", "status": "string", "amount": "number", "metadata": "object",
		"payment_intent": "string?"},
	"dispute": {"id": "string", "status": "string", "amount": "number", "currency": "string",
		"payment_intent": "string?"},
	"list":             {"data": "array", "has_more": "bool"},
	"webhook_endpoint": {"id": "string", "url": "string", "enabled_events": "array", "status": "string"},
	"event":            {"id": "string", "type": "string", "data": "object", "created": "number"},
}

func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	case []any:
		return "array"
	}
	return "object"
}

// shaped requires that a document has the members that our client reads.
func shaped(t *testing.T, whose string, document map[string]any) {
	t.Helper()
	object, _ := document["object"].(string)
	require.Contains(t, read, object, "%s: %v", whose, document)
	for member, wanted := range read[object] {
		value, there := document[member]
		base, nullable := strings.CutSuffix(wanted, "?")
		if assert.True(t, there, "%s: a %s has no %s", whose, object, member) && !(nullable && value == nil) {
			assert.Equal(t, base, kind(value), "%s: %s of a %s", whose, member, object)
		}
	}
}

// optional are members that Stripe has only in some cases. stripe-mock's examples lack them.
var optional = map[string]bool{"webhook_endpoint.secret": true, "refund.failure_reason": true,
	"webhook_endpoint.deleted": true}

// imitates requires that each member of the sandbox's document is in Stripe's, with the same type.
func imitates(t *testing.T, stripes, ours map[string]any) {
	t.Helper()
	object := fmt.Sprint(ours["object"])
	assert.Equal(t, stripes["object"], ours["object"])
	for member, value := range ours {
		if strings.HasPrefix(member, "sandbox_") || optional[object+"."+member] {
			continue
		}
		theirs, there := stripes[member]
		assert.True(t, there, "Stripe's %s has no %s", object, member)
		if value != nil && theirs != nil {
			assert.Equal(t, kind(theirs), kind(value), "%s of a %s", member, object)
		}
	}
}

func TestSandbox_ImitatesStripe(t *testing.T) {
	t.Parallel()
	b := start(t)
	both := peers(t, b)

	// made has the last created id by peer and object. It replaces "{intent}", "{refund}" and
	// "{endpoint}".
	made := map[string]map[string]string{both[0].name: {}, both[1].name: {}}
	ask := func(t *testing.T, method, path, form string) (stripes, ours map[string]any) {
		t.Helper()
		var documents []map[string]any
		for _, p := range both {
			fill := strings.NewReplacer("{intent}", made[p.name]["payment_intent"], "{refund}", made[p.name]["refund"],
				"{dispute}", made[p.name]["dispute"],
				"{endpoint}", made[p.name]["webhook_endpoint"])
			status, document := p.ask(t, method, fill.Replace(path), fill.Replace(form))
			require.Equal(t, http.StatusOK, status, "%s: %v", p.name, document)
			if id, ok := document["id"].(string); ok {
				made[p.name][fmt.Sprint(document["object"])] = id
			}
			documents = append(documents, document)
		}
		return documents[0], documents[1]
	}
	const create = "amount=1250&currency=eur&capture_method=manual&payment_method=pm_card_visa&payment_method_types[0]=card" +
		"&metadata[order]=ord_1&metadata[shop]=main&metadata[attempt]=1"
	for _, c := range []struct{ name, method, path, form string }{
		{"an intent is created", "POST", "/v1/payment_intents", create},
		{"an intent is retrieved", "GET", "/v1/payment_intents/{intent}", ""},
		{"an intent is confirmed", "POST", "/v1/payment_intents/{intent}/confirm", ""},
		{"an intent is captured", "POST", "/v1/payment_intents/{intent}/capture", "amount_to_capture=1000"},
		{"a refund is created", "POST", "/v1/refunds",
			"payment_intent={intent}&amount=400&reason=requested_by_customer&metadata[refund]=r1&metadata[try]=1"},
		{"a refund is retrieved", "GET", "/v1/refunds/{refund}", ""},
		{"a dispute is retrieved", "GET", "/v1/disputes/{dispute}", ""},
		{"evidence is sent", "POST", "/v1/disputes/{dispute}", "evidence[uncategorized_text]=no&submit=false"},
		{"a dispute is closed", "POST", "/v1/disputes/{dispute}/close", ""},
		{"an intent is created to be canceled", "POST", "/v1/payment_intents", create},
		{"an intent is canceled", "POST", "/v1/payment_intents/{intent}/cancel", "cancellation_reason=abandoned"},
		{"an intent is created with manual confirmation", "POST", "/v1/payment_intents", create +
			"&confirmation_method=manual"},
		{"an intent is confirmed with another method", "POST", "/v1/payment_intents/{intent}/confirm",
			"payment_method=pm_card_authenticationRequired"},
		{"an endpoint is registered", "POST", "/v1/webhook_endpoints",
			"url=https://shop.example/events&enabled_events[0]=payment_intent.succeeded&enabled_events[1]=refund.failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "a dispute is retrieved" { // Stripe has no request that opens one
				intent := made["the sandbox"]["payment_intent"]
				require.Equal(t, http.StatusOK,
					b.post("/v1/payment_intents/"+intent+"/sandbox_dispute", "amount=100").Status)
				made["the sandbox"]["dispute"], made["stripe-mock"]["dispute"] = disputeOf(intent), "dp_1"
			}
			stripes, ours := ask(t, c.method, c.path, c.form)
			shaped(t, "stripe-mock", stripes)
			shaped(t, "the sandbox", ours)
			imitates(t, stripes, ours)
		})
	}

	for name, path := range map[string]string{
		"refunds are listed":   "/v1/refunds?payment_intent={intent}&limit=100",
		"disputes are listed":  "/v1/disputes?payment_intent={intent}&limit=100",
		"endpoints are listed": "/v1/webhook_endpoints?limit=100",
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(path, "refunds") {
				made["the sandbox"]["payment_intent"] = b.paid("pm_card_visa")
				require.Equal(t, http.StatusOK, b.refund(made["the sandbox"]["payment_intent"], "").Status)
			}
			if strings.Contains(path, "disputes") {
				made["the sandbox"]["payment_intent"] = b.paid("pm_card_createDispute")
			}
			stripes, ours := ask(t, "GET", path, "")
			imitates(t, stripes, ours)
			for whose, page := range map[string]map[string]any{"stripe-mock": stripes, "the sandbox": ours} {
				shaped(t, whose, page)
				for _, element := range page["data"].([]any) {
					shaped(t, whose, element.(map[string]any))
				}
			}
			imitates(t, stripes["data"].([]any)[0].(map[string]any), ours["data"].([]any)[0].(map[string]any))
		})
	}

	t.Run("an endpoint is removed", func(t *testing.T) {
		stripes, ours := ask(t, "DELETE", "/v1/webhook_endpoints/{endpoint}", "")
		assert.Equal(t, []any{true, true}, []any{stripes["deleted"], ours["deleted"]})
	})

	t.Run("an event", func(t *testing.T) {
		shop := b.listen()
		b.paid("pm_card_callbackEarly")
		_, stripes := both[0].ask(t, "GET", "/v1/events/evt_1", "")
		var ours map[string]any
		require.NoError(t, json.Unmarshal([]byte(shop.bodies[0]), &ours))
		shaped(t, "stripe-mock", stripes)
		shaped(t, "the sandbox", ours)
		imitates(t, stripes, ours)
	})

	t.Run("an unknown parameter, a missing one and a wrong key are refused in the same form", func(t *testing.T) {
		for _, p := range both {
			for _, form := range []string{create + "&zest=1", "currency=eur"} {
				status, document := p.ask(t, "POST", "/v1/payment_intents", form)
				assert.Equal(t, http.StatusBadRequest, status, p.name)
				refusal, _ := document["error"].(map[string]any)
				assert.Equal(t, "invalid_request_error", refusal["type"], p.name)
				assert.Equal(t, "string", kind(refusal["message"]), p.name)
			}
			p.key = ""
			status, document := p.ask(t, "GET", "/v1/payment_intents/pi_1", "")
			assert.Equal(t, http.StatusUnauthorized, status, p.name)
			assert.Equal(t, "object", kind(document["error"]), p.name)
		}
	})
}
