package notify_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"backroom/shared/money"
	"backroom/shared/notify"
	"backroom/shared/saga"
)

// sold is an order as its row might be.
func sold() notify.Order {
	return notify.Order{
		ID: "ord_1", Shop: "main", Email: "ada@example.com", Verdict: "confirmed",
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

func TestWhichMailsAFactOwes(t *testing.T) {
	verdict := func(v string) notify.Order { return with(func(o *notify.Order) { o.Verdict = v }) }
	refunds := with(func(o *notify.Order) {
		o.Refunds = []saga.Refund{{ID: "r1", State: saga.RefundDone}, {ID: "r2", State: saga.RefundPending}, {ID: "r3", State: saga.RefundDone}}
	})
	underway := with(func(o *notify.Order) { o.Verdict, o.MoneyOut = "cancelled", true })
	failed := with(func(o *notify.Order) { o.Refunds = []saga.Refund{{ID: "r1", State: saga.RefundRefused}} })
	for sentence, c := range map[string]struct {
		fact  saga.Fact
		order notify.Order
		keys  []string
	}{
		"a confirmation":                   {saga.OrderConfirmed, sold(), []string{"main#ord_1#confirmed"}},
		"a rejection":                      {saga.OrderRejected, verdict("rejected"), []string{"main#ord_1#rejected"}},
		"an expiry":                        {saga.OrderExpired, verdict("expired"), []string{"main#ord_1#expired"}},
		"a cancellation":                   {saga.OrderCancelled, verdict("cancelled"), []string{"main#ord_1#cancelled"}},
		"one for each refund that arrived": {saga.OrderRefunded, refunds, []string{"main#ord_1#refunded#r1", "main#ord_1#refunded#r3"}},
		"none for a confirmation that was cancelled":   {saga.OrderConfirmed, verdict("cancelled"), nil},
		"none for money that is on its way again":      {saga.OrderCancelled, underway, nil},
		"none for refunds that failed in the meantime": {saga.OrderRefunded, failed, nil},
		"none for what customers are not told":         {saga.OrderPlaced, verdict(""), nil},
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

func TestEveryFactThatIsHeardHasAMail(t *testing.T) {
	for fact, route := range saga.Routes {
		for _, step := range route.To {
			if step != saga.SendNotification {
				continue
			}
			mails := 0
			for _, verdict := range []string{"confirmed", "rejected", "expired", "cancelled"} {
				o := with(func(o *notify.Order) {
					o.Verdict, o.Refunds = verdict, []saga.Refund{{ID: "r1", State: saga.RefundDone}}
				})
				mails += len(notify.Due(fact, o))
			}
			assert.Positive(t, mails, fact)
		}
	}
}

func TestARecipientIsNoAddress(t *testing.T) {
	r := notify.RecipientOf("Ada@Example.com")
	assert.Equal(t, notify.RecipientOf("ada@example.com"), r, "however it is capitalised")
	assert.NotEqual(t, notify.RecipientOf("bob@example.com"), r)
	assert.Len(t, string(r), 64)
	assert.NotContains(t, string(r), "ada")
}
