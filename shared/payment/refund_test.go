package payment_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

func refund(id string, try int, state saga.RefundState) saga.Refund {
	return saga.Refund{ID: id, Amount: 100, Try: try, State: state}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ has, wanted, want []saga.Refund }{
		"a refund that is missing is asked for": {
			wanted: []saga.Refund{refund("r1", 1, saga.RefundAsked)}, want: []saga.Refund{refund("r1", 1, saga.RefundAsked)},
		},
		"one that is there is left as it is": {
			has: []saga.Refund{refund("r1", 1, saga.RefundPending)}, wanted: []saga.Refund{refund("r1", 1, saga.RefundAsked)},
			want: []saga.Refund{refund("r1", 1, saga.RefundPending)},
		},
		"one that failed is not tried again by the same ask": {
			has: []saga.Refund{refund("r1", 1, saga.RefundRefused)}, wanted: []saga.Refund{refund("r1", 1, saga.RefundAsked)},
			want: []saga.Refund{refund("r1", 1, saga.RefundRefused)},
		},
		"one that failed is tried once more": {
			has: []saga.Refund{refund("r1", 1, saga.RefundRefused)}, wanted: []saga.Refund{refund("r1", 2, saga.RefundAsked)},
			want: []saga.Refund{refund("r1", 2, saga.RefundAsked)},
		},
		"an ask that comes late asks for nothing": {
			has: []saga.Refund{refund("r1", 2, saga.RefundDone)}, wanted: []saga.Refund{refund("r1", 1, saga.RefundAsked)},
			want: []saga.Refund{refund("r1", 2, saga.RefundDone)},
		},
		"what the order knows to be over is not made for that": {
			wanted: []saga.Refund{refund("r1", 1, saga.RefundDone), refund("r2", 1, saga.RefundRefused), refund("r3", 1, saga.RefundAsked)},
			want:   []saga.Refund{refund("r2", 1, saga.RefundRefused), refund("r3", 1, saga.RefundAsked)},
		},
		"what the order gave up is not made any more": {
			has:    []saga.Refund{refund("r1", 1, saga.RefundAsked), refund("r2", 1, saga.RefundDone), refund("r3", 1, saga.RefundRefused)},
			wanted: []saga.Refund{refund("r1", 1, saga.RefundRefused), refund("r2", 1, saga.RefundRefused), refund("r3", 2, saga.RefundRefused)},
			want:   []saga.Refund{refund("r1", 1, saga.RefundRefused), refund("r2", 1, saga.RefundDone), refund("r3", 2, saga.RefundRefused)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, payment.Ask(payment.Charge{Refunds: c.has}, c.wanted).Refunds)
		})
	}
}

func TestRefundable(t *testing.T) {
	t.Parallel()
	made := []payment.Made{{Amount: 500, State: saga.RefundDone}, {Amount: 300, State: saga.RefundPending}, {Amount: 900, State: saga.RefundRefused}}
	captured := payment.Charge{Want: payment.Take, Has: payment.Captured, Amount: money.Money{Amount: 1000, Currency: "EUR"}}
	assert.True(t, payment.Refundable(captured, made, 200), "what failed is still there")
	assert.False(t, payment.Refundable(captured, made, 201), "more than is left")
	assert.False(t, payment.Refundable(captured, made, 0), "nothing")
	held := captured
	held.Has = payment.Authorized
	assert.False(t, payment.Refundable(held, nil, 1), "nothing was taken")
	held = captured
	held.Want = payment.Return
	assert.False(t, payment.Refundable(held, nil, 1), "all of it goes back anyway")
}

