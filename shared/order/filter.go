package order

// Filter says which orders of a shop are listed. Exactly one of its fields is set.
type Filter struct {
	Customer  string // orders of this customer, the newest first
	Day       string // orders placed on this day, as in 2026-03-01, in UTC, the newest first
	Attention bool   // orders that need attention, the longest waiting first
}

// Fits reports whether an order still belongs in the list. The index may be behind the order's row.
func (f Filter) Fits(o Order) bool {
	return (f.Customer == "" || o.Owner == f.Customer) && (!f.Attention || o.Attention != "")
}
