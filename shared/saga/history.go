package saga

import "time"

// Entry is one line of a row's log.
type Entry struct {
	Version int
	Fact    Fact
	At      time.Time
	Cause   Cause
}

// History is what a row remembers of its own life. It is a diary, not a memory: it is bounded, and every decision must be
// right from the row's state alone. The zero History belongs to a row that was never written.
type History struct {
	Version int    // of the row as it was loaded; every write raises it by one
	Nonce   string // given at the row's birth: a row that is deleted and made again tells different facts
	Entries []Entry
}

// Heeds reports whether the row already did something because of the cause.
func (d History) Handled(c Cause) bool {
	for _, e := range d.Entries {
		if e.Cause.ID == c.ID {
			return true
		}
	}
	return false
}

// Ends reports whether f is the last that the row told.
func (d History) LastIs(f Fact) bool {
	return len(d.Entries) > 0 && d.Entries[len(d.Entries)-1].Fact == f
}
