package wire_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/assert"

	"backroom/functions/authorize-payment/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/saga"
)

const name = "authorize-payment"

// paying builds the step with a sandbox as its payment provider.
func paying(sandbox *paymenttest.Sandbox) function.Builder {
	return func(rt function.Runtime, environ map[string]string) (lambda.Handler, error) {
		environ["PAYMENTS_URL"] = sandbox.URL
		return function.Consuming(saga.AuthorizePayment, wire.New)(rt, environ)
	}
}

func TestAuthorizePayment_Authorizes(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	sandbox := paymenttest.StartSandbox(t, c)

	assert.Empty(t, c.Deliver(paying(sandbox), name, "authorize-payment.json"))

	const id = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
	assert.Len(t, c.Rows("Charges"), 1)
	row := paymenttest.Charge(t, c, id)
	assert.JSONEq(t, `{
		"pk": "main#`+id+`#1", "version": 2, "nonce": "nonce001", "publishes": 1,
		"history": [
			{"v": 1, "fact": "PaymentIntended", "at": 1772366400000, "cause": "reservations:main#`+id+
		`@1.0~nonce002", "actor": "authorize-payment"},
			{"v": 2, "fact": "PaymentAuthorized", "at": 1772366400000, "cause": "reservations:main#`+id+
		`@1.0~nonce002", "actor": "authorize-payment"}
		],
		"order": "`+id+`", "shop": "main", "attempt": 1, "desired": "capture", "observed": "authorized",
		"total": 7900, "currency": "EUR", "intent": "`+row.Intent+`"
	}`, c.Row("Charges", "main#"+id+"#1"))
	assert.Regexp(t, "^pi_", row.Intent)
	assert.Equal(t, 1, sandbox.Authorizations(t, id))

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(paying(sandbox), name, "authorize-payment.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestAuthorizePayment_RecordsADecline(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	sandbox := paymenttest.StartSandbox(t, c)

	assert.Empty(t, c.Deliver(paying(sandbox), name, "authorize-payment.declined.json"))

	const id = "ord_7wq5z2c3d4f6g7h2j3k4m5n6p7q2r3s4"
	assert.JSONEq(t, `{
		"pk": "main#`+id+`#1", "version": 2, "nonce": "nonce001", "publishes": 1,
		"history": [
			{"v": 1, "fact": "PaymentIntended", "at": 1772366400000, "cause": "reservations:main#`+id+
		`@1.0~nonce005", "actor": "authorize-payment"},
			{"v": 2, "fact": "PaymentDeclined", "at": 1772366400000, "cause": "reservations:main#`+id+
		`@1.0~nonce005", "actor": "authorize-payment"}
		],
		"order": "`+id+
		`", "shop": "main", "attempt": 1, "desired": "capture", "observed": "declined", "reason": "card-declined", "decline_code": "insufficient_funds",
		"total": 1999, "currency": "EUR", "intent": "`+paymenttest.Charge(t, c, id).Intent+`"
	}`, c.Row("Charges", "main#"+id+"#1"))
	assert.Equal(t, 0, sandbox.Authorizations(t, id))
	assert.NotContains(t, c.Log.String(), "pm_card", "no token is logged")
}

func TestAuthorizePayment_RetriesAnUnavailableProvider(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	unreachable := &paymenttest.Sandbox{URL: "http://127.0.0.1:1"}

	assert.Equal(t, []string{"059f36b4-87a3-44ab-83d2-000000000011"},
		c.Deliver(paying(unreachable), name, "authorize-payment.json"))

	assert.Empty(t, c.Rows("Charges"))
	assert.Contains(t, c.Log.String(), "payment-provider-unavailable")
}
