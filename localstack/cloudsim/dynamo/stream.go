package dynamo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
)

// Shards is the default number of shards of a stream: that of a new on-demand table. All records of
// a partition key are in one shard, in order.
const Shards = 4

// RecordMemory is how long a stream keeps its records.
const RecordMemory = 24 * time.Hour

// The lifetime of iterators, and the most records and bytes that one GetRecords returns.
const (
	iteratorMemory = 15 * time.Minute
	maxRecords     = 1000
	maxRecordBytes = 1 << 20
)

// stream has the changes of a table between the times when it was switched on and off.
type stream struct {
	table    string
	keys     schema
	arn      string
	label    string
	viewType string
	created  time.Time
	closed   bool
	shards   []shard
}

// shard is a shard of a stream. Its records are in order.
type shard struct {
	id      string
	first   uint64 // the smallest sequence number that it can have
	trimmed uint64 // the sequence number of the last trimmed record
	records []record
}

// record is one change of an item.
type record struct {
	sequence uint64
	at       time.Time
	by       principal
	keys     attribute.Item
	old, new attribute.Item
}

// principal is the userIdentity of a record. It is empty for a change by a client.
type principal struct{ kind, id string }

// openStream gives the table a stream. Its label is the time, as on AWS. Streams of the same
// millisecond get different labels.
func (db *DB) openStream(t *table, viewType string) {
	now := db.settings.Now().UTC()
	s := &stream{table: t.name, keys: t.keys, viewType: viewType, created: now,
		shards: make([]shard, db.settings.Shards)}
	for at := now; s.arn == "" || db.streams[s.arn] != nil; at = at.Add(time.Millisecond) {
		s.label = at.Format("2006-01-02T15:04:05.000")
		s.arn = t.arn + "/stream/" + s.label
	}
	for i := range s.shards {
		sum := sha256.Sum256([]byte(s.arn))
		s.shards[i] = shard{id: fmt.Sprintf("shardId-%020d-%x%02x", now.UnixMilli(), sum[:3], i), first: db.sequence +
			1, trimmed: db.sequence}
	}
	t.stream, db.streams[s.arn] = s, s
}

func (t *table) closeStream() {
	if t.stream != nil {
		t.stream.closed = true
		t.stream = nil
	}
}

// record appends a change to the table's stream.
func (db *DB) record(t *table, row string, old, item attribute.Item, by principal) {
	if t.stream == nil {
		return
	}
	of := item
	if of == nil {
		of = old
	}
	db.sequence++
	now := db.settings.Now()
	s := &t.stream.shards[hashOf(row)%uint64(len(t.stream.shards))]
	s.trim(now)
	s.records = append(s.records, record{db.sequence, now, by, of.Only(t.keys.names()), old, item})
}

// trim drops records that are older than RecordMemory.
func (s *shard) trim(now time.Time) {
	gone := 0
	for gone < len(s.records) && now.Sub(s.records[gone].at) > RecordMemory {
		s.trimmed = s.records[gone].sequence
		gone++
	}
	clear(s.records[:gone])
	s.records = s.records[gone:]
}

func sequenceNumber(n uint64) string { return fmt.Sprintf("%021d", n) }

// append returns the record in the form of GetRecords, and its size in bytes.
func (e record) append(s *stream, region string) ([]byte, int) {
	var image answer
	size := e.keys.Size()
	image.number("ApproximateCreationDateTime", float64(e.at.Unix()))
	image.item("Keys", e.keys)
	if e.new != nil && (s.viewType == "NEW_IMAGE" || s.viewType == "NEW_AND_OLD_IMAGES") {
		image.item("NewImage", e.new)
		size += e.new.Size()
	}
	if e.old != nil && (s.viewType == "OLD_IMAGE" || s.viewType == "NEW_AND_OLD_IMAGES") {
		image.item("OldImage", e.old)
		size += e.old.Size()
	}
	image.text("SequenceNumber", sequenceNumber(e.sequence))
	image.number("SizeBytes", float64(size))
	image.text("StreamViewType", s.viewType)

	name := "MODIFY"
	switch {
	case e.old == nil:
		name = "INSERT"
	case e.new == nil:
		name = "REMOVE"
	}
	id := sha256.Sum256([]byte(s.arn + sequenceNumber(e.sequence)))
	var a answer
	a.text("eventID", hex.EncodeToString(id[:16]))
	a.text("eventName", name)
	a.text("eventVersion", "1.1")
	a.text("eventSource", "aws:dynamodb")
	a.text("awsRegion", region)
	a.raw("dynamodb", image.closed())
	if e.by.kind != "" {
		var by answer
		by.text("Type", e.by.kind)
		by.text("PrincipalId", e.by.id)
		a.raw("userIdentity", by.closed())
	}
	return a.closed(), size
}

