package dynamo

import (
	"fmt"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
	"backroom/localstack/cloudsim/dynamo/expression"
)

// The limits of batches: keys, writes, and bytes in an answer.
const (
	maxBatchRead   = 100
	maxBatchWrite  = 25
	maxBatchAnswer = 16 << 20
)

const errTwice = attribute.Refusal("Provided list of item keys contains duplicates")

// batch is the part of a BatchGetItem on one table.
type batch struct {
	table      *table
	wanted     document.Node // the table's part of the request
	rows       []string
	keys       []attribute.Item
	projection *expression.Projection
	consistent bool
}

// batchGetItem implements BatchGetItem.
func (db *DB) batchGetItem(r *request) ([]byte, error) {
	var batches []*batch
	count := 0
	for _, m := range r.Get("RequestItems").Sorted() {
		count += len(m.Value.Get("Keys").Elements)
	}
	switch {
	case len(r.Get("RequestItems").Members) == 0:
		return nil, attribute.Refusal("BatchGetItem must have some requests set")
	case count > maxBatchRead:
		return nil, attribute.Refusal("Too many items requested for the BatchGetItem call")
	}
	for _, m := range r.Get("RequestItems").Sorted() {
		b, err := db.readBatch(m.Name, m.Value)
		if err != nil {
			return nil, err
		}
		batches = append(batches, b)
	}
	return db.getBatches(r, batches)
}

func (db *DB) readBatch(name string, n document.Node) (*batch, error) {
	t, err := db.tableNamed(name)
	if err != nil {
		return nil, err
	}
	if err := refuseLegacy(n); err != nil {
		return nil, err
	}
	b := &batch{table: t, wanted: n, consistent: n.Get("ConsistentRead").Kind == document.True}
	scope, projection, err := readScope(n)
	if err != nil {
		return nil, err
	}
	b.projection = projection
	if err := scope.Unused(); err != nil {
		return nil, err
	}
	keys := n.Get("Keys").Elements
	if len(keys) == 0 {
		return nil,
			attribute.Refusal("The list of keys in RequestItems for BatchGetItem is required: " + name +
				" has empty list")
	}
	seen := map[string]bool{}
	for _, k := range keys {
		key, err := t.keys.readKey(k)
		if err != nil {
			return nil, err
		}
		row, _ := t.keys.row(key)
		if seen[row] {
			return nil, errTwice
		}
		seen[row] = true
		b.rows, b.keys = append(b.rows, row), append(b.keys, key)
	}
	return b, nil
}

func (db *DB) getBatches(r *request, batches []*batch) ([]byte, error) {
	var responses, unprocessed answer
	size, done := 0, false
	var refused error
	for _, b := range batches {
		var items, left [][]byte
		v := db.view(b.table, b.consistent)
		for i, row := range b.rows {
			item := v.get(row)
			if size+item.Size() > maxBatchAnswer {
				left = append(left, b.keys[i].Append(nil))
				continue
			}
			if err := db.spend(r, b.table.reads(row, item, halved(b.consistent))); err != nil {
				refused = err
				left = append(left, b.keys[i].Append(nil))
				continue
			}
			done = true
			size += item.Size()
			if item != nil {
				items = append(items, projected(item, b.projection).Append(nil))
			}
		}
		responses.list(b.table.name, items)
		if left != nil {
			unprocessed.raw(b.table.name, b.rest(left))
		}
	}
	if !done {
		return nil, refused
	}
	var a answer
	a.raw("Responses", responses.closed())
	a.raw("UnprocessedKeys", unprocessed.closed())
	a.consumedEach(r, false)
	return a.closed(), nil
}

// rest returns the part of UnprocessedKeys for the keys that were not read.
func (b *batch) rest(keys [][]byte) []byte {
	var a answer
	for _, m := range b.wanted.Sorted() {
		if m.Name != "Keys" && m.Value.Kind != document.Null {
			a.raw(m.Name, m.Value.Append(nil))
		}
	}
	a.list("Keys", keys)
	return a.closed()
}

// batchWriteItem implements BatchWriteItem.
func (db *DB) batchWriteItem(r *request) ([]byte, error) {
	tables := r.Get("RequestItems").Sorted()
	count := 0
	for _, m := range tables {
		if len(m.Value.Elements) == 0 {
			return nil, attribute.Refusal("The batch write request list for a table cannot be null or empty: " + m.Name)
		}
		count += len(m.Value.Elements)
	}
	switch {
	case count == 0:
		return nil, attribute.Refusal("BatchWriteItem cannot have a null or no requests set")
	case count > maxBatchWrite:
		return nil, attribute.Refusal("Too many items requested for the BatchWriteItem call")
	}
	writes := make([][]*write, len(tables))
	seen := map[string]bool{}
	for i, m := range tables {
		for _, n := range m.Value.Elements {
			w, err := db.readBatchWrite(m.Name, n)
			if err != nil {
				return nil, err
			}
			if seen[w.held()] {
				return nil, errTwice
			}
			seen[w.held()] = true
			writes[i] = append(writes[i], w)
		}
	}
	return db.writeBatches(r, writes)
}

// batchKinds are the kinds of writes in a batch.
var batchKinds = map[string]string{"PutRequest": put, "DeleteRequest": remove}

func (db *DB) readBatchWrite(name string, n document.Node) (*write, error) {
	var given []document.Member
	for _, m := range n.Members {
		if m.Value.Kind != document.Null {
			given = append(given, m)
		}
	}
	if len(given) != 1 || batchKinds[given[0].Name] == "" {
		return nil,
			attribute.Refusal(
				"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported " +
					"datatypes")
	}
	request := given[0].Value
	request.Members = append(
		[]document.Member{{Name: "TableName", Value: document.Node{Kind: document.String, Text: name}}},
		request.Members...)
	return db.readWrite(batchKinds[given[0].Name], request)
}

// writeBatches carries out each write by itself. A write that fails is returned as unprocessed: it
// was throttled, or a transaction holds its item. If every write fails, the request is refused with
// the last error.
func (db *DB) writeBatches(r *request, tables [][]*write) ([]byte, error) {
	var unprocessed answer
	done := false
	var refused error
	for _, writes := range tables {
		var left [][]byte
		for _, w := range writes {
			err := db.writeOne(r, w)
			if err != nil {
				refused = err
				left = append(left, w.unprocessed())
				continue
			}
			done = true
		}
		if left != nil {
			unprocessed.list(writes[0].table.name, left)
		}
	}
	if !done {
		return nil, refused
	}
	var a answer
	a.raw("UnprocessedItems", unprocessed.closed())
	a.consumedEach(r, false)
	return a.closed(), nil
}

func (db *DB) writeOne(r *request, w *write) error {
	if db.held[w.held()] {
		return refuse("TransactionConflictException", "Transaction is ongoing for the item")
	}
	old, item, err := w.outcome()
	if err != nil {
		return err
	}
	if err := db.spend(r, w.table.writes(w.row, old, item, 1)...); err != nil {
		return err
	}
	db.set(w.table, w.row, old, item, principal{})
	return nil
}

// unprocessed returns the entry of UnprocessedItems for a write that was not carried out.
func (w *write) unprocessed() []byte {
	if w.kind == put {
		return fmt.Appendf(nil, `{"PutRequest":{"Item":%s}}`, w.item.Append(nil))
	}
	return fmt.Appendf(nil, `{"DeleteRequest":{"Key":%s}}`, w.item.Append(nil))
}
