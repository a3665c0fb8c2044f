package dynamo

import (
	"encoding/binary"
	"hash/fnv"
	"slices"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
)

// The longest key values, in bytes.
const (
	maxHash = 2048
	maxSort = 1024
)

// key is a key attribute of a table or index.
type key struct {
	name string
	kind attribute.Kind
}

// schema is the key of a table or index: the partition key and, if there is one, the sort key.
type schema []key

func (s schema) names() []string {
	names := make([]string, len(s))
	for i, k := range s {
		names[i] = k.name
	}
	return names
}

func (s schema) sort() string {
	if len(s) < 2 {
		return ""
	}
	return s[1].name
}

// readSchema reads KeySchema and AttributeDefinitions.
func readSchema(n, definitions document.Node) (schema, error) {
	var s schema
	for _, e := range n.Elements {
		k := key{name: e.Get("AttributeName").Text}
		for _, d := range definitions.Elements {
			if d.Get("AttributeName").Text == k.name {
				k.kind = attribute.Kind(d.Get("AttributeType").Text)
			}
		}
		if want := [...]string{"HASH", "RANGE"}; len(s) >= len(want) || e.Get("KeyType").Text != want[len(s)] {
			return nil,
				attribute.Refusal(
					"Invalid KeySchema: The first element is not a HASH key type, " +
						"or the second is not a RANGE key type")
		}
		if !k.kind.Ordered() {
			return nil, attribute.Refusal("Key " + k.name + " not specified in Attribute Definitions.  Type unknown.")
		}
		s = append(s, k)
	}
	if s == nil {
		return nil, null("keySchema")
	}
	return s, nil
}

const (
	errKeyCount = attribute.Refusal("The number of conditions on the keys is invalid")
	errNoKey    = attribute.Refusal("One of the required keys was not given a value")
	errKeyKind  = attribute.Refusal("One or more parameter values were invalid: Type mismatch for key")
	errIndexKey = attribute.Refusal("One or more parameter values were invalid: Type mismatch for Index Key")
	errKeySize  = attribute.Refusal(
		"Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes")
)

// check refuses an item whose key does not match the schema.
func (s schema) check(item attribute.Item) error {
	for _, k := range s {
		if _, ok := item.Get(k.name); !ok {
			return errNoKey
		}
	}
	for i, k := range s {
		v, _ := item.Get(k.name)
		switch {
		case v.Kind != k.kind:
			return itemError{errKeyKind}
		case v.Text == "":
			return attribute.Refusal(
				"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain " +
					"an empty " + emptyName(v) + " value. Key: " + k.name)
		case tooLong(i, v):
			return errKeySize
		}
	}
	return nil
}

// checkIndex refuses an item whose value of an index key is invalid. An item without the index's
// key is accepted.
func (s schema) checkIndex(index string, item attribute.Item) error {
	for i, k := range s {
		v, ok := item.Get(k.name)
		switch {
		case !ok:
		case v.Kind != k.kind:
			return itemError{errIndexKey}
		case v.Text == "":
			return attribute.Refusal(
				"One or more parameter values are not valid. A value specified for a secondary index key is not " +
					"supported. The AttributeValue for a key attribute cannot contain an empty " + emptyName(v) +
					" value. IndexName: " + index + ", IndexKey: " + k.name)
		case tooLong(i, v):
			return errKeySize
		}
	}
	return nil
}

func emptyName(v attribute.Value) string {
	if v.Kind == attribute.B {
		return "binary"
	}
	return "string"
}

func tooLong(place int, v attribute.Value) bool {
	return v.Kind != attribute.N && len(v.Text) > [...]int{maxHash, maxSort}[place]
}

// partition returns the prefix of the rows of a partition. It begins with a hash, so that a scan
// returns partitions in an arbitrary order.
func partition(hash attribute.Value) []byte {
	b := hash.AppendKey(make([]byte, 8, 64))
	sum := fnv.New64a()
	sum.Write(b[8:])
	binary.BigEndian.PutUint64(b, scatter(sum.Sum64()))
	return b
}

// scatter mixes a hash so that each bit depends on all others.
func scatter(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// hashOf returns the hash of a row's partition.
func hashOf(row string) uint64 { return binary.BigEndian.Uint64([]byte(row[:8])) }

// row returns the item's row, by which rows are sorted, and false if the item lacks the key.
func (s schema) row(item attribute.Item) (string, bool) {
	hash, ok := item.Get(s[0].name)
	if !ok {
		return "", false
	}
	b := partition(hash)
	if len(s) > 1 {
		order, ok := item.Get(s[1].name)
		if !ok {
			return "", false
		}
		b = order.AppendKey(b)
	}
	return string(b), true
}

// readKey reads the Key of a request. It refuses one with missing or additional attributes.
func (s schema) readKey(n document.Node) (attribute.Item, error) {
	item, err := attribute.DecodeItem(n)
	if err != nil {
		return nil, err
	}
	if len(item) != len(s) {
		return nil, errKeyCount
	}
	return item, s.check(item)
}

// union returns the names of both schemas, without duplicates.
func (s schema) union(other schema) []string {
	names := s.names()
	for _, k := range other {
		if !slices.Contains(names, k.name) {
			names = append(names, k.name)
		}
	}
	return names
}
