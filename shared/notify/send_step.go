package notify

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// What may come of a notice.
var (
	// ErrBeingSent is what Claim returns while another sends the notice.
	ErrBeingSent = fault.New(fault.Conflict, "notice-being-sent", "Another is sending this mail right now.")
	// ErrSettled is what Claim returns for a notice that is final.
	ErrSettled = fault.New(fault.Duplicate, "notice-settled", "What became of this mail is settled.")
	// ErrRefused is what a sender returns that will never deliver to the address.
	ErrRefused = fault.New(fault.Invalid, "address-refused", "Mail to this address is refused.")
)

// lease is how long a claim holds: longer than the function lives, and over before a message that the function took with it
// when it died is visible again.
const lease = 30 * time.Second

// Orders has the orders' rows.
type Orders interface {
	// Load reads an order consistently. It returns fault.NotFound for none.
	Load(ctx context.Context, shop saga.Shop, order string) (Order, error)
}

// Claim is the right to send a notice.
type Claim struct {
	Notice Notice
	Token  string // tells it from every other claim on the notice
}

// Outcome is what became of a notice.
type Outcome struct {
	Status    Status // Sent or Suppressed
	At        time.Time
	Recipient Recipient
	Message   string // the sender's id of the mail
}

// Notices keeps what became of every notice, and which recipients get none.
type Notices interface {
	// Claim takes a notice until the lease ends. It returns ErrSettled for one that is final, and ErrBeingSent for one that is
	// claimed at the moment.
	Claim(ctx context.Context, n Notice, now, until time.Time) (Claim, error)
	// Release gives a claim back, so that the next may come at once. It returns ErrBeingSent if the claim lapsed and another has it.
	Release(ctx context.Context, c Claim) error
	// Settle makes a claimed notice final. It returns ErrBeingSent if the claim lapsed and another has it.
	Settle(ctx context.Context, c Claim, o Outcome) error
	// Suppressed reports whether a recipient gets no mail.
	Suppressed(ctx context.Context, r Recipient) (bool, error)
	// Suppress has a recipient get no mail any more.
	Suppress(ctx context.Context, r Recipient, at time.Time) error
}

// Sender hands mails to who delivers them.
type Sender interface {
	// Send hands a mail over and returns the id that it has there. It returns ErrRefused if it will never be delivered to this
	// address, and fault.Unavailable or fault.Throttled for another time: then the mail may be on its way nevertheless.
	Send(ctx context.Context, n Notice, m Mail) (id string, err error)
}

// SendStep sends mails.
type SendStep struct {
	Orders  Orders
	Notices Notices
	Sender  Sender
	Now     func() time.Time
}

// What became of a mail, in the log.
const (
	outcomeNoAddress  = "no-address" // the order has none, or its customer was erased
	outcomeOutdated   = "outdated"   // the order moved on
	outcomeRepeated   = "repeated"   // it was settled before
	outcomeSent       = "sent"
	outcomeSuppressed = "suppressed"
)

// Handle answers an order's outcome, its cancellation and its refunds with a mail each. Nobody asks for a mail again: while one
// can not be sent its message is kept. A mail is sent again only if the
// function died, or lost the sender's answer, after the sender took it: once too often rather than never.
func (s SendStep) Handle(ctx context.Context, e saga.Event) error {
	if _, err := saga.As[saga.OrderRef](e); err != nil {
		return err
	}
	o, err := s.Orders.Load(ctx, e.Shop, e.Subject)
	if err != nil {
		return err
	}
	notices := Due(e.Type, o)
	switch {
	case o.Email == "":
		note(ctx, outcomeNoAddress)
		return nil
	case len(notices) == 0:
		note(ctx, outcomeOutdated)
	}
	var failures []error
	for _, n := range notices {
		failures = append(failures, s.tell(ctx, n, o))
	}
	return errors.Join(failures...)
}

// tell sends one mail, unless that was done.
func (s SendStep) tell(ctx context.Context, n Notice, o Order) error {
	m, err := Write(n, o)
	if err != nil {
		return err
	}
	now := s.Now()
	claim, err := s.Notices.Claim(ctx, n, now, now.Add(lease))
	switch {
	case errors.Is(err, fault.Duplicate):
		note(ctx, outcomeRepeated)
		return nil
	case err != nil:
		return err
	}
	id, err := s.send(ctx, n, m)
	outcome := Outcome{Status: Sent, At: s.Now(), Recipient: RecipientOf(m.To), Message: id}
	switch {
	case errors.Is(err, ErrRefused):
		outcome.Status = Suppressed
		note(ctx, outcomeSuppressed)
		observe.Count(ctx, "MailsSuppressed", observe.Number, 1)
	case err != nil:
		return errors.Join(err, s.Notices.Release(ctx, claim))
	default:
		note(ctx, outcomeSent)
		observe.Count(ctx, "MailsSent", observe.Number, 1)
	}
	return s.Notices.Settle(ctx, claim, outcome)
}

// send hands a mail over, and remembers the address if it is refused. It returns ErrRefused, too, for one that was refused before.
func (s SendStep) send(ctx context.Context, n Notice, m Mail) (id string, err error) {
	r := RecipientOf(m.To)
	suppressed, err := s.Notices.Suppressed(ctx, r)
	switch {
	case err != nil:
		return "", err
	case suppressed:
		return "", ErrRefused
	case addressable(m.To):
		id, err = s.Sender.Send(ctx, n, m)
	default:
		err = ErrRefused
	}
	if errors.Is(err, ErrRefused) {
		if kept := s.Notices.Suppress(ctx, r, s.Now()); kept != nil {
			return "", kept
		}
	}
	return id, err
}

func note(ctx context.Context, outcome string) { observe.Note(ctx, slog.String("mail", outcome)) }
