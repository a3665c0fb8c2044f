package dynamo

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
)

// ReadHorizon is the greatest age of an eventually consistent read.
const ReadHorizon = 10 * time.Second

// table is a table with its indexes and its stream.
type table struct {
	name       string
	definition document.Node // the CreateTable request
	arn, id    string
	created    time.Time
	keys       schema
	rows       ordered[attribute.Item]
	indexes    []*index // sorted by name
	stream     *stream  // nil: none
	expiry     string   // the time-to-live attribute; empty: none
	expirySet  time.Time
	backups    bool // point-in-time recovery
	past       history
}

// history has the earlier versions of rows, as far back as ReadHorizon.
type history struct {
	versions map[string][]version
	order    []string // the row of each version, oldest first
}

// version is a row's item until a time; nil: the row did not exist.
type version struct {
	until time.Time
	item  attribute.Item
}

func (p *history) add(row string, v version) {
	if p.versions == nil {
		p.versions = map[string][]version{}
	}
	for len(p.order) > 0 {
		oldest := p.order[0]
		if v.until.Sub(p.versions[oldest][0].until) <= ReadHorizon {
			break
		}
		if p.versions[oldest] = p.versions[oldest][1:]; len(p.versions[oldest]) == 0 {
			delete(p.versions, oldest)
		}
		p.order = p.order[1:]
	}
	p.versions[row] = append(p.versions[row], v)
	p.order = append(p.order, row)
}

// at returns the row's item at the time. It returns false if the row has not changed since.
func (p *history) at(row string, at time.Time) (attribute.Item, bool) {
	for _, v := range p.versions[row] {
		if v.until.After(at) {
			return v.item, true
		}
	}
	return nil, false
}

// view is a table as of a time.
type view struct {
	table *table
	at    time.Time // zero: now
}

// view returns the table as a read sees it. An eventually consistent read may see an older state.
func (db *DB) view(t *table, consistent bool) view {
	if consistent || db.settings.ReadLag == nil {
		return view{table: t}
	}
	lag := min(db.settings.ReadLag(), ReadHorizon)
	if lag <= 0 {
		return view{table: t}
	}
	return view{t, db.settings.Now().Add(-lag)}
}

// get returns the row's item, or nil.
func (v view) get(row string) attribute.Item {
	if !v.at.IsZero() {
		if item, ok := v.table.past.at(row, v.at); ok {
			return item
		}
	}
	item, _ := v.table.rows.get(row)
	return item
}

// within returns the rows of the span.
func (v view) within(s span) iter.Seq2[string, attribute.Item] {
	if v.at.IsZero() || len(v.table.past.versions) == 0 {
		return v.table.rows.within(s)
	}
	return func(yield func(string, attribute.Item) bool) {
		rows := maps.Collect(v.table.rows.within(s))
		for row := range v.table.past.versions {
			if item, ok := v.table.past.at(row, v.at); ok && s.holds(row) {
				rows[row] = item
			}
		}
		sorted := slices.Sorted(maps.Keys(rows))
		if s.backwards {
			slices.Reverse(sorted)
		}
		for _, row := range sorted {
			if rows[row] != nil && !yield(row, rows[row]) {
				return
			}
		}
	}
}

// table returns the table that a request names.
func (db *DB) table(n document.Node) (*table, error) {
	named := n.Get("TableName")
	if named.Text == "" {
		return nil, null("tableName")
	}
	return db.tableNamed(named.Text)
}

// tableNamed returns the table with the name or ARN, or an error if the name is invalid or unknown.
func (db *DB) tableNamed(name string) (*table, error) {
	if _, short, ok := strings.Cut(name, ":table/"); ok {
		name = short
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	t, ok := db.tables[name]
	if !ok {
		return nil, refuse("ResourceNotFoundException", "Cannot do operations on a non-existent table")
	}
	return t, nil
}

func checkName(name string) error {
	strange := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_-.", c)
	}
	if len(name) < 3 || len(name) > 255 || strings.ContainsFunc(name, strange) {
		return attribute.Refusal(
			"Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may " +
				"contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
	}
	return nil
}

// index returns the table's index with the name, or ResourceNotFoundException.
func (t *table) index(name string) (*index, error) {
	for _, x := range t.indexes {
		if x.name == name {
			return x, nil
		}
	}
	return nil, refuse("ResourceNotFoundException", "Index not found")
}

// check refuses an item that the table cannot hold.
func (t *table) check(item attribute.Item) error {
	if err := t.keys.check(item); err != nil {
		return err
	}
	return t.checkIndexes(item)
}

func (t *table) checkIndexes(item attribute.Item) error {
	for _, x := range t.indexes {
		if err := x.keys.checkIndex(x.name, item); err != nil {
			return err
		}
	}
	return nil
}

// set replaces the row's item, or deletes the row if item is nil. It updates the indexes and the
// stream.
func (db *DB) set(t *table, row string, old, item attribute.Item, by principal) {
	now := db.settings.Now()
	if db.settings.ReadLag != nil {
		t.past.add(row, version{now, old})
	}
	if item == nil {
		t.rows.delete(row)
	} else {
		t.rows.put(row, item)
	}
	if old.Equal(item) && (old == nil) == (item == nil) {
		return
	}
	for _, x := range t.indexes {
		x.change(row, x.entry(row, old), x.entry(row, item), now, db.settings.IndexLag)
	}
	db.record(t, row, old, item, by)
}
