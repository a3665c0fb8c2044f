package dynamo

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
)

// tooOld is the age from which DynamoDB ignores an expiry time.
const tooOld = 5 * 365 * 24 * time.Hour

// service is the principal that deletes expired items.
var service = principal{"Service", "dynamodb.amazonaws.com"}

// Expire deletes the items whose time to live has passed, except those that a transaction holds. It
// returns how many.
func (db *DB) Expire() int {
	expired := 0
	now := db.settings.Now()
	for _, name := range slices.Sorted(maps.Keys(db.tables)) {
		t := db.tables[name]
		if t.expiry == "" {
			continue
		}
		var rows []string
		for row, item := range t.rows.within(span{}) {
			if past(item, t.expiry, now) && !db.held[t.held(row)] {
				rows = append(rows, row)
			}
		}
		for _, row := range rows {
			old, _ := t.rows.get(row)
			db.set(t, row, old, nil, service)
		}
		expired += len(rows)
	}
	return expired
}

// past reports whether the item's attribute is a time in seconds that has passed, less than five
// years ago.
func past(item attribute.Item, name string, now time.Time) bool {
	v, ok := item.Get(name)
	if !ok || v.Kind != attribute.N {
		return false
	}
	seconds, err := strconv.ParseFloat(v.Text, 64)
	if err != nil {
		return false
	}
	age := float64(now.UnixMilli())/1000 - seconds
	return age > 0 && age < tooOld.Seconds()
}
