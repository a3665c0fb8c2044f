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

// Errors of a notice.
var (
	// ErrBeingSent is what Claim returns while another sends the notice.
	ErrBeingSent = fault.New(fault.Conflict, "notice-being-sent", "Another invocation is sending this mail.")
	// ErrSettled is what Claim returns for a notice that is final.
	ErrSettled = fault.New(fault.Duplicate, "notice-settled", "This mail was sent or suppressed before.")
	// ErrRefused is what a sender returns that will never deliver to the address.
	ErrRefused = fault.New(fault.Invalid, "address-refused", "The mail provider refuses mail to this address.")
)

// lease is how long a claim is valid. It is longer than the function's timeout, and shorter than
// the visibility timeout of its message: after a crash the claim has ended when the message is
// delivered again.
const lease = 30 * time.Second

// Orders reads the orders' rows.
type Orders interface {
	// Load reads an order consistently. It returns fault.NotFound for an unknown order.
	Load(ctx context.Context, shop saga.Shop, order string) (Order, error)
}

// Claim is the right to send a notice.
type Claim struct {
	Notice Notice
	Token  string // unique among the claims on the notice
}

// Outcome is the result of a notice.
type Outcome struct {
	Status    Status // Sent or Suppressed
	At        time.Time
	Recipient Recipient
	Message   string // the sender's id of the mail
}

// Notices stores the status of every notice, and the suppressed recipients.
type Notices interface {
	// Claim claims a notice until the lease ends. It returns ErrSettled for a final notice, and
	// ErrBeingSent for a claimed one.
	Claim(ctx context.Context, n Notice, now, until time.Time) (Claim, error)
	// Release ends a claim early, so that the notice can be claimed at once. It returns
	// ErrBeingSent if the claim lapsed and the notice was claimed again.
	Release(ctx context.Context, c Claim) error
	// Settle makes a claimed notice final. It returns ErrBeingSent if the claim lapsed and the
	// notice was claimed again.
	Settle(ctx context.Context, c Claim, o Outcome) error
	// Suppressed reports whether a recipient is suppressed.
	Suppressed(ctx context.Context, r Recipient) (bool, error)
	// Suppress stops all further mail to a recipient.
	Suppress(ctx context.Context, r Recipient, at time.Time) error
}

// Sender hands mails over for delivery.
type Sender interface {
	// Send hands a mail over and returns the provider's id of it. It returns ErrRefused if mail to
	// this address is never delivered. It returns fault.Unavailable or fault.Throttled if the mail
	// must be sent again later; it may have been sent all the same.
	Send(ctx context.Context, n Notice, m Mail) (id string, err error)
}

// SendStep sends the mails of an order.
type SendStep struct {
	Orders  Orders
	Notices Notices
	Sender  Sender
	Now     func() time.Time
}

// The result of a mail, in the log.
const (
	outcomeNoAddress  = "no-address" // the order has no address, or its customer was erased
	outcomeOutdated   = "outdated"   // the order has changed since
	outcomeRepeated   = "repeated"   // its notice was final already
	outcomeSent       = "sent"
	outcomeSuppressed = "suppressed"
)

// Handle sends one mail for an order's outcome, one for its cancellation, and one for each refund.
// Mail is not asked for again, so a message whose mail cannot be sent returns an error and is
// delivered again. A mail is sent twice only if the function dies, or loses the sender's answer,
// after the sender took the mail: twice is better than never.
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
		failures = append(failures, s.deliver(ctx, n, o))
	}
	return errors.Join(failures...)
}

// deliver sends one mail, unless its notice is final.
func (s SendStep) deliver(ctx context.Context, n Notice, o Order) error {
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

// send hands a mail over, and suppresses the address if it is refused. It returns ErrRefused for a
// suppressed address too.
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
