package dynamo

import (
	"errors"
	"slices"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
	"backroom/localstack/cloudsim/dynamo/expression"
)

// maxItem is the largest size of an item, in bytes.
const maxItem = 400 * 1024

// The kinds of writes.
const (
	put    = "Put"
	update = "Update"
	remove = "Delete"
	check  = "ConditionCheck"
)

const (
	errTooLarge    = attribute.Refusal("Item size has exceeded the maximum allowed size")
	errGrown       = attribute.Refusal("Item size to update has exceeded the maximum allowed size")
	errNested      = attribute.Refusal("Nesting Levels have exceeded supported limits")
	errReturn      = attribute.Refusal("Return values set to invalid value")
	errNoOperation = attribute.Refusal("Cannot have null key for GetItem, DeleteItem, or UpdateItem")
)

// write is one requested write.
type write struct {
	kind       string
	table      *table
	row        string
	item       attribute.Item // of a put: the item; else the key
	condition  *expression.Condition
	update     *expression.Update
	returnsOld bool // a failed condition returns the item
}

// readWrite reads a write. A single write and an action of a transaction have the same members.
func (db *DB) readWrite(kind string, n document.Node) (*write, error) {
	t, err := db.table(n)
	if err != nil {
		return nil, err
	}
	w := &write{kind: kind, table: t}
	switch n.Get("ReturnValuesOnConditionCheckFailure").Text {
	case "", "NONE":
	case "ALL_OLD":
		w.returnsOld = true
	default:
		return nil,
			enum("returnValuesOnConditionCheckFailure", n.Get("ReturnValuesOnConditionCheckFailure").Text,
				"[ALL_OLD, NONE]")
	}
	if err := w.readExpressions(n); err != nil {
		return nil, err
	}
	if err := w.readItem(n); err != nil {
		return w, err
	}
	w.row, _ = t.keys.row(w.item)
	return w, w.checkUpdate()
}

func enum(member, value, allowed string) error {
	return attribute.Refusal("1 validation error detected: Value '" + value + "' at '" + member +
		"' failed to satisfy constraint: Member must satisfy enum value set: " + allowed)
}

func (w *write) readExpressions(n document.Node) error {
	condition, change := n.Get("ConditionExpression"), n.Get("UpdateExpression")
	has := condition.Kind == document.String || change.Kind == document.String
	scope, err := expression.NewScope(n.Get("ExpressionAttributeNames"), n.Get("ExpressionAttributeValues"), has)
	if err != nil {
		return err
	}
	if change.Kind == document.String {
		u, err := scope.Update(change.Text)
		if err != nil {
			return err
		}
		w.update = &u
	}
	if condition.Kind == document.String {
		c, err := scope.Condition(condition.Text)
		if err != nil {
			return err
		}
		w.condition = &c
	}
	return scope.Unused()
}

func (w *write) readItem(n document.Node) error {
	if w.kind != put {
		if !n.Has("Key") {
			return errNoOperation
		}
		var err error
		w.item, err = w.table.keys.readKey(n.Get("Key"))
		return err
	}
	if !n.Has("Item") {
		return attribute.Refusal("Item to put in PutItem cannot be null")
	}
	var err error
	if w.item, err = attribute.DecodeItem(n.Get("Item")); err != nil {
		return err
	}
	if w.item.Size() > maxItem {
		return errTooLarge
	}
	return w.table.check(w.item)
}

// checkUpdate refuses an update of a key attribute.
func (w *write) checkUpdate() error {
	if w.update == nil {
		return nil
	}
	for _, name := range w.update.Names() {
		for _, k := range w.table.keys {
			if k.name == name {
				return itemError{attribute.Refusal(
					"One or more parameter values were invalid: Cannot update attribute " + name +
						". This attribute is part of the key")}
			}
		}
	}
	return nil
}

// errCondition means that a condition does not hold.
var errCondition = errors.New("the condition does not hold")