func TestRefunded(t *testing.T) {
	t.Parallel()
	before := []saga.Refund{refund("r1", 1, saga.RefundPending), refund("r2", 1, saga.RefundDone), refund("r3", 1, saga.RefundRefused)}
	for name, c := range map[string]struct {
		now  []saga.Refund
		want []saga.Fact
	}{
		"nothing new is not told":                       {before, nil},
		"what arrived is told":                          {[]saga.Refund{refund("r1", 1, saga.RefundDone), before[1], before[2]}, []saga.Fact{saga.PaymentRefunded}},
		"what came back after days is told":             {[]saga.Refund{before[0], refund("r2", 1, saga.RefundRefused), before[2]}, []saga.Fact{saga.RefundFailed}},
		"another try that fails again is told":          {[]saga.Refund{before[0], before[1], refund("r3", 2, saga.RefundRefused)}, []saga.Fact{saga.RefundFailed}},
		"another try that is under way is written down": {[]saga.Refund{before[0], before[1], refund("r3", 2, saga.RefundPending)}, []saga.Fact{saga.RefundBegun}},
		"what was only asked for is nothing to tell":    {append(before[:3:3], refund("r4", 1, saga.RefundAsked)), nil},
		"all of it in one write":                        {[]saga.Refund{refund("r1", 1, saga.RefundDone), refund("r2", 1, saga.RefundRefused), refund("r3", 2, saga.RefundDone)}, []saga.Fact{saga.PaymentRefunded, saga.RefundFailed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, payment.Refunded(before, c.now))
		})
	}
}

func TestGone(t *testing.T) {
	t.Parallel()
	whole := func(try int, amount int64, state saga.RefundState) payment.Made {
		return payment.Made{ID: "re_" + string(rune('0'+try)), Refund: payment.Whole, Try: try, Amount: amount, State: state}
	}
	for name, c := range map[string]struct {
		had   payment.Has
		known string
		made  []payment.Made
		has   payment.Has
		id    string
		facts []saga.Fact
	}{
		"all of it arrived":                      {payment.Authorized, "", []payment.Made{whole(1, 1000, saga.RefundDone)}, payment.Returned, "re_1", []saga.Fact{saga.PaymentReturned}},
		"the rest arrived":                       {payment.Captured, "", []payment.Made{{ID: "re_9", Refund: "r1", Try: 1, Amount: 400, State: saga.RefundDone}, whole(1, 600, saga.RefundDone)}, payment.Returned, "re_1", []saga.Fact{saga.PaymentReturned}},
		"it is under way":                        {payment.Captured, "", []payment.Made{whole(1, 1000, saga.RefundPending)}, payment.Captured, "re_1", []saga.Fact{saga.RefundBegun}},
		"it is still under way":                  {payment.Captured, "re_1", []payment.Made{whole(1, 1000, saga.RefundPending)}, payment.Captured, "re_1", nil},
		"it failed":                              {payment.Captured, "re_1", []payment.Made{whole(1, 1000, saga.RefundRefused)}, payment.Captured, "re_1", nil},
		"it is tried again":                      {payment.Captured, "re_1", []payment.Made{whole(2, 1000, saga.RefundPending), whole(1, 1000, saga.RefundRefused)}, payment.Captured, "re_2", []saga.Fact{saga.RefundBegun}},
		"it came back after days":                {payment.Returned, "re_1", []payment.Made{whole(1, 1000, saga.RefundRefused)}, payment.Captured, "re_1", []saga.Fact{saga.ReturnFailed}},
		"it arrived, as is known":                {payment.Returned, "re_1", []payment.Made{whole(1, 1000, saga.RefundDone)}, payment.Returned, "re_1", nil},
		"what a person gave back counts as well": {payment.Captured, "", []payment.Made{{ID: "re_9", Amount: 1000, State: saga.RefundDone}}, payment.Returned, "", []saga.Fact{saga.PaymentReturned}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := payment.Charge{Want: payment.Return, Has: c.had, Amount: money.Money{Amount: 1000, Currency: "EUR"}}
			if c.known != "" {
				given.RefundIDs = map[string]string{payment.Whole: c.known}
			}
			got, facts := payment.Gone(given, c.made)
			assert.Equal(t, c.has, got.Has)
			assert.Equal(t, c.id, got.RefundIDs[payment.Whole])
			assert.Equal(t, c.facts, facts)
		})
	}
}
