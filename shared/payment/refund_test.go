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

func TestRequestRefunds_MergesTheOrdersRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ observed, wanted, want []saga.Refund }{
		"a missing refund is added": {
			wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
			want:   []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
		},
		"an existing refund is unchanged": {
			observed: []saga.Refund{refund("r1", 1, saga.RefundStatusPending)},
			wanted:   []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
			want:     []saga.Refund{refund("r1", 1, saga.RefundStatusPending)},
		},
		"a failed refund is not retried by the same request": {
			observed: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed)},
			wanted:   []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
			want:     []saga.Refund{refund("r1", 1, saga.RefundStatusFailed)},
		},
		"a failed refund is retried by the next try": {
			observed: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed)},
			wanted:   []saga.Refund{refund("r1", 2, saga.RefundStatusRequested)},
			want:     []saga.Refund{refund("r1", 2, saga.RefundStatusRequested)},
		},
		"a late request changes nothing": {
			observed: []saga.Refund{refund("r1", 2, saga.RefundStatusSucceeded)},
			wanted:   []saga.Refund{refund("r1", 1, saga.RefundStatusRequested)},
			want:     []saga.Refund{refund("r1", 2, saga.RefundStatusSucceeded)},
		},
		"refunds that the order knows as decided are not requested": {
			wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusSucceeded), refund("r2", 1, saga.RefundStatusFailed),
				refund("r3", 1, saga.RefundStatusRequested)},
			want: []saga.Refund{refund("r2", 1, saga.RefundStatusFailed),
				refund("r3", 1, saga.RefundStatusRequested)},
		},
		"written-off refunds are not made": {
			observed: []saga.Refund{refund("r1", 1, saga.RefundStatusRequested),
				refund("r2", 1, saga.RefundStatusSucceeded), refund("r3", 1, saga.RefundStatusFailed)},
			wanted: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed), refund("r2", 1, saga.RefundStatusFailed),
				refund("r3", 2, saga.RefundStatusFailed)},
			want: []saga.Refund{refund("r1", 1, saga.RefundStatusFailed),
				refund("r2", 1, saga.RefundStatusSucceeded), refund("r3", 2, saga.RefundStatusFailed)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, payment.RequestRefunds(payment.Charge{Refunds: c.observed}, c.wanted).Refunds)
		})
	}
}

func TestRefundable_LimitsToWhatIsLeft(t *testing.T) {
	t.Parallel()
	made := payment.Balance{Received: 1000, Refunds: []payment.ProviderRefund{
		{Amount: 400, Status: saga.RefundStatusSucceeded}, {Amount: 300, Status: saga.RefundStatusPending},
		{Amount: 900, Status: saga.RefundStatusFailed}, {Amount: 900, Status: saga.RefundStatusRefused},
	}, Disputes: []payment.Dispute{
		{Amount: 70, Status: payment.DisputeOpen}, {Amount: 30, Status: payment.DisputeLost},
		{Amount: 900, Status: payment.DisputeWon},
	}}
	captured := payment.Charge{Desired: payment.DesiredCapture, Observed: payment.Captured,
		Amount: money.Money{Amount: 1000, Currency: "EUR"}}
	assert.True(t, payment.Refundable(captured, made, 200), "a failed refund is still available")
	assert.False(t, payment.Refundable(captured, made, 201), "more than is left")
	assert.False(t, payment.Refundable(captured, made, 0), "nothing")
	other := captured
	other.Observed = payment.Authorized
	assert.False(t, payment.Refundable(other, payment.Balance{Received: 1000}, 1), "nothing was captured")
	other = captured
	other.Desired = payment.DesiredReturn
	assert.False(t, payment.Refundable(other, payment.Balance{Received: 1000}, 1), "the full amount is returned anyway")
}

func TestRefundFacts_ReportsChangedRefunds(t *testing.T) {
	t.Parallel()
	before := []saga.Refund{refund("r1", 1, saga.RefundStatusPending), refund("r2", 1, saga.RefundStatusSucceeded),
		refund("r3", 1, saga.RefundStatusFailed)}
	for name, c := range map[string]struct {
		now  []saga.Refund
		want []saga.Fact
	}{
		"unchanged refunds publish nothing": {before, nil},
		"a succeeded refund is published": {[]saga.Refund{refund("r1", 1, saga.RefundStatusSucceeded),
			before[1], before[2]}, []saga.Fact{saga.PaymentRefunded}},
		"a refund that fails after days is published": {[]saga.Refund{before[0],
			refund("r2", 1, saga.RefundStatusFailed), before[2]}, []saga.Fact{saga.RefundFailed}},
		"another failed try is published": {[]saga.Refund{before[0], before[1],
			refund("r3", 2, saga.RefundStatusFailed)}, []saga.Fact{saga.RefundFailed}},
		"another pending try is published": {[]saga.Refund{before[0], before[1],
			refund("r3", 2, saga.RefundStatusPending)}, []saga.Fact{saga.RefundStarted}},
		"a requested refund publishes nothing": {append(before[:3:3],
			refund("r4", 1, saga.RefundStatusRequested)), nil},
		"all changes in one write": {[]saga.Refund{refund("r1", 1, saga.RefundStatusSucceeded),
			refund("r2", 1, saga.RefundStatusFailed), refund("r3", 2, saga.RefundStatusSucceeded)},
			[]saga.Fact{saga.PaymentRefunded, saga.RefundFailed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, payment.RefundFacts(before, c.now))
		})
	}
}

