package payment_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

func TestBegin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		total  int64
		intent payment.Intent
		has    payment.Has
		reason string
		fact   saga.Fact
	}{
		"an intent that nobody confirmed is intended":       {total: 100, intent: payment.Intent{ID: "pi_1", Has: payment.Nothing}, has: payment.Nothing, fact: saga.PaymentIntended},
		"an order that costs nothing is paid":               {total: 0, has: payment.Authorized, fact: saga.PaymentAuthorized},
		"an intent that the provider refuses is a decline":  {total: 100, intent: payment.Intent{Has: payment.Declined, Reason: payment.AmountNotPayable}, has: payment.Declined, reason: payment.AmountNotPayable, fact: saga.PaymentDeclined},
		"an intent without a payment method is a decline":   {total: 100, intent: payment.Intent{ID: "pi_1", Has: payment.Declined, Reason: payment.PaymentMethodMissing}, has: payment.Declined, reason: payment.PaymentMethodMissing, fact: saga.PaymentDeclined},
		"an intent that was confirmed elsewhere is learned": {total: 100, intent: payment.Intent{ID: "pi_1", Has: payment.Authorized}, has: payment.Authorized, fact: saga.PaymentAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := payment.New(saga.Payable{Order: "ord_1", Shop: "main", Total: c.total, Currency: "EUR", PaymentMethod: "pm_1"})
			got, fact := payment.Begin(given, c.intent)
			want := given
			want.Has, want.Intent, want.Reason = c.has, c.intent.ID, c.reason
			assert.Equal(t, want, got)
			assert.Equal(t, c.fact, fact)
		})
	}
}

func TestLearn(t *testing.T) {
	t.Parallel()
	const none = saga.Fact("")
	for name, c := range map[string]struct {
		given payment.Has
		now   payment.Has
		has   payment.Has
		fact  saga.Fact
	}{
		"an authorization is told":                          {payment.Nothing, payment.Authorized, payment.Authorized, saga.PaymentAuthorized},
		"a decline is told":                                 {payment.Nothing, payment.Declined, payment.Declined, saga.PaymentDeclined},
		"doubt is written down":                             {payment.Nothing, payment.Uncertain, payment.Uncertain, saga.PaymentUncertain},
		"what the customer has to do is written down":       {payment.Nothing, payment.ActionNeeded, payment.ActionNeeded, saga.PaymentUncertain},
		"an intent that is still unconfirmed is no news":    {payment.Nothing, payment.Nothing, payment.Nothing, none},
		"doubt that lasts is no news":                       {payment.Uncertain, payment.Uncertain, payment.Uncertain, none},
		"doubt ends with an authorization":                  {payment.Uncertain, payment.Authorized, payment.Authorized, saga.PaymentAuthorized},
		"doubt ends with a decline":                         {payment.Uncertain, payment.Declined, payment.Declined, saga.PaymentDeclined},
		"what the customer did leads to an authorization":   {payment.ActionNeeded, payment.Authorized, payment.Authorized, saga.PaymentAuthorized},
		"what the customer did has to be confirmed by us":   {payment.ActionNeeded, payment.Nothing, payment.ActionNeeded, none},
		"what the customer did is being worked on":          {payment.ActionNeeded, payment.Uncertain, payment.Uncertain, saga.PaymentUncertain},
		"an authorized charge stays so":                     {payment.Authorized, payment.Declined, payment.Authorized, none},
		"a declined charge stays so":                        {payment.Declined, payment.Authorized, payment.Declined, none},
		"an authorized charge hears nothing new from doubt": {payment.Authorized, payment.Uncertain, payment.Authorized, none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, facts := payment.Learn(payment.Charge{Has: c.given, Intent: "pi_1"}, payment.Intent{ID: "pi_1", Has: c.now})
			assert.Equal(t, payment.Charge{Has: c.has, Intent: "pi_1"}, got)
			if c.fact == none {
				assert.Empty(t, facts)
				return
			}
			assert.Equal(t, []saga.Fact{c.fact}, facts)
		})
	}
}

func TestADeclineKeepsItsReasonAndTheProvidersCode(t *testing.T) {
	t.Parallel()
	c, _ := payment.Learn(payment.Charge{}, payment.Intent{Has: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"})
	assert.Equal(t, payment.Charge{Has: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"}, c)
}

func TestWhateverIsLearnedInWhateverOrderTheFirstVerdictStands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := []payment.Has{payment.Nothing, payment.Uncertain, payment.ActionNeeded, payment.Authorized, payment.Declined}
		heard := rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "heard")
		c := payment.New(saga.Payable{Order: "ord_1", Shop: "main", Total: 1, Currency: "EUR"})
		verdict, told := payment.Has(""), 0
		for _, has := range heard {
			var facts []saga.Fact
			c, facts = payment.Learn(c, payment.Intent{ID: "pi_1", Has: has})
			for _, f := range facts {
				if f.Heard() {
					told++
				}
			}
			if verdict == "" && (has == payment.Authorized || has == payment.Declined) {
				verdict = has
			}
		}
		if c.Settled() != (verdict != "") || c.Settled() && (c.Has != verdict || told != 1) || !c.Settled() && told != 0 {
			t.Fatalf("heard %v: has %s, told %d times", heard, c.Has, told)
		}
	})
}

func TestOnlyNothingIsFree(t *testing.T) {
	t.Parallel()
	assert.True(t, payment.Charge{Amount: money.Money{Currency: "EUR"}}.Free())
	assert.False(t, payment.Charge{Amount: money.Money{Amount: 1, Currency: "EUR"}}.Free())
}
