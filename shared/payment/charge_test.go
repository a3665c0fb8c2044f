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

func TestBegin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		total  int64
		intent payment.Intent
		has    payment.Observed
		reason string
		fact   saga.Fact
	}{
		"an intent that nobody confirmed is intended":       {total: 100, intent: payment.Intent{ID: "pi_1", Observed: payment.Nothing}, has: payment.Nothing, fact: saga.PaymentIntended},
		"an order that costs nothing is paid":               {total: 0, has: payment.Authorized, fact: saga.PaymentAuthorized},
		"an intent that the provider refuses is a decline":  {total: 100, intent: payment.Intent{Observed: payment.Declined, Reason: payment.AmountNotPayable}, has: payment.Declined, reason: payment.AmountNotPayable, fact: saga.PaymentDeclined},
		"an intent without a payment method is a decline":   {total: 100, intent: payment.Intent{ID: "pi_1", Observed: payment.Declined, Reason: payment.PaymentMethodMissing}, has: payment.Declined, reason: payment.PaymentMethodMissing, fact: saga.PaymentDeclined},
		"an intent that was confirmed elsewhere is learned": {total: 100, intent: payment.Intent{ID: "pi_1", Observed: payment.Authorized}, has: payment.Authorized, fact: saga.PaymentAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := payment.New(saga.Payable{Order: "ord_1", Shop: "main", Total: c.total, Currency: "EUR", PaymentMethod: "pm_1"})
			got, fact := payment.Begin(given, c.intent)
			want := given
			want.Observed, want.Intent, want.Reason = c.has, c.intent.ID, c.reason
			assert.Equal(t, want, got)
			assert.Equal(t, c.fact, fact)
		})
	}
}

func TestLearn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given payment.Observed
		now   payment.Observed
		has   payment.Observed
		facts []saga.Fact
	}{
		"an authorization is told":                          {payment.Nothing, payment.Authorized, payment.Authorized, []saga.Fact{saga.PaymentAuthorized}},
		"a decline is told":                                 {payment.Nothing, payment.Declined, payment.Declined, []saga.Fact{saga.PaymentDeclined}},
		"what was canceled elsewhere is a decline":          {payment.Uncertain, payment.Canceled, payment.Declined, []saga.Fact{saga.PaymentDeclined}},
		"doubt is written down":                             {payment.Nothing, payment.Uncertain, payment.Uncertain, []saga.Fact{saga.PaymentUncertain}},
		"what the customer has to do is written down":       {payment.Nothing, payment.ActionNeeded, payment.ActionNeeded, []saga.Fact{saga.PaymentActionNeeded}},
		"an intent that is still unconfirmed is no news":    {payment.Nothing, payment.Nothing, payment.Nothing, nil},
		"doubt that lasts is no news":                       {payment.Uncertain, payment.Uncertain, payment.Uncertain, nil},
		"doubt ends with an authorization":                  {payment.Uncertain, payment.Authorized, payment.Authorized, []saga.Fact{saga.PaymentAuthorized}},
		"doubt ends with a decline":                         {payment.Uncertain, payment.Declined, payment.Declined, []saga.Fact{saga.PaymentDeclined}},
		"what the customer did leads to an authorization":   {payment.ActionNeeded, payment.Authorized, payment.Authorized, []saga.Fact{saga.PaymentAuthorized}},
		"what the customer did has to be confirmed by us":   {payment.ActionNeeded, payment.Nothing, payment.ActionNeeded, nil},
		"what the customer did is being worked on":          {payment.ActionNeeded, payment.Uncertain, payment.Uncertain, []saga.Fact{saga.PaymentUncertain}},
		"a customer who finds another card is heard":        {payment.Declined, payment.Authorized, payment.Authorized, []saga.Fact{saga.PaymentAuthorized}},
		"a declined charge that is canceled stays so":       {payment.Declined, payment.Canceled, payment.Declined, nil},
		"an authorized charge hears nothing new from doubt": {payment.Authorized, payment.Uncertain, payment.Authorized, nil},
		"an old decline does not undo an authorization":     {payment.Authorized, payment.Declined, payment.Authorized, nil},
		"an authorization lapses":                           {payment.Authorized, payment.Canceled, payment.Lapsed, []saga.Fact{saga.CaptureFailed}},
		"a lapse is told once":                              {payment.Lapsed, payment.Canceled, payment.Lapsed, nil},
		"a capture is told":                                 {payment.Authorized, payment.Captured, payment.Captured, []saga.Fact{saga.PaymentCaptured}},
		"a capture that nobody heard coming is an authorization too": {
			payment.Uncertain, payment.Captured, payment.Captured, []saga.Fact{saga.PaymentAuthorized, saga.PaymentCaptured},
		},
		"an old authorization does not undo a capture": {payment.Captured, payment.Authorized, payment.Captured, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, facts := payment.ApplyIntent(payment.Charge{Observed: c.given, Intent: "pi_1"}, payment.Intent{ID: "pi_1", Observed: c.now})
			assert.Equal(t, payment.Charge{Observed: c.has, Intent: "pi_1"}, got)
			assert.Equal(t, c.facts, facts)
		})
	}
}

