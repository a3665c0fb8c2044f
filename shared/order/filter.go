package order

// Filter says which orders of a shop are listed. One of its fields is set.
type Filter struct {
	Customer  string // who placed them; the newest first
	Day       string // when they were placed, as in 2026-03-01, in UTC; the newest first
	Attention bool   // that a person must look; who waits longest first
}

// Fits reports whether an order still is what the filter asks for: an index may be behind.
func (f Filter) Fits(o Order) bool {
	return (f.Customer == "" || o.Owner == f.Customer) && (!f.Attention || o.Attention != "")
}
