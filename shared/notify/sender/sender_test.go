package sender_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/circuit"
	"backroom/shared/fault"
	"backroom/shared/notify"
	"backroom/shared/notify/sender"
)

func TestNew_SelectsTheSenderBySettings(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	s := sender.Settings{Mailbox: c.Table("Mailbox"), Circuits: c.Table("Circuits")}
	assert.IsType(t, sender.Mailbox{}, sender.New(c.Runtime(), s).(sender.Guarded).Sender)
	s.From = "orders@shop.example"
	assert.IsType(t, sender.SES{}, sender.New(c.Runtime(), s).(sender.Guarded).Sender)
}

// office is a sender that always gives the same answer, and counts the mails.
type office struct {
	answer error
	asked  int
}

func (o *office) Send(context.Context, notify.Notice, notify.Mail) (string, error) {
	o.asked++
	return "m-1", o.answer
}

func guarded(cloud *cloudtest.Cloud, o *office) sender.Guarded {
	table := circuit.Table{DB: cloud.Runtime().DynamoDB(), Name: cloud.Table("Circuits")}
	return sender.Guarded{Sender: o,
		Circuit: circuit.New("mail-provider", table, cloud.Clock.Now, circuit.DefaultSettings)}
}

func TestGuarded_SendsOnlyWithEnoughTimeLeft(t *testing.T) {
	t.Parallel()
	cloud, o := cloudtest.New(t), &office{answer: sender.ErrUnavailable}
	g := guarded(cloud, o)
	g.Needs = time.Minute
	for range circuit.DefaultSettings.AtLeast {
		_, _ = g.Send(t.Context(), notice, mail)
	}
	cloud.Clock.Pass(circuit.DefaultSettings.Rest)
	before, asked := cloud.State(), o.asked

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := g.Send(ctx, notice, mail)
	require.ErrorIs(t, err, fault.Conflict, "it does not count against the sender")
	assert.Equal(t, asked, o.asked)
	assert.Equal(t, before, cloud.State(), "and does not close the circuit")

	ctx, cancel = context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	o.answer = nil
	_, err = g.Send(ctx, notice, mail)
	require.NoError(t, err)
}

func TestGuarded_OpensItsCircuitWhenTheSenderFails(t *testing.T) {
	for sentence, c := range map[string]struct {
		answer error
		asked  int
	}{
		"opens: no answer":                 {sender.ErrUnavailable, int(circuit.DefaultSettings.AtLeast)},
		"opens: throttled":                 {sender.ErrThrottled, int(circuit.DefaultSettings.AtLeast)},
		"stays closed: an address refused": {notify.ErrRefused, 20},
		"stays closed: our mistake":        {errors.New("ses: NotFoundException"), 20},
		"stays closed: success":            {nil, 20},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			cloud, o := cloudtest.New(t), &office{answer: c.answer}
			g := guarded(cloud, o)
			var err error
			for range 20 {
				_, err = g.Send(t.Context(), notice, mail)
			}
			assert.Equal(t, c.asked, o.asked)
			if c.asked < 20 {
				require.Equal(t, fault.Unavailable, fault.KindOf(err))
				assert.ErrorContains(t, err, "mail-provider-circuit-open")
			} else {
				assert.ErrorIs(t, err, c.answer)
			}
		})
	}
}
