package paymentdb_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/record"
	"backroom/shared/saga"
)

func open(cloud *cloudtest.Cloud) paymentdb.Store {
	return paymentdb.Store{Table: cloud.Runtime().Table(cloud.Table("Charges"))}
}

func TestStore_KeepsThePromisesOfCharges(t *testing.T) {
	t.Parallel()
	paymenttest.Exercise(t, open(cloudtest.New(t)))
}

func TestStore_PublishesWhatAFactCarries(t *testing.T) {
	t.Parallel()
	cause := saga.Cause{ID: "event-1", Actor: "test"}
	for name, c := range map[string]struct {
		charge    payment.Charge
		fact      saga.Fact
		published string
	}{
		"an intent is not published": {payment.Charge{Order: "ord_1", Observed: payment.Nothing, Intent: "pi_1"},
			saga.PaymentIntended, ""},
		"an authorized payment is published without details": {
			payment.Charge{Order: "ord_2", Observed: payment.Authorized, Intent: "pi_1"}, saga.PaymentAuthorized,
			`{"order":"ord_2","shop":"main"}`,
		},
		"a declined payment is published with its reason, without the provider's code": {
			payment.Charge{Order: "ord_3", Observed: payment.Declined, Reason: payment.CardDeclined,
				DeclineCode: "lost_card"}, saga.PaymentDeclined,
			`{"order":"ord_3","shop":"main","reason":"card-declined"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.charge.Shop, c.charge.Attempt, c.charge.PaymentMethod = paymenttest.Shop, payment.FirstAttempt,
				"pm_card_visa"
			cloud := cloudtest.New(t)
			_, err := open(cloud).Create(t.Context(), c.charge, cause, c.fact)
			require.NoError(t, err)
			key := paymentdb.Key(c.charge.Shop, c.charge.Order)
			assert.Equal(t, "main#"+c.charge.Order+"#1", key)
			assert.NotContains(t, cloud.Row("Charges", key), "pm_card_visa")
			published, err := record.Events(cloud.Record("Charges", key).Change.NewImage)
			require.NoError(t, err)
			if c.published == "" {
				assert.Empty(t, published)
				return
			}
			require.Len(t, published, 1)
			assert.JSONEq(t, c.published, string(published[0].Data))
		})
	}
}
