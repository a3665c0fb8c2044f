package wire_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/sandbox-callbacks/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const (
	name   = "sandbox-callbacks"
	intent = "intent#pi_nonce001nonce002nonce003"
)

var build = function.Working(wire.New)

// shop is an endpoint that answers with a status. It is registered at the sandbox for every event.
func shop(t *testing.T, c *cloudtest.Cloud, status int) *[]string {
	t.Helper()
	var heard []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard = append(heard, r.URL.Path+" "+r.Header.Get("Stripe-Signature")+" "+string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	c.Put("Sandbox", `{
		"pk": "setup", "version": 1,
		"endpoints": [{"id": "we_nonce010nonce011nonce012", "url": "`+server.URL+
		`/events", "events": ["*"], "secret": "whsec_sample", "created": 1772366400000}]
	}`)
	return &heard
}

func TestSandboxCallbacks_SendsAnEvent(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	heard := shop(t, c, http.StatusOK)

	assert.Empty(t, c.Deliver(build, name, "sandbox-callbacks.json"))

	require.Len(t, *heard, 1)
	assert.Regexp(t, `^/events t=1772366400,v1=[0-9a-f]{64} \{"id":"evt_nonce007nonce008nonce009",`, (*heard)[0])
	assert.NotContains(t, c.Log.String(), "whsec_sample")

	t.Run("again if the message is delivered again, which changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "sandbox-callbacks.json"))
		assert.Equal(t, before, c.State())
		assert.Equal(t, (*heard)[0], (*heard)[1], "the same event")
	})
}

func TestSandboxCallbacks_RetriesARefusedEvent(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	heard := shop(t, c, http.StatusServiceUnavailable)
	assert.Len(t, c.Deliver(build, name, "sandbox-callbacks.json"), 1)
	assert.Len(t, c.Deliver(build, name, "sandbox-callbacks.json"), 1)
	assert.Len(t, *heard, 2)
}

func TestSandboxCallbacks_StoresAndSendsADueChange(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	shop(t, c, http.StatusOK)
	c.Put("Sandbox", `{
		"pk": "`+intent+
		`", "version": 2, "id": "pi_nonce001nonce002nonce003", "status": "processing", "amount": 7900, "currency": "eur",
		"capture_method": "manual", "confirmation_method": "manual", "payment_method": "pm_sandbox_processing_4000", "client_secret": "s",
		"metadata": {}, "created": 1772366390000, "settles": 1772366394000,
		"sandbox_authorizations": 0, "amount_received": 0, "sandbox_captures": 0, "sandbox_refunded": 0
	}`)

	assert.Empty(t, c.Deliver(build, name, "sandbox-callbacks.settled.json"))

	assert.JSONEq(t, `{
		"pk": "`+intent+
		`", "version": 3, "id": "pi_nonce001nonce002nonce003", "status": "requires_capture", "amount": 7900, "currency": "eur",
		"capture_method": "manual", "confirmation_method": "manual", "payment_method": "pm_sandbox_processing_4000", "client_secret": "s",
		"metadata": {}, "created": 1772366390000, "settles": 1772366394000, "authorized": 1772366394000,
		"sandbox_authorizations": 1, "amount_received": 0, "sandbox_captures": 0, "sandbox_refunded": 0
	}`, c.Row("Sandbox", intent))
	tasks := c.Drain("SandboxCallbacksQueue")
	require.Len(t, tasks, 1)
	assert.Contains(t, tasks[0], `"type":"payment_intent.amount_capturable_updated"`)

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "sandbox-callbacks.settled.json"))
		assert.Equal(t, before, c.State())
		assert.Empty(t, c.Drain("SandboxCallbacksQueue"))
	})
}

func TestSandboxCallbacks_PoisonMessageFailsAlone(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	heard := shop(t, c, http.StatusOK)
	poison := []string{"3b8e2d10-5c41-4f7a-9d20-000000000003"}
	assert.Equal(t, poison, c.Deliver(build, name, "sandbox-callbacks.poison.json"))
	assert.Len(t, *heard, 1, "its batch mate's")
	assert.Equal(t, poison, c.Deliver(build, name, "sandbox-callbacks.poison.json"))
}
