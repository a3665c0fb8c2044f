package saga

import "time"

// Entry is one fact in a row's history.
type Entry struct {
	Version int
	Fact    Fact
	At      time.Time
	Cause   Cause
}

// History is the list of facts that a row recorded. It is bounded, so every decision must be right
// from the row's state alone. The zero History belongs to a row that was never written.
type History struct {
	Version int    // of the row as it was loaded; every write raises it by one
	Nonce   string // given when the row is created: a row that is deleted and created again has other event ids
	Entries []Entry
	Rest    Rest // of the row
}

// Handled reports whether the history has an entry with the cause: the row has already changed
// because of it.
func (h History) Handled(c Cause) bool {
	for _, e := range h.Entries {
		if e.Cause.ID == c.ID {
			return true
		}
	}
	return false
}

// LastIs reports whether f is the last fact that the row recorded.
func (h History) LastIs(f Fact) bool {
	return len(h.Entries) > 0 && h.Entries[len(h.Entries)-1].Fact == f
}
