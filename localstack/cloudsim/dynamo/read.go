package dynamo

import (
	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
	"backroom/localstack/cloudsim/dynamo/expression"
	"backroom/localstack/cloudsim/wire"
)

// readScope reads the names and values of a read, and its projection. A nil projection is the whole
// item.
func readScope(n document.Node, expressions ...string) (*expression.Scope, *expression.Projection, error) {
	has := false
	for _, e := range append(expressions, "ProjectionExpression") {
		has = has || n.Get(e).Kind == document.String
	}
	scope, err := expression.NewScope(n.Get("ExpressionAttributeNames"), n.Get("ExpressionAttributeValues"), has)
	if err != nil {
		return nil, nil, err
	}
	wanted := n.Get("ProjectionExpression")
	if wanted.Kind != document.String {
		return scope, nil, nil
	}
	p, err := scope.Projection(wanted.Text)
	return scope, &p, err
}

// projected returns the part of the item that the projection selects.
func projected(item attribute.Item, p *expression.Projection) attribute.Item {
	if p == nil {
		return item
	}
	return p.Of(item)
}

// halved returns the factor of a read's units: 1 if it is consistent, else 0.5.
func halved(consistent bool) float64 {
	if consistent {
		return 1
	}
	return 0.5
}

// reads returns the charge for reading the item.
func (t *table) reads(row string, item attribute.Item, factor float64) charge {
	size := item.Size()
	return t.charge(row, wire.Use{Reads: factor * read(size), Items: min(1, len(item)), Bytes: size})
}

// getItem implements GetItem.
func (db *DB) getItem(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	scope, projection, err := readScope(r.Node)
	if err != nil {
		return nil, err
	}
	if err := scope.Unused(); err != nil {
		return nil, err
	}
	if !r.Has("Key") {
		return nil, errNoOperation
	}
	key, err := t.keys.readKey(r.Get("Key"))
	if err != nil {
		return nil, err
	}
	row, _ := t.keys.row(key)
	consistent := r.Get("ConsistentRead").Kind == document.True
	item := db.view(t, consistent).get(row)
	if err := db.spend(r, t.reads(row, item, halved(consistent))); err != nil {
		return nil, err
	}
	var a answer
	if item != nil {
		a.item("Item", projected(item, projection))
	}
	a.consumed(r)
	return a.closed(), nil
}
