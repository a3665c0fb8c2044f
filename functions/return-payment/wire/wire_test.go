package wire_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/return-payment/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/payment/provider"
	"backroom/shared/saga"
)

const (
	name = "return-payment"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

// paying builds the step with a sandbox as its payment provider.
func paying(sandbox *paymenttest.Sandbox) function.Builder {
	return func(rt function.Runtime, environ map[string]string) (lambda.Handler, error) {
		environ["PAYMENTS_URL"] = sandbox.URL
		return function.Consuming(saga.ReturnPayment, wire.New)(rt, environ)
	}
}

var total = money.Money{Amount: 7900, Currency: "EUR"}

// held is a cloud with the order's charge, and the provider, which has authorized it.
func held(t *testing.T) (*cloudtest.Cloud, *paymenttest.Sandbox) {
	t.Helper()
	c := cloudtest.New(t)
	sandbox := paymenttest.StartSandbox(t, c)
	sandbox.Authorized(t, c, id, total, "pm_card_visa")
	return c, sandbox
}

func TestReturnPayment_VoidsAnAuthorization(t *testing.T) {
	t.Parallel()
	c, sandbox := held(t)

	assert.Empty(t, c.Deliver(paying(sandbox), name, "return-payment.json"))

	row := paymenttest.Charge(t, c, id)
	assert.JSONEq(t, `{
		"pk": "main#`+id+`#1", "version": 4, "nonce": "`+row.History.Nonce+`", "publishes": 1,
		"history": [
			{"v": 1, "fact": "PaymentIntended", "at": 1772366400000, "cause": "reserved", "actor": "authorize-payment"},
			{"v": 2, "fact": "PaymentAuthorized", "at": 1772366400000, "cause": "reserved", "actor": "authorize-payment"},
			{"v": 3, "fact": "PaymentReturning", "at": 1772366400000, "cause": "orders:main#`+id+
		`@2.0~nonce001", "actor": "return-payment"},
			{"v": 4, "fact": "PaymentReturned", "at": 1772366400000, "cause": "orders:main#`+id+
		`@2.0~nonce001", "actor": "return-payment"}
		],
		"order": "`+id+`", "shop": "main", "attempt": 1, "desired": "return", "observed": "canceled",
		"total": 7900, "currency": "EUR", "intent": "`+row.Intent+`"
	}`, c.Row("Charges", "main#"+id+"#1"))

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(paying(sandbox), name, "return-payment.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestReturnPayment_UnpaidOrderCannotBePaidLater(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	unreachable := &paymenttest.Sandbox{URL: "http://127.0.0.1:1"}

	assert.Empty(t, c.Deliver(paying(unreachable), name, "return-payment.never-paid.json"))

	const id = "ord_7wq5z2c3d4f6g7h2j3k4m5n6p7q2r3s4"
	assert.JSONEq(t, `{
		"pk": "main#`+id+`#1", "version": 1, "nonce": "nonce001", "publishes": 1,
		"history": [{"v": 1, "fact": "PaymentReturned", "at": 1772366400000, "cause": "orders:main#`+id+
		`@3.0~nonce001", "actor": "return-payment"}],
		"order": "`+id+`", "shop": "main", "attempt": 1, "desired": "return", "observed": "nothing"
	}`, c.Row("Charges", "main#"+id+"#1"))

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(paying(unreachable), name, "return-payment.never-paid.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestReturnPayment_WriteOffVoidsAndPreventsCapture(t *testing.T) {
	t.Parallel()
	c, sandbox := held(t)

	assert.Empty(t, c.Deliver(paying(sandbox), name, "return-payment.written-off.json"))

	row := paymenttest.Charge(t, c, id)
	assert.Equal(t, []any{payment.DesiredAbandon, payment.Lapsed}, []any{row.Desired, row.Observed})

	t.Run("neither the same message again nor an older one changes anything", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(paying(sandbox), name, "return-payment.written-off.json"))
		assert.Empty(t, c.Deliver(paying(sandbox), name, "return-payment.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestReturnPayment_RefundsNoMoreThanWasCaptured(t *testing.T) {
	t.Parallel()
	c, sandbox := held(t)
	capture := payment.CaptureStep{Reconciler: payment.Reconciler{
		Charges:  paymentdb.Store{Table: c.Runtime().Table(c.Table("Charges"))},
		Provider: provider.New(sandbox.URL, paymenttest.Key(), nil, nil),
	}}
	require.NoError(t,
		capture.Handle(t.Context(), paymenttest.About(t, saga.CapturePayment, saga.OrderConfirmed, "confirmed", id)))

	assert.Empty(t, c.Deliver(paying(sandbox), name, "return-payment.refund.json"))

	row := paymenttest.Charge(t, c, id)
	assert.Equal(t, []saga.Refund{
		{ID: "rfd_1", Amount: 1250, Try: 1, Status: saga.RefundStatusSucceeded},
		{ID: "rfd_2", Amount: 7900, Try: 1, Status: saga.RefundStatusRefused},
	}, row.Refunds)
	assert.Regexp(t, "^re_", row.RefundIDs["rfd_1"])
	assert.Equal(t, 5, row.History.Version, "one write stores both, one publishes both")

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(paying(sandbox), name, "return-payment.refund.json"))
		assert.Equal(t, before, c.State())
	})
}
