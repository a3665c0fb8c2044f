// Package sender hands mails over for delivery: to SES, or to the mailbox in stages that must send
// no mail.
package sender

import (
	"context"
	"time"

	"backroom/shared/circuit"
	"backroom/shared/fault"
	"backroom/shared/function"
	"backroom/shared/notify"
)

// Errors of a sender. After both, the mail may have been sent all the same.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "mail-provider-unavailable",
		"The mail provider does not answer. Try again later.")
	ErrThrottled = fault.New(fault.Throttled, "mail-provider-throttled",
		"The mail provider throttles mails. Try again later.")
)

// Settings select the sender. Embed them in a function's own settings.
type Settings struct {
	From             string `env:"MAIL_FROM" envDefault:""`              // at SES; empty: the mailbox stores all mails
	ConfigurationSet string `env:"MAIL_CONFIGURATION_SET" envDefault:""` // of SES; optional
	Mailbox          string `env:"MAILBOX_TABLE"`
	Circuits         string `env:"CIRCUITS_TABLE"`
}

// New returns the sender that the settings select, behind a circuit.
func New(rt function.Runtime, s Settings) notify.Sender {
	rest := circuit.New("mail-provider", circuit.Table{DB: rt.DynamoDB(), Name: s.Circuits}, rt.Now,
		circuit.DefaultSettings)
	if s.From == "" {
		return Guarded{Sender: NewMailbox(rt.DynamoDB(), s.Mailbox, rt.Now), Circuit: rest}
	}
	return Guarded{Sender: NewSES(rt.AWS, s.From, s.ConfigurationSet), Circuit: rest, Needs: sesTimeout}
}

var errNoTime = fault.New(fault.Conflict, "mail-deadline-near",
	"There is not enough time left to send the mail; the message comes again.")

// Guarded is a sender behind a circuit, which stops calls while the sender fails.
type Guarded struct {
	notify.Sender
	Circuit *circuit.Breaker
	Needs   time.Duration // the longest time that one mail takes
}

// Send hands the mail over. It returns fault.Unavailable while the circuit is open. It returns
// fault.Conflict if the context ends too soon, because a mail whose sending is cut off would be
// sent twice.
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
