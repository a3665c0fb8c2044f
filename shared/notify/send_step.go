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

// Timeout is how long an invocation of send-notification may take. Lambda ends its process then, so
// that it cannot send a mail later. The template says the same.
const Timeout = 10 * time.Second

// lease is how long a claim is valid: until its sender has ended by the clock of every other, which
// may be some seconds ahead. It is shorter than the visibility timeout of the message: after a crash
// the claim has ended when the message is delivered again.
const lease = Timeout + 5*time.Second

// Orders reads the orders' rows.
type Orders interface {
	// Load reads an order consistently. It returns fault.NotFound for an unknown order.
	Load(ctx context.Context, shop saga.Shop, order string) (Order, error)
}

// Claim is the right to send a notice.
type Claim struct {
	Notice Notice
	Token  string    // unique among the claims on the notice
	Until  time.Time // when its lease ends
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
	// Settled reports whether a notice is final. It returns ErrBeingSent for a claimed one.
	Settled(ctx context.Context, n Notice, now time.Time) (bool, error)
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
	if t, told := outcomes[e.Type]; told {
		return s.deliver(ctx, Notice{Shop: e.Shop, Order: e.Subject, Template: t})
	}
	return s.deliverRefunds(ctx, e.Shop, e.Subject)
}

// deliverRefunds sends the mails of all refunds that succeeded. The fact does not say which they
// are, so it reads the order once more.
func (s SendStep) deliverRefunds(ctx context.Context, shop saga.Shop, order string) error {
	o, err := s.Orders.Load(ctx, shop, order)
	switch {
	case err != nil:
		return err
	case o.Email == "":
		note(ctx, outcomeNoAddress)
		return nil
	}
	outdated := true
	var failures []error
	for _, r := range o.Refunds {
		if n := (Notice{Shop: shop, Order: order, Template: Refunded, Refund: r.ID}); n.Due(o) {
			outdated = false
			failures = append(failures, s.deliver(ctx, n))
		}
	}
	if outdated {
		note(ctx, outcomeOutdated)
	}
	return errors.Join(failures...)
}

// deliver sends one mail, unless its notice is final. The order of its calls keeps the mails of an
// order in an order that a customer can believe, however long the process stops between two calls:
// it claims the notice, then reads the order, then the claim on the earlier notice. A sender of the
// earlier mail that claimed before is waited for. A sender that claims later reads the order later,
// and finds its mail no longer due.
func (s SendStep) deliver(ctx context.Context, n Notice) error {
	now := s.Now()
	claim, err := s.Notices.Claim(ctx, n, now, now.Add(lease))
	switch {
	case errors.Is(err, fault.Duplicate):
		note(ctx, outcomeRepeated)
		return nil
	case err != nil:
		return err
	}
	outcome, err := s.sendClaimed(ctx, claim)
	if err != nil || outcome == (Outcome{}) {
		return errors.Join(err, s.Notices.Release(ctx, claim))
	}
	return s.Notices.Settle(ctx, claim, outcome)
}

// sendClaimed sends the mail of a claimed notice. It returns no outcome if the mail is not due.
func (s SendStep) sendClaimed(ctx context.Context, claim Claim) (Outcome, error) {
	n := claim.Notice
	o, err := s.Orders.Load(ctx, n.Shop, n.Order)
	switch {
	case err != nil:
		return Outcome{}, err
	case o.Email == "":
		note(ctx, outcomeNoAddress)
		return Outcome{}, nil
	case !n.Due(o):
		note(ctx, outcomeOutdated)
		return Outcome{}, nil
	}
	if err := s.precede(ctx, n, o); err != nil {
		return Outcome{}, err
	}
	m, err := Write(n, o)
	if err != nil {
		return Outcome{}, err
	}
	id, err := s.send(ctx, claim, m)
	outcome := Outcome{Status: Sent, At: s.Now(), Recipient: RecipientOf(m.To), Message: id}
	switch {
	case errors.Is(err, ErrRefused):
		outcome.Status = Suppressed
		note(ctx, outcomeSuppressed)
		observe.Count(ctx, "MailsSuppressed", observe.Number, 1)
	case err != nil:
		return Outcome{}, err
	default:
		note(ctx, outcomeSent)
		observe.Count(ctx, "MailsSent", observe.Number, 1)
	}
	return outcome, nil
}

// precede returns nil once the mail that must arrive before that of n was sent, or never will be. It
// sends an earlier mail that is still due, for its own message may be late. It returns ErrBeingSent
// while another sends it.
func (s SendStep) precede(ctx context.Context, n Notice, o Order) error {
	first, exists := n.Before()
	if !exists {
		return nil
	}
	settled, err := s.Notices.Settled(ctx, first, s.Now())
	if err != nil || settled || !first.Due(o) {
		return err
	}
	return s.deliver(ctx, first)
}

// send hands a mail over, and suppresses the address if it is refused. It returns ErrRefused for a
// suppressed address too, and ErrBeingSent if the claim has lapsed.
func (s SendStep) send(ctx context.Context, claim Claim, m Mail) (id string, err error) {
	r := RecipientOf(m.To)
	suppressed, err := s.Notices.Suppressed(ctx, r)
	switch {
	case err != nil:
		return "", err
	case suppressed:
		return "", ErrRefused
	case !s.Now().Before(claim.Until):
		return "", ErrBeingSent
	case addressable(m.To):
		id, err = s.Sender.Send(ctx, claim.Notice, m)
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
