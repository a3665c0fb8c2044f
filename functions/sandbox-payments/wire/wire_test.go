package wire_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/sandbox-payments/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const (
	name  = "sandbox-payments"
	order = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

var build = function.Serving(wire.New)

func TestSandboxPayments_CreatesAnIntent(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)

	a := c.Request(build, name, "sandbox-payments.json")

	require.Equal(t, http.StatusOK, a.Status, a.Body)
	assert.JSONEq(t, `{
		"id": "pi_nonce001nonce002nonce003", "object": "payment_intent", "status": "requires_confirmation",
		"amount": 7900, "amount_capturable": 0, "amount_received": 0, "currency": "eur", "capture_method": "manual", "confirmation_method": "manual",
		"created": 1772366400, "last_payment_error": null, "livemode": false, "metadata": {"attempt": "1", "order": "`+order+`", "shop": "main"},
		"payment_method": "pm_card_visa", "payment_method_types": ["card"], "canceled_at": null, "cancellation_reason": null,
		"client_secret": "pi_nonce001nonce002nonce003_secret_nonce004nonce005nonce006", "latest_charge": null, "next_action": null,
		"sandbox_authorizations": 0, "sandbox_captures": 0, "sandbox_refunded": 0, "sandbox_disputed": 0
	}`, a.Body)
	assert.JSONEq(t, `{
		"pk": "intent#pi_nonce001nonce002nonce003", "version": 1, "id": "pi_nonce001nonce002nonce003", "status": "requires_confirmation",
		"amount": 7900, "currency": "eur", "capture_method": "manual", "confirmation_method": "manual", "payment_method": "pm_card_visa",
		"metadata": {"attempt": "1", "order": "`+order+`", "shop": "main"}, "created": 1772366400000,
		"client_secret": "pi_nonce001nonce002nonce003_secret_nonce004nonce005nonce006", "amount_received": 0,
		"sandbox_authorizations": 0, "sandbox_captures": 0, "sandbox_refunded": 0
	}`, c.Row("Sandbox", "intent#pi_nonce001nonce002nonce003"))

	t.Run("the same key returns the same intent", func(t *testing.T) {
		before := c.State()
		again := c.Request(build, name, "sandbox-payments.json")
		assert.Equal(t, a.Body, again.Body)
		assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
		assert.Equal(t, before, c.State())
	})
}

func TestSandboxPayments_DeclineIsAnErrorWithTheIntent(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)

	a := c.Request(build, name, "sandbox-payments.declined.json")

	require.Equal(t, http.StatusPaymentRequired, a.Status, a.Body)
	var body struct {
		Error struct {
			Type          string
			Code          string
			PaymentIntent struct{ Status string } `json:"payment_intent"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &body))
	assert.Equal(t, []string{"card_error", "card_declined", "requires_payment_method"},
		[]string{body.Error.Type, body.Error.Code, body.Error.PaymentIntent.Status})
	assert.Contains(t, c.Row("Sandbox", "intent#pi_nonce001nonce002nonce003"), `"sandbox_authorizations": 0`)
}

func TestSandboxPayments_RequiresTheKey(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)

	a := c.Request(build, name, "sandbox-payments.wrong-key.json")

	assert.Equal(t, http.StatusUnauthorized, a.Status, a.Body)
	assert.Empty(t, c.Rows("Sandbox"))
	assert.NotContains(t, c.Log.String(), "sk_of_somebody_else")
}