// listStreams implements ListStreams.
func (db *DB) listStreams(r *request) ([]byte, error) {
	table, after := r.Get("TableName").Text, r.Get("ExclusiveStartStreamArn").Text
	limit := 100
	if n, err := strconv.Atoi(r.Get("Limit").Text); err == nil && n > 0 {
		limit = min(limit, n)
	}
	var list [][]byte
	last := ""
	for _, arn := range slices.Sorted(maps.Keys(db.streams)) {
		s := db.streams[arn]
		if arn <= after || table != "" && table != s.table {
			continue
		}
		if len(list) == limit {
			var a answer
			a.list("Streams", list)
			a.text("LastEvaluatedStreamArn", last)
			return a.closed(), nil
		}
		var a answer
		a.text("StreamArn", arn)
		a.text("TableName", s.table)
		a.text("StreamLabel", s.label)
		list, last = append(list, a.closed()), arn
	}
	var a answer
	a.list("Streams", list)
	return a.closed(), nil
}

// stream returns the stream with the ARN, or ResourceNotFoundException.
func (db *DB) stream(arn string) (*stream, error) {
	s, ok := db.streams[arn]
	if !ok {
		return nil, refuse("ResourceNotFoundException", "Requested resource not found: Stream: "+arn+" not found")
	}
	return s, nil
}

// describeStream implements DescribeStream.
func (db *DB) describeStream(r *request) ([]byte, error) {
	s, err := db.stream(r.Get("StreamArn").Text)
	if err != nil {
		return nil, err
	}
	var shards [][]byte
	for _, sh := range s.shards {
		if sh.id <= r.Get("ExclusiveStartShardId").Text {
			continue
		}
		var span, a answer
		span.text("StartingSequenceNumber", sequenceNumber(sh.first))
		if s.closed {
			span.text("EndingSequenceNumber", sequenceNumber(max(sh.first, sh.next()-1)))
		}
		a.text("ShardId", sh.id)
		a.raw("SequenceNumberRange", span.closed())
		shards = append(shards, a.closed())
	}
	status := "ENABLED"
	if s.closed {
		status = "DISABLED"
	}
	var d, a answer
	d.text("StreamArn", s.arn)
	d.text("StreamLabel", s.label)
	d.text("StreamStatus", status)
	d.text("StreamViewType", s.viewType)
	d.number("CreationRequestDateTime", seconds(s.created))
	d.text("TableName", s.table)
	d.raw("KeySchema", s.keys.described())
	d.list("Shards", shards)
	a.raw("StreamDescription", d.closed())
	return a.closed(), nil
}

// next returns the smallest sequence number that the shard's next record can have.
func (s *shard) next() uint64 {
	if len(s.records) == 0 {
		return s.trimmed + 1
	}
	return s.records[len(s.records)-1].sequence + 1
}

func (s *stream) shard(id string) (int, error) {
	for i := range s.shards {
		if s.shards[i].id == id {
			return i, nil
		}
	}
	return 0, refuse("ResourceNotFoundException", "Shard does not exist")
}

// iterator is a position in a shard.
type iterator struct {
	stream *stream
	shard  int
	from   uint64 // the next records are those from this sequence number on
	issued time.Time
}

func (i iterator) String() string {
	return fmt.Sprintf("%s|%d|%d|%d", i.stream.arn, i.shard, i.from, i.issued.UnixMilli())
}

