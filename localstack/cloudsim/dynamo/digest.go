package dynamo

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
)

// Digest returns a hash of the items of all tables.
func (db *DB) Digest() [sha256.Size]byte {
	hash := sha256.New()
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(db.tables)) {
		t := db.tables[name]
		b = append(b[:0], name...)
		b = append(b, 0)
		b = append(strconv.AppendInt(b, int64(t.rows.size), 10), 0)
		hash.Write(b)
		for _, item := range t.rows.within(span{}) {
			hash.Write(item.Append(b[:0]))
		}
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