// outcome returns the row's item before and after the write; nil: no item. It writes nothing.
func (w *write) outcome() (old, item attribute.Item, err error) {
	old, _ = w.table.rows.get(w.row)
	if w.condition != nil && !w.condition.Holds(old) {
		return old, old, errCondition
	}
	switch w.kind {
	case put:
		return old, w.item, nil
	case remove:
		return old, nil, nil
	case check:
		return old, old, nil
	}
	if item = old; old == nil {
		item = w.item
	}
	if w.update == nil {
		return old, item, nil
	}
	if item, err = w.update.Apply(item); err != nil {
		return old, old, itemError{err}
	}
	switch {
	case item.Size() > maxItem:
		return old, old, itemError{errGrown}
	case item.TooDeep():
		return old, old, itemError{errNested}
	}
	if err := w.table.checkIndexes(item); err != nil {
		return old, old, itemError{err}
	}
	return old, item, nil
}

// costs returns the charges of a write after outcome. A failed condition charges the table only:
// for a put by the larger of both items, otherwise by the stored item
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html).
func (w *write) costs(old, item attribute.Item, err error, factor float64) []charge {
	if !errors.Is(err, errCondition) {
		return w.table.writes(w.row, old, item, factor)
	}
	size := old.Size()
	if w.kind == put {
		size = max(size, w.item.Size())
	}
	return []charge{w.table.tableWrite(w.row, size, factor)}
}

// putItem implements PutItem.
func (db *DB) putItem(r *request) ([]byte, error) {
	return db.write(r, put, "NONE", "ALL_OLD")
}

// deleteItem implements DeleteItem.
func (db *DB) deleteItem(r *request) ([]byte, error) {
	return db.write(r, remove, "NONE", "ALL_OLD")
}

// updateItem implements UpdateItem.
func (db *DB) updateItem(r *request) ([]byte, error) {
	return db.write(r, update, "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW")
}

// write carries out one write. returns are the ReturnValues that it accepts.
func (db *DB) write(r *request, kind string, returns ...string) ([]byte, error) {
	wanted := r.Get("ReturnValues").Text
	if !oneOf(wanted, returns) {
		return nil, errReturn
	}
	w, err := db.readWrite(kind, r.Node)
	if err != nil {
		return nil, err
	}
	if db.held[w.held()] {
		return nil, refuse("TransactionConflictException", "Transaction is ongoing for the item")
	}
	old, item, err := w.outcome()
	if err != nil && !errors.Is(err, errCondition) {
		return nil, err
	}
	if err := db.spend(r, w.costs(old, item, err, 1)...); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, w.failed(old)
	}
	db.set(w.table, w.row, old, item, principal{})
	var a answer
	if values := w.returned(wanted, old, item); len(values) > 0 {
		a.item("Attributes", values)
	}
	a.consumed(r)
	return a.closed(), nil
}

func oneOf(value string, allowed []string) bool {
	return value == "" || slices.Contains(allowed, value)
}

// failed returns ConditionalCheckFailedException, with the item if the request asks for it.
func (w *write) failed(old attribute.Item) error {
	refused := refuse("ConditionalCheckFailedException", "The conditional request failed")
	if w.returnsOld && old != nil {
		refused.Members = map[string]any{"Item": shown(old)}
	}
	return refused
}

// returned returns the attributes that ReturnValues asks for.
func (w *write) returned(wanted string, old, item attribute.Item) attribute.Item {
	switch wanted {
	case "ALL_OLD":
		return old
	case "ALL_NEW":
		return item
	case "UPDATED_OLD", "UPDATED_NEW":
		if w.update == nil {
			return nil
		}
		if wanted == "UPDATED_OLD" {
			return w.update.Touched(old)
		}
		return w.update.Touched(item)
	}
	return nil
}

// shown is an item that encoding/json can write.
type shown attribute.Item

// MarshalJSON returns the item as DynamoDB writes it.
func (s shown) MarshalJSON() ([]byte, error) { return attribute.Item(s).Append(nil), nil }
