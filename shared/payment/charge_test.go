package payment_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

func TestBegin_RecordsTheCreatedIntent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		total    int64
		intent   payment.Intent
		observed payment.Observed
		reason   string
		fact     saga.Fact
	}{
		"an unconfirmed intent is intended": {total: 100,
			intent: payment.Intent{ID: "pi_1", Observed: payment.Nothing}, observed: payment.Nothing,
			fact: saga.PaymentIntended},
		"an amount of 0 is authorized": {total: 0, observed: payment.Authorized,
			fact: saga.PaymentAuthorized},
		"a refused intent is a decline": {total: 100,
			intent:   payment.Intent{Observed: payment.Declined, Reason: payment.AmountNotPayable},
			observed: payment.Declined, reason: payment.AmountNotPayable, fact: saga.PaymentDeclined},
		"an intent without a payment method is a decline": {total: 100,
			intent:   payment.Intent{ID: "pi_1", Observed: payment.Declined, Reason: payment.PaymentMethodMissing},
			observed: payment.Declined, reason: payment.PaymentMethodMissing, fact: saga.PaymentDeclined},
		"an intent that was confirmed elsewhere is recorded": {total: 100,
			intent: payment.Intent{ID: "pi_1", Observed: payment.Authorized}, observed: payment.Authorized,
			fact: saga.PaymentAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := payment.New(
				saga.Payable{Order: "ord_1", Shop: "main", Total: c.total, Currency: "EUR", PaymentMethod: "pm_1"})
			got, fact := payment.Begin(given, c.intent)
			want := given
			want.Observed, want.Intent, want.Reason = c.observed, c.intent.ID, c.reason
			assert.Equal(t, want, got)
			assert.Equal(t, c.fact, fact)
		})
	}
}

func TestApplyIntent_FollowsTheIntent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given    payment.Observed
		now      payment.Observed
		observed payment.Observed
		facts    []saga.Fact
	}{
		"an authorization is published": {payment.Nothing, payment.Authorized, payment.Authorized,
			[]saga.Fact{saga.PaymentAuthorized}},
		"a decline is published": {payment.Nothing, payment.Declined, payment.Declined,
			[]saga.Fact{saga.PaymentDeclined}},
		"an intent that was canceled elsewhere is a decline": {payment.Uncertain, payment.Canceled, payment.Declined,
			[]saga.Fact{saga.PaymentDeclined}},
		"uncertainty is recorded": {payment.Nothing, payment.Uncertain, payment.Uncertain,
			[]saga.Fact{saga.PaymentUncertain}},
		"a required action of the customer is recorded": {payment.Nothing, payment.ActionNeeded,
			payment.ActionNeeded, []saga.Fact{saga.PaymentActionNeeded}},
		"an intent that is still unconfirmed changes nothing": {payment.Nothing, payment.Nothing, payment.Nothing, nil},
		"continued uncertainty changes nothing": {payment.Uncertain, payment.Uncertain, payment.Uncertain,
			nil},
		"uncertainty ends with an authorization": {payment.Uncertain, payment.Authorized,
			payment.Authorized, []saga.Fact{saga.PaymentAuthorized}},
		"uncertainty ends with a decline": {payment.Uncertain, payment.Declined, payment.Declined,
			[]saga.Fact{saga.PaymentDeclined}},
		"the customer's action leads to an authorization": {payment.ActionNeeded, payment.Authorized,
			payment.Authorized, []saga.Fact{saga.PaymentAuthorized}},
		"an action that we must confirm changes nothing": {payment.ActionNeeded, payment.Nothing,
			payment.ActionNeeded, nil},
		"an action in processing is uncertain": {payment.ActionNeeded, payment.Uncertain,
			payment.Uncertain, []saga.Fact{saga.PaymentUncertain}},
		"another card can authorize a declined charge": {payment.Declined, payment.Authorized,
			payment.Authorized, []saga.Fact{saga.PaymentAuthorized}},
		"a declined charge that is canceled stays declined": {payment.Declined, payment.Canceled, payment.Declined,
			nil},
		"old uncertainty does not undo an authorization": {payment.Authorized, payment.Uncertain,
			payment.Authorized, nil},
		"an old decline does not undo an authorization": {payment.Authorized, payment.Declined,
			payment.Authorized, nil},
		"an authorization lapses": {payment.Authorized, payment.Canceled, payment.Lapsed,
			[]saga.Fact{saga.CaptureFailed}},
		"a lapse is published once": {payment.Lapsed, payment.Canceled, payment.Lapsed, nil},
		"a capture is published": {payment.Authorized, payment.Captured, payment.Captured,
			[]saga.Fact{saga.PaymentCaptured}},
		"an unexpected capture is an authorization, too": {
			payment.Uncertain, payment.Captured, payment.Captured,
			[]saga.Fact{saga.PaymentAuthorized, saga.PaymentCaptured},
		},
		"an old authorization does not undo a capture": {payment.Captured, payment.Authorized, payment.Captured, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got,
				facts := payment.ApplyIntent(payment.Charge{Observed: c.given, Intent: "pi_1"},
				payment.Intent{ID: "pi_1", Observed: c.now})
			assert.Equal(t, payment.Charge{Observed: c.observed, Intent: "pi_1"}, got)
			assert.Equal(t, c.facts, facts)
		})
	}
}

