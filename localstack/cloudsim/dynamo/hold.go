package dynamo

import (
	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
)

// kinds are the kinds of single writes, by operation.
var kinds = map[string]string{"PutItem": put, "UpdateItem": update, "DeleteItem": remove}

// held returns the row's name for Hold and Writes.
func (w *write) held() string { return w.table.held(w.row) }

func (t *table) held(row string) string { return t.name + "/" + row }

// Writes returns names of the items that PutItem, UpdateItem, DeleteItem or TransactWriteItems
// would write or check, for Hold. Requests on one item return the same name. The list may be
// incomplete for a request that Do refuses.
func (db *DB) Writes(operation string, body []byte) []string {
	kind, single := kinds[operation]
	if !single && operation != "TransactWriteItems" {
		return nil
	}
	n, err := document.Parse(body)
	if err != nil {
		return nil
	}
	if single {
		return db.named(kind, n, nil)
	}
	var names []string
	for _, action := range n.Get("TransactItems").Elements {
		for _, m := range action.Members {
			names = db.named(m.Name, m.Value, names)
		}
	}
	return names
}

// named appends the name of the item that a write is about.
func (db *DB) named(kind string, n document.Node, to []string) []string {
	t, err := db.table(n)
	if err != nil {
		return to
	}
	member := n.Get("Key")
	if kind == put {
		member = n.Get("Item")
	}
	key := document.Node{Kind: document.Object}
	for _, k := range t.keys {
		key.Members = append(key.Members, document.Member{Name: k.name, Value: member.Get(k.name)})
	}
	item, err := attribute.DecodeItem(key)
	if err != nil {
		return to
	}
	if row, ok := t.keys.row(item); ok {
		to = append(to, t.held(row))
	}
	return to
}

// Hold marks items as part of a transaction under way. It returns false, and marks nothing, if one
// of them is already marked.
func (db *DB) Hold(items []string) bool {
	for _, name := range items {
		if db.held[name] {
			return false
		}
	}
	for _, name := range items {
		db.held[name] = true
	}
	return true
}

// Release removes the marks of items.
func (db *DB) Release(items []string) {
	for _, name := range items {
		delete(db.held, name)
	}
}
