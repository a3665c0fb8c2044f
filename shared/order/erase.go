package order

import (
	"slices"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Nobody owns an order that was erased.
const Erased = "#erased" // no token names a subject with a #

// ErrNotSettled is what Erase comes back with for an order that is owed something.
var ErrNotSettled = fault.New(fault.Conflict, "order-not-settled", "The order is not settled yet. Erase it once it is settled.")

// Erase decides what is left of an order whose customer is to be forgotten: what was sold, for how much, and when. It returns
// ErrNotSettled for an order whose story goes on, because its payment and its mails need what would be erased.
func Erase(o Order) (Order, []saga.Fact, error) {
	if o.Owner == Erased {
		return o, nil, nil
	}
	if !o.Settled() {
		return o, nil, ErrNotSettled
	}
	erased := o.Owner
	forget := func(actor *string) {
		if *actor == erased {
			*actor = Erased
		}
	}
	o.Owner, o.Email, o.PaymentMethod = Erased, "", ""
	if o.Outcome == Canceled {
		o.Reason = "" // people's own words may name people
	}
	o.RefundNotes, o.Resolution.Reason = slices.Clone(o.RefundNotes), ""
	for i := range o.RefundNotes {
		o.RefundNotes[i].Reason = ""
	}
	o.History.Entries = slices.Clone(o.History.Entries)
	for i := range o.History.Entries {
		forget(&o.History.Entries[i].Cause.Actor)
	}
	return o, []saga.Fact{saga.OrderErased}, nil
}