func TestApplyReturn_FollowsTheRefunds(t *testing.T) {
	t.Parallel()
	full := func(try int, amount int64, state saga.RefundStatus) payment.ProviderRefund {
		return payment.ProviderRefund{ID: "re_" + string(rune('0'+try)), Refund: payment.FullRefundID, Try: try,
			Amount: amount, Status: state}
	}
	for name, c := range map[string]struct {
		had      payment.Observed
		known    string
		made     []payment.ProviderRefund
		observed payment.Observed
		id       string
		facts    []saga.Fact
		disputes []payment.Dispute
	}{
		"the full amount is refunded": {payment.Authorized, "",
			[]payment.ProviderRefund{full(1, 1000, saga.RefundStatusSucceeded)}, payment.Returned, "re_1",
			[]saga.Fact{saga.PaymentReturned}, nil},
		"a dispute took all of it": {payment.Captured, "", nil, payment.Returned, "",
			[]saga.Fact{saga.PaymentReturned}, []payment.Dispute{{Amount: 1000, Status: payment.DisputeOpen}}},
		"a dispute took what was not refunded": {payment.Captured, "",
			[]payment.ProviderRefund{full(1, 600, saga.RefundStatusSucceeded)}, payment.Returned, "re_1",
			[]saga.Fact{saga.PaymentReturned}, []payment.Dispute{{Amount: 400, Status: payment.DisputeLost}}},
		"the bank took what was refunded": {payment.Captured, "",
			[]payment.ProviderRefund{full(1, 1000, saga.RefundStatusSucceeded)}, payment.Returned, "re_1",
			[]saga.Fact{saga.PaymentReturned}, []payment.Dispute{{Amount: 1000, Status: payment.DisputeLost}}},
		"the shop won the dispute": {payment.Returned, "", nil, payment.Captured, "",
			[]saga.Fact{saga.ReturnFailed}, []payment.Dispute{{Amount: 1000, Status: payment.DisputeWon}}},
		"the rest is refunded": {payment.Captured, "",
			[]payment.ProviderRefund{{ID: "re_9", Refund: "r1", Try: 1, Amount: 400,
				Status: saga.RefundStatusSucceeded}, full(1, 600, saga.RefundStatusSucceeded)}, payment.Returned,
			"re_1", []saga.Fact{saga.PaymentReturned}, nil},
		"the refund is pending": {payment.Captured, "",
			[]payment.ProviderRefund{full(1, 1000, saga.RefundStatusPending)}, payment.Captured, "re_1",
			[]saga.Fact{saga.RefundStarted}, nil},
		"the refund is still pending": {payment.Captured, "re_1",
			[]payment.ProviderRefund{full(1, 1000, saga.RefundStatusPending)}, payment.Captured, "re_1", nil, nil},
		"the refund failed": {payment.Captured, "re_1",
			[]payment.ProviderRefund{full(1, 1000, saga.RefundStatusFailed)}, payment.Captured, "re_1", nil, nil},
		"the refund is retried": {payment.Captured, "re_1",
			[]payment.ProviderRefund{full(2, 1000, saga.RefundStatusPending), full(1, 1000, saga.RefundStatusFailed)},
			payment.Captured, "re_2", []saga.Fact{saga.RefundStarted}, nil},
		"the refund failed after days": {payment.Returned, "re_1",
			[]payment.ProviderRefund{full(1, 1000, saga.RefundStatusFailed)}, payment.Captured, "re_1",
			[]saga.Fact{saga.ReturnFailed}, nil},
		"the refund is known to have succeeded": {payment.Returned, "re_1",
			[]payment.ProviderRefund{full(1, 1000, saga.RefundStatusSucceeded)}, payment.Returned, "re_1", nil, nil},
		"a refund by a person counts, too": {payment.Captured, "",
			[]payment.ProviderRefund{{ID: "re_9", Amount: 1000, Status: saga.RefundStatusSucceeded}}, payment.Returned,
			"", []saga.Fact{saga.PaymentReturned}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := payment.Charge{Desired: payment.DesiredReturn, Observed: c.had,
				Amount: money.Money{Amount: 1000, Currency: "EUR"}}
			if c.known != "" {
				given.RefundIDs = map[string]string{payment.FullRefundID: c.known}
			}
			got,
				facts := payment.ApplyReturn(given,
				payment.Balance{Received: 1000, Refunds: c.made, Disputes: c.disputes})
			assert.Equal(t, c.observed, got.Observed)
			assert.Equal(t, c.id, got.RefundIDs[payment.FullRefundID])
			assert.Equal(t, c.facts, facts)
		})
	}
}
