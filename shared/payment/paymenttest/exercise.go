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

// Exercise holds a store of charges to what payment.Charges promises.
func Exercise(t *testing.T, charges payment.Charges) {
	ctx := context.Background()
	anew := func() payment.Charge {
		c := payment.New(saga.Payable{Order: "ord_" + rand.Text(), Shop: Shop, Total: 1250, Currency: "EUR", PaymentMethod: "pm_card_visa"})
		c.Intent = "pi_1"
		return c
	}
	first, second, third := saga.Cause{ID: "event-1", Actor: "test"}, saga.Cause{ID: "event-2", Actor: "test"}, saga.Cause{ID: "event-3", Actor: "test"}

	t.Run("a charge is read as it was stored, but for the payment method", func(t *testing.T) {
		t.Parallel()
		c := anew()
		created, err := charges.Create(ctx, c, first, saga.PaymentIntended)
		require.NoError(t, err)
		loaded, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Empty(t, loaded.PaymentMethod)
		created.PaymentMethod = ""
		assert.Equal(t, created, loaded, "what Create returns can be saved as if it had been read")

		loaded.Desired, loaded.Observed, loaded.Reason, loaded.DeclineCode = payment.DesiredReturn, payment.Captured, payment.CardDeclined, "insufficient_funds"
		loaded.ClientSecret = "pi_1_secret_1"
		loaded.Refunds = []saga.Refund{{ID: "r1", Amount: 100, Try: 2, Status: saga.RefundStatusSucceeded}, {ID: "r2", Amount: 50, Try: 1, Status: saga.RefundStatusPending}}
		loaded.RefundIDs = map[string]string{"r1": "re_1", "r2": "re_2"}
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

	t.Run("a charge of another currency keeps it", func(t *testing.T) {
		t.Parallel()
		c := anew()
		c.Amount = money.Money{Amount: money.Max, Currency: "JPY"}
		_, err := charges.Create(ctx, c, first, saga.PaymentIntended)
		require.NoError(t, err)
		loaded, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Equal(t, c.Amount, loaded.Amount)
	})

	t.Run("a tombstone has no amount, and is read as one", func(t *testing.T) {
		t.Parallel()
		c := payment.Tombstone(Shop, "ord_"+rand.Text())
		created, err := charges.Create(ctx, c, first, saga.PaymentReturned)
		require.NoError(t, err)
		loaded, err := charges.Load(ctx, c.Shop, c.Order)
		require.NoError(t, err)
		assert.Equal(t, created, loaded)
	})

	t.Run("whoever creates a charge that is there gets that one", func(t *testing.T) {
		t.Parallel()
		c := anew()
		created, err := charges.Create(ctx, c, first, saga.PaymentIntended)
		require.NoError(t, err)
		other := c
		other.Intent = "pi_2"
		stands, err := charges.Create(ctx, other, second, saga.PaymentIntended)
		require.ErrorIs(t, err, fault.Duplicate)
		created.PaymentMethod = ""
		assert.Equal(t, created, stands)
	})

	t.Run("a charge that moved on cannot be saved", func(t *testing.T) {
		t.Parallel()
		c := anew()
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

	t.Run("a charge that is not there is not found", func(t *testing.T) {
		t.Parallel()
		_, err := charges.Load(ctx, Shop, "ord_"+rand.Text())
		require.ErrorIs(t, err, fault.NotFound)
	})
}
