package dynamotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally counts things by their names.
type tally map[string]int

func (t tally) sum() (all int) {
	for _, count := range t {
		all += count
	}
	return all
}

// String names each kind of thing with its number, in the order of their names.
func (t tally) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		all = append(all, fmt.Sprintf("%d %s", t[name], name))
	}
	return strings.Join(all, ", ")
}
