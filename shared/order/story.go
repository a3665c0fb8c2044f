package order

import (
	"cmp"
	"slices"
	"time"

	"backroom/shared/saga"
)

// Story is an order with its payment and the histories of all its rows.
type Story struct {
	Order    Order
	Payment  Payment
	Entries  []StoryEntry
	Versions []int64 // of the rows that it was read from
}

// Payment is the state of an order's payment, in the terms of its charge. The zero Payment has not
// begun.
type Payment struct {
	Status       string
	ClientSecret string // lets the customer's browser complete a check such as 3-D Secure
	Refunds      []ExternalRefund
	Disputes     []Dispute
}

// ExternalRefund is a refund that was made at the payment provider itself.
type ExternalRefund struct {
	ID     string // the provider's
	Amount int64  // minor units of the order's currency
	Status saga.RefundStatus
}

// Dispute is a claim of the customer's bank, in the terms of the charge.
type Dispute struct {
	ID     string // the provider's
	Amount int64  // minor units of the order's currency
	Status string
}

// ActionNeeded is the status of a payment that waits for its customer.
const ActionNeeded = "action_needed"

// StoryEntry is an entry of a history, with the id of its event.
type StoryEntry struct {
	ID string
	saga.Entry
}

// Payable reports whether the payment waits for the customer and can still succeed: the order is
// undecided, and its payment window is open.
func (s Story) Payable(now time.Time) bool {
	return s.Payment.Status == ActionNeeded && s.Order.Outcome == Undecided && now.Before(s.Order.ExpiresAt)
}

// Timeline sorts the entries of several rows by time. An entry never comes before its cause, even
// if the clocks of their writers differ.
func Timeline(entries []StoryEntry) []StoryEntry {
	byID := map[string]StoryEntry{}
	for _, e := range entries {
		byID[e.ID] = e
	}
	type ranked struct {
		StoryEntry
		earliest time.Time // of its own time and those of its causes, the latest
		depth    int       // the number of causes before it
	}
	sorted := make([]ranked, 0, len(entries))
	for _, e := range entries {
		r := ranked{StoryEntry: e, earliest: e.At}
		for cause, known := byID[e.Cause.ID]; known && r.depth < len(entries); cause, known = byID[cause.Cause.ID] {
			r.depth++
			if cause.At.After(r.earliest) {
				r.earliest = cause.At
			}
		}
		sorted = append(sorted, r)
	}
	slices.SortStableFunc(sorted, func(a, b ranked) int {
		return cmp.Or(a.earliest.Compare(b.earliest), cmp.Compare(a.depth, b.depth))
	})
	timeline := make([]StoryEntry, 0, len(sorted))
	for _, r := range sorted {
		timeline = append(timeline, r.StoryEntry)
	}
	return timeline
}
