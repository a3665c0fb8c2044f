package order

import (
	"cmp"
	"slices"
	"time"

	"backroom/shared/saga"
)

// Story is an order with all that is written about it.
type Story struct {
	Order    Order
	Payment  Payment
	Entries  []StoryEntry
	Versions []int64 // of the rows it was read from
}

// Payment is how the payment of an order stands, in the words of who keeps it. The zero Payment was not begun.
type Payment struct {
	Status       string
	ClientSecret string // with it the customer's browser goes on where the provider asks for that, as in 3-D Secure
}

// ActionNeeded is the state of a payment that waits for its customer.
const ActionNeeded = "action_needed"

// StoryEntry is a diary's entry with the id under which it was told.
type StoryEntry struct {
	ID string
	saga.Entry
}

// Payable reports whether the customer can still do what the payment waits for: the order has no outcome, and its payment window
// is open.
func (s Story) Payable(now time.Time) bool {
	return s.Payment.Status == ActionNeeded && s.Order.Outcome == Undecided && now.Before(s.Order.ExpiresAt)
}

// Timeline puts entries of several rows into one order: nothing before its cause, whatever the clocks of their writers
// said, and otherwise by time.
func Timeline(entries []StoryEntry) []StoryEntry {
	byID := map[string]StoryEntry{}
	for _, e := range entries {
		byID[e.ID] = e
	}
	type placed struct {
		StoryEntry
		after time.Time // when it can have happened at the earliest
		depth int       // how many causes lie before it
	}
	sorted := make([]placed, 0, len(entries))
	for _, e := range entries {
		p := placed{StoryEntry: e, after: e.At}
		for cause, known := byID[e.Cause.ID]; known && p.depth < len(entries); cause, known = byID[cause.Cause.ID] {
			p.depth++
			if cause.At.After(p.after) {
				p.after = cause.At
			}
		}
		sorted = append(sorted, p)
	}
	slices.SortStableFunc(sorted, func(a, b placed) int {
		return cmp.Or(a.after.Compare(b.after), cmp.Compare(a.depth, b.depth))
	})
	told := make([]StoryEntry, 0, len(sorted))
	for _, p := range sorted {
		told = append(told, p.StoryEntry)
	}
	return told
}