func TestApplyIntent_KeepsTheClientSecretOnlyWhileNeeded(t *testing.T) {
	t.Parallel()
	c, _ := payment.ApplyIntent(payment.Charge{Observed: payment.Nothing}, payment.Intent{
		Observed: payment.ActionNeeded, ClientSecret: "secret",
	})
	assert.Equal(t, "secret", c.ClientSecret)
	for _, observed := range []payment.Observed{
		payment.Uncertain, payment.Authorized, payment.Declined, payment.Captured,
	} {
		after, _ := payment.ApplyIntent(c, payment.Intent{Observed: observed})
		assert.Empty(t, after.ClientSecret, observed)
	}
	lapsed, _ := payment.Lapse(c, payment.Intent{Observed: payment.Canceled})
	assert.Empty(t, lapsed.ClientSecret)
}

func TestApplyIntent_KeepsTheReasonOfADecline(t *testing.T) {
	t.Parallel()
	c, _ := payment.ApplyIntent(payment.Charge{}, payment.Intent{
		Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card",
	})
	assert.Equal(t, payment.Charge{Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"},
		c)
}

func TestApplyIntent_NeverGoesBackInCertainty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := []payment.Observed{payment.Nothing, payment.Uncertain, payment.ActionNeeded, payment.Declined,
			payment.Authorized, payment.Captured}
		c := payment.New(saga.Payable{Order: "ord_1", Shop: "main", Total: 1, Currency: "EUR"})
		best, published := 0, map[saga.Fact]int{}
		for _, observed := range rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "states") {
			var facts []saga.Fact
			c, facts = payment.ApplyIntent(c, payment.Intent{ID: "pi_1", Observed: observed})
			for _, f := range facts {
				published[f]++
			}
			best = max(best, slices.Index(all, observed))
		}
		observed := slices.Index(all, c.Observed)
		if best > 2 && observed != best || best <= 2 && observed > 2 || published[saga.PaymentDeclined] > 1 ||
			published[saga.PaymentAuthorized] > 1 || published[saga.PaymentCaptured] > 1 {
			t.Fatalf("observed %s, published %v", c.Observed, published)
		}
	})
}

func TestFree_OnlyAnAmountOfZero(t *testing.T) {
	t.Parallel()
	assert.True(t, payment.Charge{Amount: money.Money{Currency: "EUR"}}.Free())
	assert.False(t, payment.Charge{Amount: money.Money{Amount: 1, Currency: "EUR"}}.Free())
}

func TestReply_AnswersASettledCharge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given   payment.Charge
		settled bool
		answer  saga.Fact
	}{
		"an authorized charge": {payment.Charge{Desired: payment.DesiredCapture,
			Observed: payment.Authorized}, true, saga.PaymentAuthorized},
		"a captured charge has the money": {payment.Charge{Desired: payment.DesiredCapture,
			Observed: payment.Captured}, true, saga.PaymentAuthorized},
		"a declined charge": {payment.Charge{Desired: payment.DesiredCapture,
			Observed: payment.Declined}, true, saga.PaymentDeclined},
		"a lapsed charge has no money": {payment.Charge{Desired: payment.DesiredCapture,
			Observed: payment.Lapsed}, true, saga.PaymentDeclined},
		"a tombstone": {payment.Tombstone("main", "ord_1"), true,
			saga.PaymentReturned},
		"a canceled charge": {payment.Charge{Desired: payment.DesiredReturn,
			Observed: payment.Canceled, Intent: "pi_1"}, true, saga.PaymentReturned},
		"a returned charge": {payment.Charge{Desired: payment.DesiredReturn,
			Observed: payment.Returned, Intent: "pi_1"}, true, saga.PaymentReturned},
		"an uncertain charge is not settled": {payment.Charge{Desired: payment.DesiredCapture,
			Observed: payment.Uncertain}, false, ""},
		"a charge that waits for the customer is not settled": {payment.Charge{Desired: payment.DesiredCapture,
			Observed: payment.ActionNeeded}, false, ""},
		"a charge to return is not settled while authorized": {payment.Charge{Desired: payment.DesiredReturn,
			Observed: payment.Authorized, Intent: "pi_1"}, false, ""},
		"a charge to return is not settled while declined": {payment.Charge{Desired: payment.DesiredReturn,
			Observed: payment.Declined, Intent: "pi_1"}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.settled, c.given.Settled())
			if c.settled {
				assert.Equal(t, c.answer, payment.Reply(c.given))
			}
		})
	}
}
