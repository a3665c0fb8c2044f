package saga

// Rest is what a row holds beyond the attributes that this release knows: a newer release wrote it.
// A store returns it with what it loads, and writes it again with the next version. No decision
// depends on it. The zero Rest is empty. A decision that drops personal data drops the Rest, too.
type Rest struct {
	Attributes any // for package record alone: a pointer, so that values with a Rest stay comparable
}
