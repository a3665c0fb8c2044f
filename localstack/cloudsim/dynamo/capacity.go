package dynamo

import (
	"cmp"
	"slices"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/wire"
)

// What one partition takes in a second. A bucket holds one second's worth, so a burst of that much passes at once; a
// request passes as long as there is anything left, and the next ones wait for what it took too much.
const (
	WriteLimit = 1000
	ReadLimit  = 3000
)

// What one unit reads and writes, in bytes.
const (
	readUnit  = 4096
	writeUnit = 1024
)

// inTransaction is how many units a transaction uses for each one.
const inTransaction = 2

// charge is what a request uses of one partition of a table or index.
type charge struct {
	wire.Use
	partition string
	arn       string // of the table
}

// written is what a write of so many bytes uses.
func written(size int, factor float64) float64 {
	return factor * float64(max(1, (size+writeUnit-1)/writeUnit))
}

// read is what a consistent read of so many bytes uses.
func read(size int) float64 { return float64(max(1, (size+readUnit-1)/readUnit)) }

// writes returns what it costs to make the row the item.
func (t *table) writes(row string, old, item attribute.Item, factor float64) []charge {
	charges := []charge{t.tableWrite(row, max(old.Size(), item.Size()), factor)}
	for _, x := range t.indexes {
		before, after := x.entry(row, old), x.entry(row, item)
		switch {
		case before.place == after.place && before.item.Equal(after.item):
		case before.place == after.place:
			charges = append(charges, t.indexWrite(x, after, max(before.item.Size(), after.item.Size()), factor))
		default:
			if before.place != "" {
				charges = append(charges, t.indexWrite(x, before, before.item.Size(), factor))
			}
			if after.place != "" {
				charges = append(charges, t.indexWrite(x, after, after.item.Size(), factor))
			}
		}
	}
	return charges
}

func (t *table) charge(row string, u wire.Use) charge {
	u.Resource = t.name
	return charge{u, t.name + "/" + u.Index + "/" + row[:8], t.arn}
}

func (t *table) tableWrite(row string, size int, factor float64) charge {
	return t.charge(row, wire.Use{Writes: written(size, factor), Items: 1, Bytes: size})
}

func (t *table) indexWrite(x *index, e entry, size int, factor float64) charge {
	return t.charge(e.place, wire.Use{Index: x.name, Writes: written(size, factor), Items: 1, Bytes: size})
}

// bucket is what is left of a partition's throughput at a time.
type bucket struct {
	writes, reads float64
	at            time.Time
}

// bucketsKept is how many partitions are remembered before those that are full again are forgotten.
const bucketsKept = 10_000

// bucket returns the partition's bucket as it is now.
func (db *DB) bucket(partition string) *bucket {
	now := db.settings.Now()
	b, ok := db.buckets[partition]
	if !ok {
		if len(db.buckets) > bucketsKept {
			for p, b := range db.buckets {
				if now.Sub(b.at) > time.Minute {
					delete(db.buckets, p)
				}
			}
		}
		b = &bucket{WriteLimit, ReadLimit, now}
		db.buckets[partition] = b
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.writes, b.reads, b.at = min(WriteLimit, b.writes+passed*WriteLimit), min(ReadLimit, b.reads+passed*ReadLimit), now
	}
	return b
}

// spend notes what the request uses, or refuses it if one of the partitions is exhausted.
func (db *DB) spend(r *request, charges ...charge) error {
	if c := db.exhausted(charges); c != nil {
		return throttled(*c)
	}
	db.take(charges)
	r.use(charges)
	return nil
}

// exhausted returns the first charge whose partition has nothing left; nil: there is none.
func (db *DB) exhausted(charges []charge) *charge {
	if !db.settings.Limited {
		return nil
	}
	for i, c := range charges {
		if b := db.bucket(c.partition); c.Writes > 0 && b.writes <= 0 || c.Reads > 0 && b.reads <= 0 {
			return &charges[i]
		}
	}
	return nil
}

// take takes the charges from their partitions.
func (db *DB) take(charges []charge) {
	if !db.settings.Limited {
		return
	}
	for _, c := range charges {
		b := db.bucket(c.partition)
		b.writes, b.reads = b.writes-c.Writes, b.reads-c.Reads
	}
}

const errThroughput = "Throughput exceeds the current capacity of your table or index."

// throttled refuses a request for a charge, and says of what and why
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html).
func throttled(c charge) error {
	of, does, resource := "Table", "Read", c.arn
	if c.Index != "" {
		of, resource = "Index", resource+"/index/"+c.Index
	}
	if c.Writes > 0 {
		does = "Write"
	}
	refused := refuse("ThrottlingException", errThroughput)
	refused.Members = map[string]any{
		"throttlingReasons": []map[string]string{{"reason": of + does + "KeyRangeThroughputExceeded", "resource": resource}},
	}
	return refused
}

// use adds charges to what the request has used.
func (r *request) use(charges []charge) {
	for _, c := range charges {
		at, found := slices.BinarySearchFunc(r.uses, c.Use, func(a, b wire.Use) int {
			return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Index, b.Index))
		})
		if !found {
			r.uses = slices.Insert(r.uses, at, c.Use)
			continue
		}
		u := &r.uses[at]
		u.Writes, u.Reads, u.Items, u.Bytes = u.Writes+c.Writes, u.Reads+c.Reads, u.Items+c.Items, u.Bytes+c.Bytes
	}
}
