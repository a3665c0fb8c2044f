package notify_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"backroom/shared/money"
	"backroom/shared/notify"
	"backroom/shared/saga"
)

// sold is a sample order.
func sold() notify.Order {
	return notify.Order{
		ID: "ord_1", Shop: "main", Email: "ada@example.com", Outcome: "confirmed",
		Lines:    []saga.Line{{SKU: "MUG-1", Quantity: 2, Price: 1250}, {SKU: "TEAPOT-1", Quantity: 1, Price: 125400}},
		Total:    money.Money{Amount: 127900, Currency: "EUR"},
		PlacedAt: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC),
	}
}

func with(change func(*notify.Order)) notify.Order {
	o := sold()
	change(&o)
	return o
}

func TestDue_ReturnsTheNoticesOfAFact(t *testing.T) {
	outcome := func(v string) notify.Order { return with(func(o *notify.Order) { o.Outcome = v }) }
	refunds := with(func(o *notify.Order) {
		o.Refunds = []saga.Refund{{ID: "r1", Status: saga.RefundStatusSucceeded},
			{ID: "r2", Status: saga.RefundStatusPending}, {ID: "r3", Status: saga.RefundStatusSucceeded}}
	})
	underway := with(func(o *notify.Order) { o.Outcome, o.MoneyOut = "canceled", true })
	failed := with(func(o *notify.Order) { o.Refunds = []saga.Refund{{ID: "r1", Status: saga.RefundStatusFailed}} })
	for sentence, c := range map[string]struct {
		fact  saga.Fact
		order notify.Order
		keys  []string
	}{
		"a confirmation": {saga.OrderConfirmed, sold(), []string{"main#ord_1#confirmed"}},
		"a rejection":    {saga.OrderRejected, outcome("rejected"), []string{"main#ord_1#rejected"}},
		"an expiry":      {saga.OrderExpired, outcome("expired"), []string{"main#ord_1#expired"}},
		"a cancellation": {saga.OrderCanceled, outcome("canceled"), []string{"main#ord_1#canceled"}},
		"one for each refund that arrived": {saga.OrderRefunded, refunds,
			[]string{"main#ord_1#refunded#r1", "main#ord_1#refunded#r3"}},
		"none for a confirmation that was canceled":    {saga.OrderConfirmed, outcome("canceled"), nil},
		"none for a return that is under way again":    {saga.OrderCanceled, underway, nil},
		"none for refunds that failed in the meantime": {saga.OrderRefunded, failed, nil},
		"none for facts without a mail":                {saga.OrderPlaced, outcome(""), nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			var keys []string
			for _, n := range notify.Due(c.fact, c.order) {
				keys = append(keys, n.Key())
			}
			assert.Equal(t, c.keys, keys)
		})
	}
}

func TestDue_HasANoticeForEveryConsumedFact(t *testing.T) {
	for fact, route := range saga.Routes {
		for _, step := range route.To {
			if step != saga.SendNotification {
				continue
			}
			mails := 0
			for _, outcome := range []string{"confirmed", "rejected", "expired", "canceled"} {
				o := with(func(o *notify.Order) {
					o.Outcome, o.Refunds = outcome, []saga.Refund{{ID: "r1", Status: saga.RefundStatusSucceeded}}
				})
				mails += len(notify.Due(fact, o))
			}
			assert.Positive(t, mails, fact)
		}
	}
}

func TestRecipient_IsADigest(t *testing.T) {
	r := notify.RecipientOf("Ada@Example.com")
	assert.Equal(t, notify.RecipientOf("ada@example.com"), r, "upper and lower case are alike")
	assert.NotEqual(t, notify.RecipientOf("bob@example.com"), r)
	assert.Len(t, string(r), 64)
	assert.NotContains(t, string(r), "ada")
}
