package wire_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/assert"

	"backroom/functions/capture-payment/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/saga"
)

const name = "capture-payment"

// paying builds the step with a sandbox as its payment provider.
func paying(sandbox *paymenttest.Sandbox) function.Builder {
	return func(rt function.Runtime, environ map[string]string) (lambda.Handler, error) {
		environ["PAYMENTS_URL"] = sandbox.URL
		return function.Consuming(saga.CapturePayment, wire.New)(rt, environ)
	}
}

var total = money.Money{Amount: 7900, Currency: "EUR"}

func TestCapturePayment_Captures(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	sandbox := paymenttest.StartSandbox(t, c)
	const id = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
	sandbox.Authorized(t, c, id, total, "pm_card_visa")

	assert.Empty(t, c.Deliver(paying(sandbox), name, "capture-payment.json"))

	row := paymenttest.Charge(t, c, id)
	assert.JSONEq(t, `{
		"pk": "main#`+id+`#1", "version": 3, "nonce": "`+row.History.Nonce+`", "publishes": 1,
		"history": [
			{"v": 1, "fact": "PaymentIntended", "at": 1772366400000, "cause": "reserved", "actor": "authorize-payment"},
			{"v": 2, "fact": "PaymentAuthorized", "at": 1772366400000, "cause": "reserved", "actor": "authorize-payment"},
			{"v": 3, "fact": "PaymentCaptured", "at": 1772366400000, "cause": "orders:main#`+id+
		`@2.0~nonce001", "actor": "capture-payment"}
		],
		"order": "`+id+`", "shop": "main", "attempt": 1, "desired": "capture", "observed": "captured",
		"total": 7900, "currency": "EUR", "intent": "`+row.Intent+`"
	}`, c.Row("Charges", "main#"+id+"#1"))

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(paying(sandbox), name, "capture-payment.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestCapturePayment_RecordsALapsedAuthorization(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	sandbox := paymenttest.StartSandbox(t, c)
	const id = "ord_7wq5z2c3d4f6g7h2j3k4m5n6p7q2r3s4"
	sandbox.Authorized(t, c, id, total, "pm_card_captureLapsed")

	assert.Empty(t, c.Deliver(paying(sandbox), name, "capture-payment.lapsed.json"))

	row := paymenttest.Charge(t, c, id)
	assert.Equal(t, payment.Lapsed, row.Observed)
	assert.Equal(t, payment.PaymentCanceled, row.Reason)
	assert.Equal(t, saga.CaptureFailed, row.History.Entries[2].Fact)

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(paying(sandbox), name, "capture-payment.lapsed.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestCapturePayment_OrderWithoutAChargeIsAnError(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	assert.Len(t, c.Deliver(paying(paymenttest.StartSandbox(t, c)), name, "capture-payment.json"), 1,
		"the message goes to the dead-letter queue")
	assert.Empty(t, c.Rows("Charges"))
}
