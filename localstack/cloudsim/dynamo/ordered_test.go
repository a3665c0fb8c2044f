package dynamo

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOrdered_IsASortedMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var o ordered[int]
		plain := map[string]int{}
		key := rapid.Custom(
			func(t *rapid.T) string { return fmt.Sprintf("%04d", rapid.IntRange(0, 2000).Draw(t, "key")) })
		for _, k := range rapid.SliceOfN(key, 0, 1500).Draw(t, "put") {
			plain[k] = rapid.Int().Draw(t, "value")
			o.put(k, plain[k])
			if rapid.IntRange(0, 3).Draw(t, "fate") == 0 {
				gone := key.Draw(t, "gone")
				o.delete(gone)
				delete(plain, gone)
			}
		}
		if o.size != len(plain) {
			t.Fatalf("got %d entries, want %d", o.size, len(plain))
		}
		s := span{low: key.Draw(t, "low"), high: key.Draw(t, "high"), backwards: rapid.Bool().Draw(t, "backwards")}
		if rapid.Bool().Draw(t, "open") {
			s.high = ""
		}
		want := slices.DeleteFunc(slices.Sorted(maps.Keys(plain)), func(k string) bool { return !s.holds(k) })
		if s.backwards {
			slices.Reverse(want)
		}
		var got []string
		for k, v := range o.within(s) {
			if there, ok := o.get(k); !ok || there != v || plain[k] != v {
				t.Fatalf("value of %s is %d, want %d", k, v, plain[k])
			}
			got = append(got, k)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("span %v: got %v, want %v", s, got, want)
		}
	})
}
