package payment_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

func refund(id string, try int, state saga.RefundStatus) saga.Refund {
	return saga.Refund{ID: id, Amount: 100, Try: try, Status: state}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ has, wanted, want []saga.Refund }{
		"a refund that is missing is asked for": {
			wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)}, want: []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
		},
		"one that is there is left as it is": {
			has: []saga.Refund{refund("r1", 1, saga.RefundStatusPending)}, wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
			want: []saga.Refund{refund("r1", 1, saga.RefundStatusPending)},
		},
		"one that failed is not tried again by the same ask": {
			has: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed)}, wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
			want: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed)},
		},
		"one that failed is tried once more": {
			has: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed)}, wanted: []saga.Refund{refund("r1", 2, saga.RefundStatusRequested)},
			want: []saga.Refund{refund("r1", 2, saga.RefundStatusRequested)},
		},
		"an ask that comes late asks for nothing": {
			has: []saga.Refund{refund("r1", 2, saga.RefundStatusSucceeded)}, wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
			want: []saga.Refund{refund("r1", 2, saga.RefundStatusSucceeded)},
		},
		"what the order knows to be over is not made for that": {
			wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusSucceeded), refund("r2", 1, saga.RefundStatusFailed), refund("r3", 1, saga.RefundStatusRequested)},
			want:   []saga.Refund{refund("r2", 1, saga.RefundStatusFailed), refund("r3", 1, saga.RefundStatusRequested)},
		},
		"what the order gave up is not made any more": {
			has:    []saga.Refund{refund("r1", 1, saga.RefundStatusRequested), refund("r2", 1, saga.RefundStatusSucceeded), refund("r3", 1, saga.RefundStatusFailed)},
			wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed), refund("r2", 1, saga.RefundStatusFailed), refund("r3", 2, saga.RefundStatusFailed)},
			want:   []saga.Refund{refund("r1", 1, saga.RefundStatusFailed), refund("r2", 1, saga.RefundStatusSucceeded), refund("r3", 2, saga.RefundStatusFailed)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, payment.RequestRefunds(payment.Charge{Refunds: c.has}, c.wanted).Refunds)
		})
	}
}

func TestRefundable(t *testing.T) {
	t.Parallel()
	made := []payment.ProviderRefund{{Amount: 500, Status: saga.RefundStatusSucceeded}, {Amount: 300, Status: saga.RefundStatusPending}, {Amount: 900, Status: saga.RefundStatusFailed}}
	captured := payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Captured, Amount: money.Money{Amount: 1000, Currency: "EUR"}}
	assert.True(t, payment.Refundable(captured, made, 200), "what failed is still there")
	assert.False(t, payment.Refundable(captured, made, 201), "more than is left")
	assert.False(t, payment.Refundable(captured, made, 0), "nothing")
	held := captured
	held.Observed = payment.Authorized
	assert.False(t, payment.Refundable(held, nil, 1), "nothing was taken")
	held = captured
	held.Desired = payment.DesiredReturn
	assert.False(t, payment.Refundable(held, nil, 1), "all of it goes back anyway")
}

func TestRefunded(t *testing.T) {
	t.Parallel()
	before := []saga.Refund{refund("r1", 1, saga.RefundStatusPending), refund("r2", 1, saga.RefundStatusSucceeded), refund("r3", 1, saga.RefundStatusFailed)}
	for name, c := range map[string]struct {
		now  []saga.Refund
		want []saga.Fact
	}{
		"nothing new is not told":                       {before, nil},
		"what arrived is told":                          {[]saga.Refund{refund("r1", 1, saga.RefundStatusSucceeded), before[1], before[2]}, []saga.Fact{saga.PaymentRefunded}},
		"what came back after days is told":             {[]saga.Refund{before[0], refund("r2", 1, saga.RefundStatusFailed), before[2]}, []saga.Fact{saga.RefundFailed}},
		"another try that fails again is told":          {[]saga.Refund{before[0], before[1], refund("r3", 2, saga.RefundStatusFailed)}, []saga.Fact{saga.RefundFailed}},
		"another try that is under way is written down": {[]saga.Refund{before[0], before[1], refund("r3", 2, saga.RefundStatusPending)}, []saga.Fact{saga.RefundStarted}},
		"what was only asked for is nothing to tell":    {append(before[:3:3], refund("r4", 1, saga.RefundStatusRequested)), nil},
		"all of it in one write":                        {[]saga.Refund{refund("r1", 1, saga.RefundStatusSucceeded), refund("r2", 1, saga.RefundStatusFailed), refund("r3", 2, saga.RefundStatusSucceeded)}, []saga.Fact{saga.PaymentRefunded, saga.RefundFailed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, payment.RefundFacts(before, c.now))
		})
	}
}

