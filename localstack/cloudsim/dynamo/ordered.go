package dynamo

import (
	"iter"
	"slices"
	"sort"
)

// chunkSize is the number of entries above which a chunk is split.
const chunkSize = 256

// ordered is a map sorted by key. It is split into chunks so that a write moves few entries.
type ordered[V any] struct {
	chunks []*chunk[V]
	size   int
}

// chunk is a run of entries. It is never empty.
type chunk[V any] struct {
	keys   []string
	values []V
}

// at returns the index of the key's chunk, and the key's place in that chunk.
func (o *ordered[V]) at(key string) (piece, place int, found bool) {
	if len(o.chunks) == 0 {
		return 0, 0, false
	}
	piece = max(0, sort.Search(len(o.chunks), func(i int) bool { return o.chunks[i].keys[0] > key })-1)
	place, found = slices.BinarySearch(o.chunks[piece].keys, key)
	return piece, place, found
}

func (o *ordered[V]) get(key string) (V, bool) {
	piece, place, found := o.at(key)
	if !found {
		var none V
		return none, false
	}
	return o.chunks[piece].values[place], true
}

func (o *ordered[V]) put(key string, v V) {
	piece, place, found := o.at(key)
	if found {
		o.chunks[piece].values[place] = v
		return
	}
	o.size++
	if len(o.chunks) == 0 {
		o.chunks = []*chunk[V]{{}}
	}
	c := o.chunks[piece]
	c.keys, c.values = slices.Insert(c.keys, place, key), slices.Insert(c.values, place, v)
	if half := chunkSize / 2; len(c.keys) > chunkSize {
		o.chunks = slices.Insert(o.chunks, piece+1,
			&chunk[V]{slices.Clone(c.keys[half:]), slices.Clone(c.values[half:])})
		clear(c.values[half:])
		c.keys, c.values = c.keys[:half], c.values[:half]
	}
}

func (o *ordered[V]) delete(key string) {
	piece, place, found := o.at(key)
	if !found {
		return
	}
	o.size--
	c := o.chunks[piece]
	c.keys, c.values = slices.Delete(c.keys, place, place+1), slices.Delete(c.values, place, place+1)
	if len(c.keys) == 0 {
		o.chunks = slices.Delete(o.chunks, piece, piece+1)
	}
}

// span is a range of keys: low is included, high is not. An empty bound is open.
type span struct {
	low, high string
	backwards bool
}

func (s span) holds(key string) bool { return key >= s.low && (s.high == "" || key < s.high) }

// within returns the entries of the span, in its direction. The map must not change during the
// iteration.
func (o *ordered[V]) within(s span) iter.Seq2[string, V] {
	if s.backwards {
		return o.backwards(s)
	}
	return func(yield func(string, V) bool) {
		piece, place, _ := o.at(s.low)
		for ; piece < len(o.chunks); piece, place = piece+1, 0 {
			for c := o.chunks[piece]; place < len(c.keys); place++ {
				if !s.holds(c.keys[place]) || !yield(c.keys[place], c.values[place]) {
					return
				}
			}
		}
	}
}

func (o *ordered[V]) backwards(s span) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		piece := len(o.chunks) - 1
		place := 0
		if s.high != "" {
			piece, place, _ = o.at(s.high)
		} else if piece >= 0 {
			place = len(o.chunks[piece].keys)
		}
		for piece >= 0 && piece < len(o.chunks) {
			for place--; place >= 0; place-- {
				if c := o.chunks[piece]; !s.holds(c.keys[place]) || !yield(c.keys[place], c.values[place]) {
					return
				}
			}
			if piece--; piece >= 0 {
				place = len(o.chunks[piece].keys)
			}
		}
	}
}

// after returns the first key after all keys with the prefix.
func after(prefix string) string {
	b := []byte(prefix)
	for len(b) > 0 && b[len(b)-1] == 0xff {
		b = b[:len(b)-1]
	}
	if len(b) > 0 {
		b[len(b)-1]++
	}
	return string(b)
}
