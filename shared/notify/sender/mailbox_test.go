package sender_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/fault"
	"backroom/shared/notify"
	"backroom/shared/notify/sender"
)

func TestMailbox_StoresANoticeOnce(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	box := sender.NewMailbox(c.Runtime().DynamoDB(), c.Table("Mailbox"), c.Clock.Now)
	for range 2 {
		id, err := box.Send(t.Context(), notice, mail)
		require.NoError(t, err)
		assert.Equal(t, "main#ord_1#confirmed", id)
		c.Clock.Pass(1)
	}
	assert.Len(t, c.Rows("Mailbox"), 1)
	assert.JSONEq(t, `{
		"pk": "main#ord_1#confirmed", "shop": "main", "order": "ord_1", "template": "confirmed",
		"to": "ada@example.com", "subject": "Größe", "text": "text", "html": "<p>text</p>", "at": 1772366400000, "expires": 1772971200, "sends": 2
	}`, c.Row("Mailbox", "main#ord_1#confirmed"))
}

func TestMailbox_RefusesAddressesThatBounce(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	box := sender.NewMailbox(c.Runtime().DynamoDB(), c.Table("Mailbox"), c.Clock.Now)
	for to, bounces := range map[string]bool{
		"bounce@simulator.amazonses.com": true, "Bounce+1@example.com": true, "success@simulator.amazonses.com": false,
		"bouncer@example.com": false,
	} {
		_, err := box.Send(t.Context(), notify.Notice{Shop: "main", Order: to, Template: notify.Expired}, notify.Mail{To: to})
		if bounces {
			require.ErrorIs(t, err, notify.ErrRefused, to)
		} else {
			require.NoError(t, err, to)
		}
	}
	assert.Len(t, c.Rows("Mailbox"), 2)
}

func TestMailbox_UnavailableTableIsAnErrorWithoutAnAddress(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	table := c.Table("Mailbox")
	c.Remove("Mailbox")
	_, err := sender.NewMailbox(c.Runtime().DynamoDB(), table, c.Clock.Now).Send(t.Context(), notice, mail)
	require.Error(t, err)
	assert.Equal(t, fault.Internal, fault.KindOf(err))
	assert.NotContains(t, err.Error(), "ada", "no address in an error")
}
