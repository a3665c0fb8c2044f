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

func TestNotice_IsDueWhileItsMailIsTrue(t *testing.T) {
	outcome := func(v string) notify.Order { return with(func(o *notify.Order) { o.Outcome = v }) }
	refund := func(status saga.RefundStatus) notify.Order {
		return with(func(o *notify.Order) { o.Refunds = []saga.Refund{{ID: "r0"}, {ID: "r1", Status: status}} })
	}
	underway := with(func(o *notify.Order) { o.Outcome, o.MoneyOut = "canceled", true })
	for sentence, c := range map[string]struct {
		notice notify.Notice
		order  notify.Order
		due    bool
	}{
		"a confirmation":                     {notify.Notice{Template: notify.Confirmed}, sold(), true},
		"a confirmation of a canceled order": {notify.Notice{Template: notify.Confirmed}, outcome("canceled"), false},
		"a rejection":                        {notify.Notice{Template: notify.Rejected}, outcome("rejected"), true},
		"a rejection of an undecided order":  {notify.Notice{Template: notify.Rejected}, outcome(""), false},
		"an expiry":                          {notify.Notice{Template: notify.Expired}, outcome("expired"), true},
		"a cancellation":                     {notify.Notice{Template: notify.Canceled}, outcome("canceled"), true},
		"a cancellation without its money":   {notify.Notice{Template: notify.Canceled}, underway, false},
		"a refund": {notify.Notice{Template: notify.Refunded, Refund: "r1"},
			refund("succeeded"), true},
		"a refund that failed meanwhile": {notify.Notice{Template: notify.Refunded, Refund: "r1"},
			refund("failed"), false},
		"a refund that the order has not got": {notify.Notice{Template: notify.Refunded, Refund: "r2"},
			refund("succeeded"), false},
	} {
		t.Run(sentence, func(t *testing.T) {
			assert.Equal(t, c.due, c.notice.Due(c.order))
		})
	}
}

func TestNotice_ComesAfterTheConfirmation(t *testing.T) {
	of := func(template notify.Template, refund string) notify.Notice {
		return notify.Notice{Shop: "main", Order: "ord_1", Template: template, Refund: refund}
	}
	for _, later := range []notify.Notice{of(notify.Canceled, ""), of(notify.Refunded, "r1")} {
		first, exists := later.Before()
		assert.True(t, exists)
		assert.Equal(t, of(notify.Confirmed, ""), first)
	}
	for _, template := range []notify.Template{notify.Confirmed, notify.Rejected, notify.Expired} {
		_, exists := of(template, "").Before()
		assert.False(t, exists, template)
	}
}

func TestRecipient_IsADigest(t *testing.T) {
	r := notify.RecipientOf("Ada@Example.com")
	assert.Equal(t, notify.RecipientOf("ada@example.com"), r, "upper and lower case are alike")
	assert.NotEqual(t, notify.RecipientOf("bob@example.com"), r)
	assert.Len(t, string(r), 64)
	assert.NotContains(t, string(r), "ada")
}
