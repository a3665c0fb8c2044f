package dynamo

import (
	"slices"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// index is a global secondary index.
type index struct {
	name    string
	arn     string
	keys    schema
	names   []string // the attributes of its entries; nil: all
	entries ordered[attribute.Item]
	pending []change             // sorted by due
	last    map[string]time.Time // when the last pending change of a row is due
}

// entry is an item in the index. An empty place means that the item is not in the index.
type entry struct {
	place string
	item  attribute.Item
}

// change is a change of a row's entry that the index shows at a time.
type change struct {
	due      time.Time
	row      string
	old, new entry
}

// entry returns the index's entry for an item of the table.
func (x *index) entry(row string, item attribute.Item) entry {
	place, ok := x.keys.row(item)
	if !ok {
		return entry{}
	}
	return entry{place + row, x.projected(item)}
}

func (x *index) projected(item attribute.Item) attribute.Item {
	if x.names == nil {
		return item
	}
	return item.Only(x.names)
}

// projects reports whether the index's entries have the attribute.
func (x *index) projects(name string) bool { return x.names == nil || slices.Contains(x.names, name) }

// change records a change of the table, which the index shows after the lag. Changes of one row
// keep their order. Changes of different rows may overtake each other.
func (x *index) change(row string, old, item entry, now time.Time, lag func() time.Duration) {
	if old.place == item.place && old.item.Equal(item.item) {
		return
	}
	c := change{now, row, old, item}
	if lag == nil {
		x.apply(c)
		return
	}
	x.show(now)
	c.due = now.Add(max(0, lag()))
	if last, ok := x.last[row]; ok && last.After(c.due) {
		c.due = last
	}
	if x.last == nil {
		x.last = map[string]time.Time{}
	}
	x.last[row] = c.due
	at := len(x.pending)
	for at > 0 && x.pending[at-1].due.After(c.due) {
		at--
	}
	x.pending = slices.Insert(x.pending, at, c)
}

// show applies the changes that are due.
func (x *index) show(now time.Time) {
	shown := 0
	for shown < len(x.pending) && !x.pending[shown].due.After(now) {
		c := x.pending[shown]
		x.apply(c)
		if x.last[c.row].Equal(c.due) {
			delete(x.last, c.row)
		}
		shown++
	}
	x.pending = slices.Delete(x.pending, 0, shown)
}

func (x *index) apply(c change) {
	if c.old.place != "" && c.old.place != c.new.place {
		x.entries.delete(c.old.place)
	}
	if c.new.place != "" {
		x.entries.put(c.new.place, c.new.item)
	}
}
