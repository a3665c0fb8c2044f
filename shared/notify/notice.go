// Package notify sends customers mails about their orders: one mail per notice, about what is true
// when it is sent.
package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"backroom/shared/email"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// Template is the name of a mail's template.
type Template string

// The templates.
const (
	Confirmed Template = "confirmed"
	Rejected  Template = "rejected"
	Expired   Template = "expired"
	Canceled  Template = "canceled"
	Refunded  Template = "refunded"
)

// Order is the part of an order's row that mails need.
type Order struct {
	ID       string
	Shop     saga.Shop
	Email    string // empty: the customer gave none, or was erased
	Outcome  string
	Reason   string // of a rejection
	MoneyOut bool   // money is on its way back and has not arrived
	Lines    []saga.Line
	Total    money.Money
	PlacedAt time.Time
	Refunds  []saga.Refund
}

// Notice is one mail to the customer of an order. It is unique by shop, order, template and refund.
type Notice struct {
	Shop     saga.Shop
	Order    string
	Template Template
	Refund   string // the refund of a Refunded notice; empty for all others
}

// Key returns the notice's key: its shop, its order, its template, and its refund if it has one.
func (n Notice) Key() string {
	key := string(n.Shop) + "#" + n.Order + "#" + string(n.Template)
	if n.Refund != "" {
		key += "#" + n.Refund
	}
	return key
}

// outcomes are the facts that lead to a mail, with its template. The order's outcome has the
// template's name.
var outcomes = map[saga.Fact]Template{
	saga.OrderConfirmed: Confirmed, saga.OrderRejected: Rejected, saga.OrderExpired: Expired,
	saga.OrderCanceled: Canceled,
}

// Due reports whether the mail of a notice is true of the order. A mail that is no longer true is
// not sent: the later change has its own fact and its own mail. A mail that is not true yet again,
// such as that of a cancellation whose money did not arrive, is due with the next fact.
func (n Notice) Due(o Order) bool {
	switch n.Template {
	case Refunded:
		return o.refund(n.Refund).Status == saga.RefundStatusSucceeded
	case Canceled:
		return o.Outcome == string(Canceled) && !o.MoneyOut
	}
	return o.Outcome == string(n.Template)
}

// Before returns the notice whose mail must not arrive after that of n, if there is one. A customer
// who reads of the confirmation after the cancellation waits for a parcel; a customer who reads of
// it after the refund does not know what is refunded.
func (n Notice) Before() (first Notice, exists bool) {
	if n.Template != Canceled && n.Template != Refunded {
		return Notice{}, false
	}
	return Notice{Shop: n.Shop, Order: n.Order, Template: Confirmed}, true
}

// refund returns the refund with an id.
func (o Order) refund(id string) saga.Refund {
	i := slices.IndexFunc(o.Refunds, func(r saga.Refund) bool { return r.ID == id })
	if i < 0 {
		return saga.Refund{}
	}
	return o.Refunds[i]
}

// Status is the progress of a notice.
type Status string

// The statuses of a notice. Sending is followed by one of the others, which are final, or by no row
// at all if the mail is not due.
const (
	Sending    Status = "sending"    // a step has claimed it
	Sent       Status = "sent"       // the sender took it
	Suppressed Status = "suppressed" // not sent, because mail to this address is refused
)

// Recipient is the digest of an email address. With the address one finds the mails that were sent
// to it. With the digest one can only guess addresses and compare.
type Recipient string

// RecipientOf returns the recipient with an address. Upper and lower case are alike.
func RecipientOf(email string) Recipient {
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	return Recipient(hex.EncodeToString(sum[:]))
}

// addressable reports whether a mail can be sent to the address. The API accepts no others; an order of an earlier
// release may have one.
func addressable(address string) bool {
	sent, err := email.Parse(address)
	return err == nil && strings.EqualFold(sent, address)
}
