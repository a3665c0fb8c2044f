package order

import (
	"slices"

	"backroom/shared/fault"
	"backroom/shared/saga"
)

// Nobody owns an order that was erased.
const Nobody = "#erased" // no token names a subject with a #

// ErrStillOpen is what Erase comes back with for an order that is owed something.
var ErrStillOpen = fault.New(fault.Conflict, "order-still-open", "The order is still open; it can be erased once it is over.")

// Erase decides what is left of an order whose customer is to be forgotten: what was sold, for how much, and when. It returns
// ErrStillOpen for an order whose story goes on, because its payment and its mails need what would be erased.
func Erase(o Order) (Order, []saga.Fact, error) {
	if o.Owner == Nobody {
		return o, nil, nil
	}
	if o.Open() {
		return o, nil, ErrStillOpen
	}
	erased := o.Owner
	forget := func(actor *string) {
		if *actor == erased {
			*actor = Nobody
		}
	}
	o.Owner, o.Email, o.PaymentMethod = Nobody, "", ""
	if o.Verdict == Cancelled {
		o.Reason = "" // people's own words may name people
	}
	o.RefundNotes, o.Resolution.Reason = slices.Clone(o.RefundNotes), ""
	for i := range o.RefundNotes {
		o.RefundNotes[i].Reason = ""
	}
	o.Diary.Entries = slices.Clone(o.Diary.Entries)
	for i := range o.Diary.Entries {
		forget(&o.Diary.Entries[i].Cause.Actor)
	}
	return o, []saga.Fact{saga.OrderErased}, nil
}
