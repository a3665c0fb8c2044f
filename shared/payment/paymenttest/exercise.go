package paymenttest

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

// Exercise checks that a store of charges keeps the promises of payment.Charges.
func Exercise(t *testing.T, charges payment.Charges) {
	ctx := context.Background()
	newCharge := func() payment.Charge {
		c := payment.New(saga.Payable{
			Order: "ord_" + rand.Text(), Shop: Shop, Total: 1250, Currency: "EUR", PaymentMethod: "pm_card_visa",
		})
		c.Intent = "pi_1"
		return c
	}
	first, second := saga.Cause{ID: "event-1", Actor: "test"}, saga.Cause{ID: "event-2", Actor: "test"}
	third := saga.Cause{ID: "event-3", Actor: "test"}

	t.Run("a charge is read as it was stored, without the payment method", func(t *testing.T) {
		t.Parallel()
		c := newCharge()
		created, err := charges.Create(ctx, c, first, saga.PaymentIntended)
		require.NoError(t, err)
		loaded, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Empty(t, loaded.PaymentMethod)
		created.PaymentMethod = ""
		assert.Equal(t, created, loaded, "what Create returns can be saved as if it had been read")

		loaded.Desired, loaded.Observed = payment.DesiredReturn, payment.Captured
		loaded.Reason, loaded.DeclineCode = payment.CardDeclined, "insufficient_funds"
		loaded.ClientSecret = "pi_1_secret_1"
		loaded.Refunds = []saga.Refund{
			{ID: "r1", Amount: 100, Try: 2, Status: saga.RefundStatusSucceeded},
			{ID: "r2", Amount: 50, Try: 1, Status: saga.RefundStatusPending},
		}
		loaded.RefundIDs = map[string]string{"r1": "re_1", "r2": "re_2"}
		loaded.External = &saga.External{Refunded: 400, Disputed: 30, Uncaptured: 2}
		loaded.ExternalRefunds = []payment.ExternalRefund{{ID: "re_3", Amount: 400, Status: saga.RefundStatusPending}}
		loaded.Disputes = []payment.Dispute{{ID: "dp_1", Amount: 30, Status: payment.DisputeOpen}}
		saved, err := charges.Save(ctx, loaded, second, saga.PaymentRefunded, saga.RefundStarted)
		require.NoError(t, err)
		again, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Equal(t, saved, again, "what Save returns can be saved as if it had been read")
		assert.Equal(t, 2, again.History.Version)
		assert.Len(t, again.History.Entries, 3)
		assert.True(t, again.History.Handled(first) && again.History.Handled(second))
		again.History, loaded.History = saga.History{}, saga.History{}
		assert.Equal(t, loaded, again)
	})

	t.Run("the largest amount of another currency is kept", func(t *testing.T) {
		t.Parallel()
		c := newCharge()
		c.Amount = money.Money{Amount: money.Max, Currency: "JPY"}
		_, err := charges.Create(ctx, c, first, saga.PaymentIntended)
		require.NoError(t, err)
		loaded, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Equal(t, c.Amount, loaded.Amount)
	})

	t.Run("a tombstone is read back without an amount", func(t *testing.T) {
		t.Parallel()
		c := payment.Tombstone(Shop, "ord_"+rand.Text())
		created, err := charges.Create(ctx, c, first, saga.PaymentReturned)
		require.NoError(t, err)
		loaded, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Equal(t, created, loaded)
	})

	t.Run("creating an existing charge returns the existing one", func(t *testing.T) {
		t.Parallel()
		c := newCharge()
		created, err := charges.Create(ctx, c, first, saga.PaymentIntended)
		require.NoError(t, err)
		other := c
		other.Intent = "pi_2"
		existing, err := charges.Create(ctx, other, second, saga.PaymentIntended)
		require.ErrorIs(t, err, fault.Duplicate)
		created.PaymentMethod = ""
		assert.Equal(t, created, existing)
	})

	t.Run("a charge that changed since it was loaded is not saved", func(t *testing.T) {
		t.Parallel()
		c := newCharge()
		stale, err := charges.Create(ctx, c, first, saga.PaymentIntended)
		require.NoError(t, err)
		fresh := stale
		fresh.Observed = payment.Uncertain
		_, err = charges.Save(ctx, fresh, second, saga.PaymentUncertain)
		require.NoError(t, err)

		stale.Observed = payment.Authorized
		_, err = charges.Save(ctx, stale, third, saga.PaymentAuthorized)
		require.ErrorIs(t, err, fault.Conflict)
		_, err = charges.Save(ctx, stale, first, saga.PaymentAuthorized)
		require.ErrorIs(t, err, fault.Conflict, "even for the cause that created it")
		loaded, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Equal(t, payment.Uncertain, loaded.Observed)
	})

	t.Run("a missing charge is not found", func(t *testing.T) {
		t.Parallel()
		_, err := charges.Load(ctx, Shop, "ord_"+rand.Text())
		require.ErrorIs(t, err, fault.NotFound)
	})
}
