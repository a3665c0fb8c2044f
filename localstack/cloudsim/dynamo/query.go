package dynamo

import (
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
	"backroom/localstack/cloudsim/dynamo/expression"
	"backroom/localstack/cloudsim/wire"
)

// maxPage is the size of a page of a query or scan, in bytes. The item that exceeds it is still
// read.
const maxPage = 1 << 20

// search is a query or a scan.
type search struct {
	table      *table
	index      *index // nil: the table itself
	span       span
	filter     *expression.Condition
	projection *expression.Projection
	consistent bool
	counts     bool // only the count is wanted
	limit      int
	segment    uint64
	segments   uint64 // 0: no segments
}

// keys returns the schema of the searched table or index.
func (s *search) keys() schema {
	if s.index != nil {
		return s.index.keys
	}
	return s.table.keys
}

// query implements Query.
func (db *DB) query(r *request) ([]byte, error) {
	s, scope, err := db.readSearch(r.Node, "querying")
	if err != nil {
		return nil, err
	}
	if r.Get("KeyConditionExpression").Kind != document.String {
		return nil,
			attribute.Refusal(
				"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	k, err := scope.Key(r.Get("KeyConditionExpression").Text, s.keys()[0].name, s.keys().sort())
	if err != nil {
		return nil, err
	}
	if err := scope.Unused(); err != nil {
		return nil, err
	}
	if err := s.keys().checkCondition(k); err != nil {
		return nil, err
	}
	if err := s.checkFilter(); err != nil {
		return nil, err
	}
	s.span = within(k)
	s.span.backwards = r.Get("ScanIndexForward").Kind == document.False
	return db.search(r, s)
}

// scan implements Scan.
func (db *DB) scan(r *request) ([]byte, error) {
	s, scope, err := db.readSearch(r.Node, "scanning")
	if err != nil {
		return nil, err
	}
	if err := scope.Unused(); err != nil {
		return nil, err
	}
	if err := s.readSegment(r.Node); err != nil {
		return nil, err
	}
	return db.search(r, s)
}

// readSearch reads the parameters that query and scan share. doing is the verb in refusals.
func (db *DB) readSearch(n document.Node, doing string) (*search, *expression.Scope, error) {
	t, err := db.table(n)
	if err != nil {
		return nil, nil, err
	}
	s := &search{table: t, consistent: n.Get("ConsistentRead").Kind == document.True}
	if n.Has("IndexName") {
		if s.index, err = t.index(n.Get("IndexName").Text); err != nil {
			return nil, nil, err
		}
		if s.consistent {
			return nil, nil, attribute.Refusal("Consistent read cannot be true when " + doing + " a GSI")
		}
	}
	scope, projection, err := readScope(n, "KeyConditionExpression", "FilterExpression")
	if err != nil {
		return nil, nil, err
	}
	s.projection = projection
	if filter := n.Get("FilterExpression"); filter.Kind == document.String {
		f, err := scope.Filter(filter.Text)
		if err != nil {
			return nil, nil, err
		}
		s.filter = &f
	}
	if n.Has("Limit") {
		if s.limit, err = strconv.Atoi(n.Get("Limit").Text); err != nil || s.limit < 1 {
			return nil, nil, attribute.Refusal("Limit must be greater than or equal to 1")
		}
	}
	return s, scope, s.readSelect(n.Get("Select").Text)
}

func (s *search) readSelect(selects string) error {
	switch selects {
	case "":
	case "COUNT":
		if s.counts = true; s.projection != nil {
			return attribute.Refusal("Cannot specify the ProjectionExpression when choosing to get only the Count")
		}
	case "SPECIFIC_ATTRIBUTES":
		if s.projection == nil {
			return attribute.Refusal(
				"Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		}
	case "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES":
		if s.projection != nil {
			return attribute.Refusal("Cannot specify the ProjectionExpression when choosing to get " + selects)
		}
		if selects == "ALL_PROJECTED_ATTRIBUTES" && s.index == nil {
			return attribute.Refusal("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
		}
		if selects == "ALL_ATTRIBUTES" && s.index != nil && s.index.names != nil {
			return attribute.Refusal(
				"One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global " +
					"secondary index " + s.index.name + " because its projection type is not ALL")
		}
	default:
		return attribute.Refusal(
			"Select must be ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES, COUNT, or SPECIFIC_ATTRIBUTES")
	}
	return s.checkProjected()
}

// checkProjected refuses attributes that the index does not project.
func (s *search) checkProjected() error {
	if s.index == nil {
		return nil
	}
	missing := func(names []string) string {
		return strings.Join(slices.DeleteFunc(names, s.index.projects), ", ")
	}
	if s.projection != nil {
		if names := missing(s.projection.Names()); names != "" {
			return attribute.Refusal("One or more parameter values were invalid: Global secondary index " +
				s.index.name + " does not project [" + names + "]")
		}
	}
	if s.filter != nil {
		if names := missing(s.filter.Names()); names != "" {
			return attribute.Refusal("One or more parameter values were invalid: Secondary index " + s.index.name +
				" does not project one or more filter attributes: [" + names + "]")
		}
	}
	return nil
}

// checkFilter refuses a query whose filter names a key attribute.
func (s *search) checkFilter() error {
	if s.filter == nil {
		return nil
	}
	for _, name := range s.filter.Names() {
		if slices.Contains(s.keys().names(), name) {
			return attribute.Refusal(
				"Filter Expression can only contain non-primary key attributes: Primary key attribute: " + name)
		}
	}
	return nil
}

// checkCondition refuses a key condition whose values have another type than the key, or are empty.
func (s schema) checkCondition(k expression.Key) error {
	for i, values := range [][]attribute.Value{{k.Hash}, k.Bounds} {
		for _, v := range values {
			switch {
			case v.Kind != s[i].kind:
				return attribute.Refusal(
					"One or more parameter values were invalid: Condition parameter type does not match schema type")
			case v.Text == "" && k.Operator != "begins_with":
				return attribute.Refusal(
					"One or more parameter values are not valid. The AttributeValue for a key attribute cannot " +
						"contain an empty " + emptyName(v) + " value. Key: " + s[i].name)
			}
		}
	}
	return nil
}

// within returns the span of the items that the key condition selects.
func within(k expression.Key) span {
	start := partition(k.Hash)
	all := span{low: string(start), high: after(string(start))}
	if k.Operator == "" {
		return all
	}
	start = slices.Clip(start)
	bound := func(i int) string { return string(k.Bounds[i].AppendKey(start)) }
	switch k.Operator {
	case "=":
		return span{low: bound(0), high: after(bound(0))}
	case "<":
		return span{low: all.low, high: bound(0)}
	case "<=":
		return span{low: all.low, high: after(bound(0))}
	case ">":
		return span{low: after(bound(0)), high: all.high}
	case ">=":
		return span{low: bound(0), high: all.high}
	case "BETWEEN":
		return span{low: bound(0), high: after(bound(1))}
	}
	prefix := string(k.Bounds[0].AppendKeyPrefix(start))
	return span{low: prefix, high: after(prefix)}
}

// readSegment reads the segment of a parallel scan.
func (s *search) readSegment(n document.Node) error {
	segment, total := n.Has("Segment"), n.Has("TotalSegments")
	switch {
	case !segment && !total:
		return nil
	case !segment:
		return attribute.Refusal(
			"If total segments is specified, a particular segment must also be specified for this request")
	case !total:
		return attribute.Refusal("If segment is specified, total segment must also be specified")
	}
	var err error
	if s.segment, err = strconv.ParseUint(n.Get("Segment").Text, 10, 64); err != nil {
		return enum("segment", n.Get("Segment").Text, "non-negative numbers")
	}
	if s.segments, err = strconv.ParseUint(n.Get("TotalSegments").Text, 10, 64); err != nil || s.segments < 1 ||
		s.segments > 1_000_000 {
		return enum("totalSegments", n.Get("TotalSegments").Text, "1 to 1000000")
	}
	if s.segment >= s.segments {
		return attribute.Refusal("1 validation error detected: Value '" + n.Get("Segment").Text +
			"' at 'segment' failed to satisfy constraint: Member must have value less than or equal to " +
			strconv.FormatUint(s.segments-1, 10))
	}
	return nil
}

// includes reports whether the row is in the segment of the scan.
func (s *search) includes(row string) bool {
	if s.segments == 0 {
		return true
	}
	segment, _ := bits.Mul64(hashOf(row), s.segments)
	return segment == s.segment
}

// start reads the ExclusiveStartKey, and moves the start of the span after it.
func (s *search) start(n document.Node, queried bool) error {
	if !n.Has("ExclusiveStartKey") {
		return nil
	}
	names := s.keys().union(s.table.keys)
	item, err := attribute.DecodeItem(n.Get("ExclusiveStartKey"))
	if err != nil {
		return err
	}
	if len(item) != len(names) || len(item.Only(names)) != len(names) {
		return attribute.Refusal("Exclusive Start Key must have same size as table's key schema")
	}
	for _, keys := range []schema{s.keys(), s.table.keys} {
		if err := keys.check(item); err != nil {
			return attribute.Refusal("The provided starting key is invalid: " + err.Error())
		}
	}
	place, _ := s.keys().row(item)
	if s.index != nil {
		row, _ := s.table.keys.row(item)
		place += row
	}
	switch {
	case queried && !s.span.holds(place):
		return attribute.Refusal("The provided starting key does not match the range key predicate")
	case !s.includes(place):
		return attribute.Refusal(
			"The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with " +
				"correct Segment.")
	case s.span.backwards:
		s.span.high = place
	default:
		s.span.low = place + "\x00"
	}
	return nil
}

// found is a page of a search.
type found struct {
	items   [][]byte
	count   int
	scanned int
	bytes   int
	last    attribute.Item // nil: this is the last page
}

// search reads one page.
func (db *DB) search(r *request, s *search) ([]byte, error) {
	if err := s.start(r.Node, s.span.low != ""); err != nil {
		return nil, err
	}
	entries := db.entries(s)
	f := s.page(entries)
	use := wire.Use{Reads: halved(s.consistent) * read(f.bytes), Items: f.scanned, Bytes: f.bytes}
	place := s.span.low
	if len(place) < 8 {
		place = "\x00\x00\x00\x00\x00\x00\x00\x00"
	}
	if s.index != nil {
		use.Index = s.index.name
	}
	if err := db.spend(r, s.table.charge(place, use)); err != nil {
		return nil, err
	}
	var a answer
	if !s.counts {
		a.list("Items", f.items)
	}
	a.number("Count", float64(f.count))
	a.number("ScannedCount", float64(f.scanned))
	if f.last != nil {
		a.item("LastEvaluatedKey", f.last)
	}
	a.consumed(r)
	return a.closed(), nil
}

// entries returns the rows and items of the search's span.
func (db *DB) entries(s *search) iter.Seq2[string, attribute.Item] {
	if s.index != nil {
		s.index.show(db.settings.Now())
		return s.index.entries.within(s.span)
	}
	return db.view(s.table, s.consistent).within(s.span)
}

func (s *search) page(entries iter.Seq2[string, attribute.Item]) found {
	var f found
	for row, item := range entries {
		if !s.includes(row) {
			continue
		}
		f.scanned++
		f.bytes += item.Size()
		if s.filter == nil || s.filter.Holds(item) {
			f.count++
			if !s.counts {
				f.items = append(f.items, projected(item, s.projection).Append(nil))
			}
		}
		if f.scanned == s.limit || f.bytes >= maxPage {
			f.last = item.Only(s.keys().union(s.table.keys))
			break
		}
	}
	return f
}
