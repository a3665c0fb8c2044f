// Package notify tells customers by mail what became of their orders: one mail per notice, and only what is so.
package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"slices"
	"strings"
	"time"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// Template is the name of what a mail says.
type Template string

// The templates.
const (
	Confirmed Template = "confirmed"
	Rejected  Template = "rejected"
	Expired   Template = "expired"
	Canceled  Template = "canceled"
	Refunded  Template = "refunded"
)

// Order is what a mail needs to know of an order, as its row says it now.
type Order struct {
	ID       string
	Shop     saga.Shop
	Email    string // empty: its customer gave none, or was erased
	Outcome  string
	Reason   string // of a rejection
	MoneyOut bool   // money is on its way back and not there yet
	Lines    []saga.Line
	Total    money.Money
	PlacedAt time.Time
	Refunds  []saga.Refund
}

// Notice is one mail to the customer of an order. There is at most one of the same shop, order, template and refund.
type Notice struct {
	Shop     saga.Shop
	Order    string
	Template Template
	Refund   string // the refund that it is about; empty for all but Refunded
}

// Key is what the notice is filed under: its shop, its order, its template, and its refund if it has one.
func (n Notice) Key() string {
	key := string(n.Shop) + "#" + n.Order + "#" + string(n.Template)
	if n.Refund != "" {
		key += "#" + n.Refund
	}
	return key
}

// outcomes are the facts that a mail tells, each with its template; the outcome of the order is called the same.
var outcomes = map[saga.Fact]Template{
	saga.OrderConfirmed: Confirmed, saga.OrderRejected: Rejected, saga.OrderExpired: Expired, saga.OrderCanceled: Canceled,
}

// Due returns the notices that a fact owes an order's customer: none if the order moved on and the mail would not be true any
// more. What came instead has a fact, and a mail, of its own: a customer whose order was confirmed, then canceled, and who
// reads both mails in the wrong order would wait for a parcel.
func Due(f saga.Fact, o Order) []Notice {
	if f == saga.OrderRefunded {
		var all []Notice
		for _, r := range o.Refunds {
			if r.Status == saga.RefundStatusSucceeded {
				all = append(all, Notice{o.Shop, o.ID, Refunded, r.ID})
			}
		}
		return all
	}
	t, told := outcomes[f]
	if !told || o.Outcome != string(t) || t == Canceled && o.MoneyOut {
		return nil
	}
	return []Notice{{Shop: o.Shop, Order: o.ID, Template: t}}
}

// refund returns the refund that a notice is about.
func (o Order) refund(id string) saga.Refund {
	i := slices.IndexFunc(o.Refunds, func(r saga.Refund) bool { return r.ID == id })
	if i < 0 {
		return saga.Refund{}
	}
	return o.Refunds[i]
}

// State is how far a notice is.
type Status string

// The states of a notice. Sending is left only for one of the others, which are final.
const (
	Sending    Status = "sending"    // somebody claimed it
	Sent       Status = "sent"       // the sender took it
	Suppressed Status = "suppressed" // nothing is sent to this address: mail to it came back
)

// Recipient is what is kept of an email address: a digest. Who knows the address finds what was sent to it; who reads the
// digest can only guess addresses and compare.
type Recipient string

// RecipientOf returns the recipient with an address, however it is capitalised.
func RecipientOf(email string) Recipient {
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	return Recipient(hex.EncodeToString(sum[:]))
}

// addressable reports whether email is one address and nothing else: no name, no list, no second line.
func addressable(email string) bool {
	parsed, err := mail.ParseAddress(email)
	return err == nil && parsed.Address == email && !strings.ContainsFunc(email, unprintable)
}