func TestTheCustomersSecretIsKeptAsLongAsItIsNeeded(t *testing.T) {
	t.Parallel()
	c, _ := payment.ApplyIntent(payment.Charge{Observed: payment.Nothing}, payment.Intent{Observed: payment.ActionNeeded, ClientSecret: "secret"})
	assert.Equal(t, "secret", c.ClientSecret)
	for _, has := range []payment.Observed{payment.Uncertain, payment.Authorized, payment.Declined, payment.Captured} {
		after, _ := payment.ApplyIntent(c, payment.Intent{Observed: has})
		assert.Empty(t, after.ClientSecret, has)
	}
	lapsed, _ := payment.Lapse(c, payment.Intent{Observed: payment.Canceled})
	assert.Empty(t, lapsed.ClientSecret)
}

func TestADeclineKeepsItsReasonAndTheProvidersCode(t *testing.T) {
	t.Parallel()
	c, _ := payment.ApplyIntent(payment.Charge{}, payment.Intent{Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"})
	assert.Equal(t, payment.Charge{Observed: payment.Declined, Reason: payment.CardDeclined, DeclineCode: "lost_card"}, c)
}

func TestWhateverIsLearnedInWhateverOrderNothingCertainIsForgotten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := []payment.Observed{payment.Nothing, payment.Uncertain, payment.ActionNeeded, payment.Declined, payment.Authorized, payment.Captured}
		c := payment.New(saga.Payable{Order: "ord_1", Shop: "main", Total: 1, Currency: "EUR"})
		best, told := 0, map[saga.Fact]int{}
		for _, has := range rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "heard") {
			var facts []saga.Fact
			c, facts = payment.ApplyIntent(c, payment.Intent{ID: "pi_1", Observed: has})
			for _, f := range facts {
				told[f]++
			}
			best = max(best, slices.Index(all, has))
		}
		has := slices.Index(all, c.Observed)
		if best > 2 && has != best || best <= 2 && has > 2 || told[saga.PaymentDeclined] > 1 || told[saga.PaymentAuthorized] > 1 || told[saga.PaymentCaptured] > 1 {
			t.Fatalf("has %s, told %v", c.Observed, told)
		}
	})
}

func TestOnlyNothingIsFree(t *testing.T) {
	t.Parallel()
	assert.True(t, payment.Charge{Amount: money.Money{Currency: "EUR"}}.Free())
	assert.False(t, payment.Charge{Amount: money.Money{Amount: 1, Currency: "EUR"}}.Free())
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given   payment.Charge
		settled bool
		answer  saga.Fact
	}{
		"an authorized charge":                     {payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Authorized}, true, saga.PaymentAuthorized},
		"a captured charge has the money":          {payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Captured}, true, saga.PaymentAuthorized},
		"a declined charge":                        {payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Declined}, true, saga.PaymentDeclined},
		"a lapsed charge has no money any more":    {payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Lapsed}, true, saga.PaymentDeclined},
		"a tombstone":                              {payment.Tombstone("main", "ord_1"), true, saga.PaymentReturned},
		"a canceled charge":                        {payment.Charge{Desired: payment.DesiredReturn, Observed: payment.Canceled, Intent: "pi_1"}, true, saga.PaymentReturned},
		"a charge that was given back":             {payment.Charge{Desired: payment.DesiredReturn, Observed: payment.Returned, Intent: "pi_1"}, true, saga.PaymentReturned},
		"an uncertain charge is not settled":       {payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Uncertain}, false, ""},
		"nor is one that waits for its customer":   {payment.Charge{Desired: payment.DesiredCapture, Observed: payment.ActionNeeded}, false, ""},
		"nor is one whose money is to go back":     {payment.Charge{Desired: payment.DesiredReturn, Observed: payment.Authorized, Intent: "pi_1"}, false, ""},
		"nor is a declined one that is to go back": {payment.Charge{Desired: payment.DesiredReturn, Observed: payment.Declined, Intent: "pi_1"}, false, ""},
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