func (db *DB) readIterator(text string) (iterator, error) {
	parts := strings.Split(text, "|")
	if len(parts) != 4 {
		return iterator{}, attribute.Refusal("Invalid ShardIterator")
	}
	s, err := db.stream(parts[0])
	if err != nil {
		return iterator{}, err
	}
	shard, err1 := strconv.Atoi(parts[1])
	from, err2 := strconv.ParseUint(parts[2], 10, 64)
	issued, err3 := strconv.ParseInt(parts[3], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || shard < 0 || shard >= len(s.shards) {
		return iterator{}, attribute.Refusal("Invalid ShardIterator")
	}
	return iterator{s, shard, from, time.UnixMilli(issued)}, nil
}

// getShardIterator implements GetShardIterator.
func (db *DB) getShardIterator(r *request) ([]byte, error) {
	s, err := db.stream(r.Get("StreamArn").Text)
	if err != nil {
		return nil, err
	}
	i := iterator{stream: s, issued: db.settings.Now()}
	if i.shard, err = s.shard(r.Get("ShardId").Text); err != nil {
		return nil, err
	}
	sh := &s.shards[i.shard]
	sh.trim(i.issued)
	switch kind := r.Get("ShardIteratorType").Text; kind {
	case "TRIM_HORIZON":
		i.from = sh.trimmed + 1
	case "LATEST":
		i.from = db.sequence + 1
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		n, err := strconv.ParseUint(r.Get("SequenceNumber").Text, 10, 64)
		if err != nil {
			return nil, attribute.Refusal("One or more parameter values were invalid: Invalid SequenceNumber")
		}
		if i.from = n; kind == "AFTER_SEQUENCE_NUMBER" {
			i.from++
		}
		if i.from <= sh.trimmed {
			return nil, errTrimmed()
		}
	default:
		return nil, enum("shardIteratorType", kind, "[AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]")
	}
	var a answer
	a.text("ShardIterator", i.String())
	return a.closed(), nil
}

func errTrimmed() error {
	return refuse("TrimmedDataAccessException",
		"The operation attempted to read past the oldest stream record in a shard.")
}

// getRecords implements GetRecords.
func (db *DB) getRecords(r *request) ([]byte, error) {
	i, err := db.readIterator(r.Get("ShardIterator").Text)
	if err != nil {
		return nil, err
	}
	limit, err := readLimit(r.Get("Limit"))
	if err != nil {
		return nil, err
	}
	now := db.settings.Now()
	sh := &i.stream.shards[i.shard]
	sh.trim(now)
	switch {
	case now.Sub(i.issued) > iteratorMemory:
		return nil, refuse("ExpiredIteratorException", "Iterator expired. The iterator is older than 15 minutes.")
	case i.from <= sh.trimmed:
		return nil, errTrimmed()
	}
	var records [][]byte
	start,
		_ := slices.BinarySearchFunc(sh.records, i.from,
		func(e record, from uint64) int { return int(int64(e.sequence) - int64(from)) })
	size := 0
	for _, e := range sh.records[start:] {
		if len(records) == limit || size >= maxRecordBytes {
			break
		}
		written, bytes := e.append(i.stream, db.settings.Region)
		records, size, i.from = append(records, written), size+bytes, e.sequence+1
	}
	var a answer
	if i.issued = now; !i.stream.closed || start+len(records) < len(sh.records) {
		a.text("NextShardIterator", i.String())
	}
	a.list("Records", records)
	return a.closed(), nil
}

func readLimit(n document.Node) (int, error) {
	if n.Kind != document.Number {
		return maxRecords, nil
	}
	switch limit, err := strconv.Atoi(n.Text); {
	case err != nil || limit < 1:
		return 0,
			attribute.Refusal("1 validation error detected: Value '" + n.Text +
				"' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")
	case limit > maxRecords:
		return 0,
			attribute.Refusal("One or more parameter values were invalid: Limit should be less than or equal to 1000")
	default:
		return limit, nil
	}
}
