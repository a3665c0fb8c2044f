package dynamo

import (
	"cmp"
	"slices"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/wire"
)

// The throughput of one partition, in units per second. A token bucket holds one second of it, so a
// burst of that size passes at once. A request passes while the bucket is not empty, and may
// overdraw it: later requests are throttled until it has refilled.
const (
	WriteLimit = 1000
	ReadLimit  = 3000
)

// The bytes that one unit reads and writes.
const (
	readUnit  = 4096
	writeUnit = 1024
)

// inTransaction is the factor by which a transaction uses more units.
const inTransaction = 2

// charge is what a request uses of one partition of a table or index.
type charge struct {
	wire.Use
	partition string
	arn       string // of the table
}

// written returns the units that a write of size bytes uses.
func written(size int, factor float64) float64 {
	return factor * float64(max(1, (size+writeUnit-1)/writeUnit))
}

// read returns the units that a consistent read of size bytes uses.
func read(size int) float64 { return float64(max(1, (size+readUnit-1)/readUnit)) }

// writes returns the charges for replacing the row's item by another; nil stands for no item.
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

// bucket is the throughput of a partition that is left at a time.
type bucket struct {
	writes, reads float64
	at            time.Time
}

// bucketsKept is the number of buckets above which those that are full again are dropped.
const bucketsKept = 10_000

// bucket returns the partition's bucket, refilled up to now.
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
		b.writes, b.reads, b.at = min(WriteLimit, b.writes+passed*WriteLimit), min(ReadLimit, b.reads+passed*ReadLimit),
			now
	}
	return b
}

// spend adds charges to the request's usage. It refuses the request, and adds nothing, if a
// partition is exhausted.
func (db *DB) spend(r *request, charges ...charge) error {
	if c := db.exhausted(charges); c != nil {
		return throttled(*c)
	}
	db.take(charges)
	r.use(charges)
	return nil
}

// exhausted returns the first charge whose bucket is empty, or nil.
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

// take subtracts the charges from the buckets of their partitions.
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

// throttled returns the refusal of a charge, with the throttled resource and the reason
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
		"throttlingReasons": []map[string]string{{"reason": of + does + "KeyRangeThroughputExceeded",
			"resource": resource}},
	}
	return refused
}

// use adds charges to the request's usage.
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
