package wire_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/receive-payment-event/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/sandbox"
)

const (
	name = "receive-payment-event"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

// called builds the function with a payment provider at a URL.
func called(url string) function.Builder {
	return func(rt function.Runtime, environ map[string]string) (lambda.Handler, error) {
		environ["PAYMENTS_URL"] = url
		return function.Serving(wire.New)(rt, environ)
	}
}

// start returns a cloud and the provider's URL. The order's payment is recorded as under way, but
// its money is held by now.
func start(t *testing.T) (*cloudtest.Cloud, string) {
	t.Helper()
	c := cloudtest.New(t)
	provider := paymenttest.StartSandbox(t, c)
	for intent, order := range map[string]string{"pi_1sample": id, "pi_2sample": "ord_unknown"} {
		held := sandbox.Intent{
			ID: intent, Status: sandbox.RequiresCapture, Amount: 7900, Currency: "eur", CaptureMethod: sandbox.Manual,
			Authorized: provider.Now(), Metadata: map[string]string{"shop": "main", "order": order, "attempt": "1"},
		}
		require.NoError(t, provider.Ledger.Keep(t.Context(), sandbox.Change{Intent: &held}, provider.Now()))
	}
	c.Put("Charges", `{
		"pk": "main#`+id+`#1", "version": 2, "nonce": "nonce", "history": [], "order": "`+id+
		`", "shop": "main", "attempt": 1, "desired": "capture",
		"observed": "action_needed", "total": 7900, "currency": "EUR", "intent": "pi_1sample", "client_secret": "pi_1sample_secret"
	}`)
	return c, provider.URL
}

// share stores the provider's signing secret beside its key.
func share(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	arn := c.Environment(name)["PAYMENTS_SECRET_ARN"]
	_, err := secretsmanager.NewFromConfig(c.Runtime().AWS).PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId:     &arn,
		SecretString: aws.String(`{"api_key":"` + cloudtest.SampleSecret + `","webhook_secret":"whsec_sample"}`),
	})
	require.NoError(t, err)
}

func TestReceivePaymentEvent_RecordsThePayment(t *testing.T) {
	t.Parallel()
	c, url := start(t)
	share(t, c)

	assert.Equal(t, 200, c.Request(called(url), name, "receive-payment-event.json").Status)

	assert.JSONEq(t, `{
		"pk": "main#`+id+`#1", "version": 3, "nonce": "nonce", "publishes": 1,
		"history": [{"v": 3, "fact": "PaymentAuthorized", "at": 1772366400000, "cause": "evt_1sample", "actor": "receive-payment-event"}],
		"order": "`+id+
		`", "shop": "main", "attempt": 1, "desired": "capture", "observed": "authorized", "total": 7900, "currency": "EUR", "intent": "pi_1sample"
	}`, c.Row("Charges", "main#"+id+"#1"))

	t.Run("the same event again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Equal(t, 200, c.Request(called(url), name, "receive-payment-event.json").Status)
		assert.Equal(t, before, c.State())
	})

	t.Run("a callback about an unknown payment writes nothing", func(t *testing.T) {
		before := c.State()
		assert.Equal(t, 200, c.Request(called(url), name, "receive-payment-event.unknown-order.json").Status)
		assert.Equal(t, before, c.State())
		assert.Contains(t, c.Log.String(), `"CallbackUnknown":[1]`)
		assert.Contains(t, c.Log.String(), `"level":"WARN"`)
	})

	t.Run("a callback with another signature is refused", func(t *testing.T) {
		before := c.State()
		answer := c.Request(called(url), name, "receive-payment-event.forged.json")
		assert.Equal(t, 400, answer.Status)
		assert.Equal(t, "callback-not-signed", answer.Slug())
		assert.Equal(t, before, c.State())
	})

	t.Run("an event that is too old is refused", func(t *testing.T) {
		c.Clock.Pass(6 * time.Minute)
		assert.Equal(t, "callback-not-signed", c.Request(called(url), name, "receive-payment-event.json").Slug())
	})
	assert.NotContains(t, c.Log.String(), "whsec_")
}

func TestReceivePaymentEvent_MissingSecretIsRetried(t *testing.T) {
	t.Parallel()
	c, url := start(t)
	answer := c.Request(called(url), name, "receive-payment-event.json")
	assert.Equal(t, 503, answer.Status)
	assert.Equal(t, "callback-secret-missing", answer.Slug())
	assert.NotEmpty(t, answer.Header.Get("Retry-After"))
}

func TestReceivePaymentEvent_UnreachableProviderIsRetried(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	share(t, c)
	before := c.State()
	answer := c.Request(called("http://127.0.0.1:1"), name, "receive-payment-event.json")
	assert.Equal(t, 503, answer.Status)
	assert.Equal(t, "payment-provider-unavailable", answer.Slug())
	assert.Equal(t, before, c.State())
}
