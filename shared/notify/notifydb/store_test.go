package notifydb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/notify"
	"backroom/shared/notify/notifydb"
	"backroom/shared/notify/notifytest"
	"backroom/shared/saga"
)

func open(t *testing.T) (notifydb.Store, *cloudtest.Cloud) {
	c := cloudtest.New(t)
	rt := c.Runtime()
	return notifydb.Store{DB: rt.DynamoDB(), Name: c.Table("Notices"), Nonce: rt.Nonce}, c
}

func TestStore_PassesTheSuite(t *testing.T) {
	t.Parallel()
	notifytest.Exercise(t, func(t *testing.T) notify.Notices {
		s, _ := open(t)
		return s
	})
}

func TestClaim_RecognizesItselfAfterALostAnswer(t *testing.T) {
	t.Parallel()
	s, c := open(t)
	forgetful, lost := c.Forgetful("UpdateItem")
	s.DB = forgetful
	_, err := s.Claim(t.Context(), notify.Notice{Shop: "main", Order: "ord_1", Template: notify.Confirmed}, cloudtest.Epoch, cloudtest.Epoch.Add(time.Minute))
	require.NoError(t, err)
	assert.Equal(t, 1, lost())
}

func TestStore_StoresNoAddress(t *testing.T) {
	t.Parallel()
	s, c := open(t)
	n := notify.Notice{Shop: "main", Order: "ord_1", Template: notify.Refunded, Refund: "r1"}
	claim, err := s.Claim(t.Context(), n, cloudtest.Epoch, cloudtest.Epoch.Add(time.Minute))
	require.NoError(t, err)
	ada := notify.RecipientOf("ada@example.com")
	require.NoError(t,
		s.Settle(t.Context(), claim,
			notify.Outcome{Status: notify.Sent, At: cloudtest.Epoch, Recipient: ada, Message: "m-1"}))
	assert.JSONEq(t, `{
		"pk": "main#ord_1#refunded#r1", "shop": "main", "order": "ord_1", "template": "refunded", "refund": "r1",
		"status": "sent", "claim": "`+claim.Token+`", "at": 1772366400000, "recipient": "`+string(ada)+
		`", "message": "m-1"
	}`, c.Row("Notices", "main#ord_1#refunded#r1"))
	require.NoError(t, s.Suppress(t.Context(), ada, cloudtest.Epoch))
	assert.JSONEq(t, `{"pk": "suppressed#`+string(ada)+`", "at": 1772366400000}`,
		c.Row("Notices", "suppressed#"+string(ada)))
}

func TestOrders_ReadAnOrderFromItsRow(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	orders := notifydb.Orders{DB: c.Runtime().DynamoDB(), Name: c.Table("Orders")}
	_, err := orders.Load(t.Context(), "main", "ord_1")
	require.ErrorIs(t, err, fault.NotFound)

	c.Put("Orders",
		`{"pk":"main#ord_1","order":"ord_1","shop":"main","email":"ada@example.com","outcome":"canceled","reason":"changed my mind",
		"awaits":["money","stock"],"lines":[{"sku":"MUG-1","quantity":2,"price":1250}],"total":2500,"currency":"EUR","placed_at":1772366400000,
		"refunds":[{"id":"r1","amount":500,"try":2,"status":"succeeded"}],"version":3,"status":"canceling"}`)
	o, err := orders.Load(t.Context(), "main", "ord_1")
	require.NoError(t, err)
	assert.Equal(t, notify.Order{
		ID: "ord_1", Shop: "main", Email: "ada@example.com", Outcome: "canceled", Reason: "changed my mind",
		MoneyOut: true,
		Lines:    []saga.Line{{SKU: "MUG-1", Quantity: 2, Price: 1250}},
		Total:    money.Money{Amount: 2500, Currency: "EUR"},
		PlacedAt: cloudtest.Epoch,
		Refunds:  []saga.Refund{{ID: "r1", Amount: 500, Try: 2, Status: saga.RefundStatusSucceeded}},
	}, o)

	c.Put("Orders", `{"pk":"main#ord_2","order":"ord_2","email":{"ada@example.com":1}}`)
	_, err = orders.Load(t.Context(), "main", "ord_2")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "ada", "the error contains no data of the row")
}

func TestStore_KeepsAttributesThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s, c := open(t)
	n := notify.Notice{Shop: "main", Order: "ord_1", Template: notify.Confirmed}
	add := func() {
		for _, row := range c.Rows("Notices") {
			c.Put("Notices", strings.Replace(row, "{", `{"extra": "new",`, 1))
		}
	}
	_, err := s.Claim(t.Context(), n, cloudtest.Epoch, cloudtest.Epoch.Add(time.Minute))
	require.NoError(t, err)
	require.NoError(t, s.Suppress(t.Context(), "digest", cloudtest.Epoch))
	add()
	later := cloudtest.Epoch.Add(time.Hour)
	claim, err := s.Claim(t.Context(), n, later, later.Add(time.Minute))
	require.NoError(t, err)
	require.NoError(t, s.Settle(t.Context(), claim, notify.Outcome{Status: notify.Sent, At: later}))
	require.NoError(t, s.Suppress(t.Context(), "digest", later))
	for _, row := range c.Rows("Notices") {
		assert.Contains(t, row, `"extra": "new"`)
		assert.NotContains(t, row, "until")
	}
}

func TestClaim_ReturnsAnErrorForAStatusThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s, c := open(t)
	n := notify.Notice{Shop: "main", Order: "ord_1", Template: notify.Confirmed}
	_, err := s.Claim(t.Context(), n, cloudtest.Epoch, cloudtest.Epoch.Add(time.Minute))
	require.NoError(t, err)
	c.Put("Notices", strings.Replace(c.Row("Notices", n.Key()), "sending", "deferred", 1))
	_, err = s.Claim(t.Context(), n, cloudtest.Epoch, cloudtest.Epoch.Add(time.Minute))
	require.ErrorContains(t, err, `does not know the status "deferred"`)
	require.NotErrorIs(t, err, notify.ErrSettled, "the mail is not given up in silence")
}
