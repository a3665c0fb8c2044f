package order

import (
	"slices"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Erased is the owner of an order that was erased. No token has a subject with a #.
const Erased = "#erased"

// ErrNotSettled is returned for an order that still awaits something.
var ErrNotSettled = fault.New(fault.Conflict, "order-not-settled",
	"The order is not settled yet. Erase it once it is settled.")

// Erase removes the customer's personal data from an order. What was sold, for how much and when,
// stays. Erasing twice changes nothing. It returns ErrNotSettled for an order that awaits
// something, because its payment and its mails still need the data.
func Erase(o Order) (Order, []saga.Fact, error) {
	if o.Owner == Erased {
		return o, nil, nil
	}
	if !o.Settled() {
		return o, nil, ErrNotSettled
	}
	owner := o.Owner
	o.Owner, o.Email, o.PaymentMethod = Erased, "", ""
	if o.Outcome == Canceled {
		o.Reason = "" // free text may name people
	}
	o.RefundNotes, o.Resolution.Reason = slices.Clone(o.RefundNotes), ""
	for i := range o.RefundNotes {
		o.RefundNotes[i].Reason = ""
	}
	o.History.Entries = slices.Clone(o.History.Entries)
	o.History.Rest = saga.Rest{} // it may name people
	for i := range o.History.Entries {
		if actor := &o.History.Entries[i].Cause.Actor; *actor == owner {
			*actor = Erased
		}
	}
	return o, []saga.Fact{saga.OrderErased}, nil
}
