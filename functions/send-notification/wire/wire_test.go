package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/send-notification/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/notify"
	"backroom/shared/saga"
)

const (
	name    = "send-notification"
	sold    = "main#ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
	refused = "main#ord_k3yq5xw7m2bz4n6c7d5f3g2h4j6l7p2q"
)

var build = function.Consuming(saga.SendNotification, wire.New)

// orders is a cloud with a paid order, of which a part was refunded, and a rejected one.
func orders(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	c.Put("Orders", `{"pk":"`+sold+
		`","order":"ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4","shop":"main","owner":"customer:ada","email":"ada@example.com",
		"status":"paid","outcome":"confirmed","paid":true,"placed_at":1772366400000,"total":7900,"currency":"EUR",
		"lines":[{"sku":"MUG-1","quantity":2,"price":1250},{"sku":"TEAPOT-1","quantity":1,"price":5400}],
		"refunds":[{"id":"ref_1","amount":1250,"try":1,"status":"succeeded"},{"id":"ref_2","amount":5400,"try":1,"status":"pending"}]}`)
	c.Put("Orders", `{"pk":"`+refused+
		`","order":"ord_k3yq5xw7m2bz4n6c7d5f3g2h4j6l7p2q","shop":"main","owner":"customer:ada","email":"bounce@simulator.amazonses.com",
		"status":"rejected","outcome":"rejected","reason":"out-of-stock","awaits":["money","stock"],"placed_at":1772366400000,"total":1250,"currency":"EUR",
		"lines":[{"sku":"CLOCK-1","quantity":1,"price":1250}]}`)
	return c
}

type mail struct{ To, Subject, Text, HTML string }

func read(t *testing.T, c *cloudtest.Cloud, key string) (m mail) {
	t.Helper()
	require.NotEmpty(t, c.Row("Mailbox", key))
	require.NoError(t, json.Unmarshal([]byte(c.Row("Mailbox", key)), &m))
	return m
}

func TestSendNotification_MailsAConfirmation(t *testing.T) {
	t.Parallel()
	c := orders(t)

	assert.Empty(t, c.Deliver(build, name, "send-notification.json"))

	m := read(t, c, sold+"#confirmed")
	assert.Equal(t, "ada@example.com", m.To)
	assert.Equal(t, "Your order ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4 is confirmed", m.Subject)
	assert.Contains(t, m.Text, "2 x MUG-1: 25.00 EUR")
	assert.Contains(t, m.HTML, "79.00 EUR")
	assert.JSONEq(t, `{
		"pk": "`+sold+
		`#confirmed", "shop": "main", "order": "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4", "template": "confirmed",
		"status": "sent", "claim": "nonce001", "at": 1772366400000, "message": "`+sold+`#confirmed",
		"recipient": "`+string(notify.RecipientOf("ada@example.com"))+`"
	}`, c.Row("Notices", sold+"#confirmed"))
	assert.NotContains(t, c.Log.String(), "ada@")

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "send-notification.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestSendNotification_TimesOutWhenItsClaimsExpect(t *testing.T) {
	t.Parallel()
	assert.Equal(t, notify.Timeout, cloudtest.New(t).Timeout(name))
}

func TestSendNotification_MailsARefund(t *testing.T) {
	t.Parallel()
	c := orders(t)

	assert.Empty(t, c.Deliver(build, name, "send-notification.refunded.json"))

	assert.Len(t, c.Rows("Mailbox"), 2, "the confirmation, and one refund: the other is pending")
	assert.Contains(t, read(t, c, sold+"#refunded#ref_1").Text, "We have refunded 12.50 EUR.")

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "send-notification.refunded.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestSendNotification_SuppressesABouncingAddress(t *testing.T) {
	t.Parallel()
	c := orders(t)

	assert.Empty(t, c.Deliver(build, name, "send-notification.bounces.json"))

	recipient := string(notify.RecipientOf("bounce@simulator.amazonses.com"))
	assert.Empty(t, c.Rows("Mailbox"))
	assert.JSONEq(t, `{"pk": "suppressed#`+recipient+`", "at": 1772366400000}`,
		c.Row("Notices", "suppressed#"+recipient))
	assert.JSONEq(t, `{
		"pk": "`+refused+
		`#rejected", "shop": "main", "order": "ord_k3yq5xw7m2bz4n6c7d5f3g2h4j6l7p2q", "template": "rejected",
		"status": "suppressed", "claim": "nonce001", "at": 1772366400000, "recipient": "`+recipient+`"
	}`, c.Row("Notices", refused+"#rejected"))

	t.Run("the same message again changes nothing", func(t *testing.T) {
		before := c.State()
		assert.Empty(t, c.Deliver(build, name, "send-notification.bounces.json"))
		assert.Equal(t, before, c.State())
	})
}

func TestSendNotification_UnknownOrderIsAnError(t *testing.T) {
	t.Parallel()
	c := orders(t)
	for range 2 {
		assert.Equal(t, []string{"059f36b4-87a3-44ab-83d2-000000000074"},
			c.Deliver(build, name, "send-notification.unknown-order.json"))
		assert.Empty(t, c.Rows("Notices"))
		assert.Empty(t, c.Rows("Mailbox"))
	}
}
