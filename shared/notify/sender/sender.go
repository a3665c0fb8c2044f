// Package sender hands mails to who delivers them: to SES, or to the mailbox where no real person is to be written to.
package sender

import (
	"context"
	"time"

	"backroom/shared/circuit"
	"backroom/shared/fault"
	"backroom/shared/function"
	"backroom/shared/notify"
)

// What a sender's troubles are to us. After both the mail may be on its way.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "mail-provider-unavailable", "The mail provider does not answer; try again later.")
	ErrThrottled   = fault.New(fault.Throttled, "mail-provider-throttled", "The mail provider takes no more mails now; try again later.")
)

// Settings say who delivers mails. Embed them in a function's own.
type Settings struct {
	From             string `env:"MAIL_FROM" envDefault:""`              // the sender's address at SES; empty: the mailbox takes all mails
	ConfigurationSet string `env:"MAIL_CONFIGURATION_SET" envDefault:""` // of SES; empty: none
	Mailbox          string `env:"MAILBOX_TABLE"`
	Circuits         string `env:"CIRCUITS_TABLE"`
}

// New returns the sender that the settings name, behind a circuit.
func New(rt function.Runtime, s Settings) notify.Sender {
	rest := circuit.New("mail-provider", circuit.Table{DB: rt.DynamoDB(), Name: s.Circuits}, rt.Now, circuit.DefaultSettings)
	if s.From == "" {
		return Guarded{Sender: NewMailbox(rt.DynamoDB(), s.Mailbox, rt.Now), Circuit: rest}
	}
	return Guarded{Sender: NewSES(rt.AWS, s.From, s.ConfigurationSet), Circuit: rest, Needs: sesTimeout}
}

var errNoTime = fault.New(fault.Conflict, "mail-deadline-near", "There is not enough time left to send a mail; the message comes again.")

// Guarded is a sender that is left alone while it fails.
type Guarded struct {
	notify.Sender
	Circuit *circuit.Breaker
	Needs   time.Duration // so long a mail may take
}

// Send hands the mail over unless the sender is given a rest: then it returns fault.Unavailable. It returns fault.Conflict if the
// context ends too soon: a mail whose sending is cut off would be sent twice.
func (g Guarded) Send(ctx context.Context, n notify.Notice, m notify.Mail) (id string, err error) {
	if until, limited := ctx.Deadline(); limited && time.Until(until) < g.Needs {
		return "", errNoTime
	}
	err = g.Circuit.Do(ctx, func() (err error) {
		id, err = g.Sender.Send(ctx, n, m)
		return err
	})
	return id, err
}
