package dynamotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally counts by name.
type tally map[string]int

func (t tally) sum() (all int) {
	for _, count := range t {
		all += count
	}
	return all
}

// String lists the counts with their names, sorted by name.
func (t tally) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		all = append(all, fmt.Sprintf("%d %s", t[name], name))
	}
	return strings.Join(all, ", ")
}
