package story

import (
	"fmt"
	"slices"
	"strings"

	"backroom/shared/saga"
)

// sentence says who did what. A fact that this code does not know is told by its name.
func sentence(e saga.Entry) string {
	words := saga.Routes[e.Fact].Says
	if words == "" {
		words = fmt.Sprintf("told %s", e.Fact)
	}
	return fmt.Sprintf("%s %s", e.Cause.Actor, words)
}

// because says why an entry came about, given the facts of the story by the ids under which they were told: a fact, or what
// came from outside, by its id.
func because(e saga.Entry, told map[string]saga.Fact) string {
	switch fact, ok := told[e.Cause.ID]; {
	case ok:
		return string(fact)
	case strings.HasPrefix(e.Cause.ID, string(saga.Clock)+":"):
		return string(saga.OrderOverdue)
	case saga.Routes[e.Fact].Source == saga.Orders && !slices.Contains(saga.Steps, saga.Step(e.Cause.Actor)):
		return "request " + e.Cause.ID
	}
	return e.Cause.ID
}