func TestGone(t *testing.T) {
	t.Parallel()
	whole := func(try int, amount int64, state saga.RefundStatus) payment.ProviderRefund {
		return payment.ProviderRefund{ID: "re_" + string(rune('0'+try)), Refund: payment.FullRefundID, Try: try, Amount: amount, Status: state}
	}
	for name, c := range map[string]struct {
		had   payment.Observed
		known string
		made  []payment.ProviderRefund
		has   payment.Observed
		id    string
		facts []saga.Fact
	}{
		"all of it arrived":                      {payment.Authorized, "", []payment.ProviderRefund{whole(1, 1000, saga.RefundStatusSucceeded)}, payment.Returned, "re_1", []saga.Fact{saga.PaymentReturned}},
		"the rest arrived":                       {payment.Captured, "", []payment.ProviderRefund{{ID: "re_9", Refund: "r1", Try: 1, Amount: 400, Status: saga.RefundStatusSucceeded}, whole(1, 600, saga.RefundStatusSucceeded)}, payment.Returned, "re_1", []saga.Fact{saga.PaymentReturned}},
		"it is under way":                        {payment.Captured, "", []payment.ProviderRefund{whole(1, 1000, saga.RefundStatusPending)}, payment.Captured, "re_1", []saga.Fact{saga.RefundStarted}},
		"it is still under way":                  {payment.Captured, "re_1", []payment.ProviderRefund{whole(1, 1000, saga.RefundStatusPending)}, payment.Captured, "re_1", nil},
		"it failed":                              {payment.Captured, "re_1", []payment.ProviderRefund{whole(1, 1000, saga.RefundStatusFailed)}, payment.Captured, "re_1", nil},
		"it is tried again":                      {payment.Captured, "re_1", []payment.ProviderRefund{whole(2, 1000, saga.RefundStatusPending), whole(1, 1000, saga.RefundStatusFailed)}, payment.Captured, "re_2", []saga.Fact{saga.RefundStarted}},
		"it came back after days":                {payment.Returned, "re_1", []payment.ProviderRefund{whole(1, 1000, saga.RefundStatusFailed)}, payment.Captured, "re_1", []saga.Fact{saga.ReturnFailed}},
		"it arrived, as is known":                {payment.Returned, "re_1", []payment.ProviderRefund{whole(1, 1000, saga.RefundStatusSucceeded)}, payment.Returned, "re_1", nil},
		"what a person gave back counts as well": {payment.Captured, "", []payment.ProviderRefund{{ID: "re_9", Amount: 1000, Status: saga.RefundStatusSucceeded}}, payment.Returned, "", []saga.Fact{saga.PaymentReturned}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := payment.Charge{Desired: payment.DesiredReturn, Observed: c.had, Amount: money.Money{Amount: 1000, Currency: "EUR"}}
			if c.known != "" {
				given.RefundIDs = map[string]string{payment.FullRefundID: c.known}
			}
			got, facts := payment.ApplyReturn(given, c.made)
			assert.Equal(t, c.has, got.Observed)
			assert.Equal(t, c.id, got.RefundIDs[payment.FullRefundID])
			assert.Equal(t, c.facts, facts)
		})
	}
}
