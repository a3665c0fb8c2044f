package story

import (
	"fmt"
	"slices"
	"strings"

	"backroom/shared/saga"
)

// sentence names the actor and what it did. An unknown fact appears by its name.
func sentence(e saga.Entry) string {
	words := saga.Routes[e.Fact].Says
	if words == "" {
		words = fmt.Sprintf("recorded %s", e.Fact)
	}
	return fmt.Sprintf("%s %s", e.Cause.Actor, words)
}

// because returns the cause of an entry: a fact of the story, by its name, or a request or message,
// by its id. facts are the facts of the story by their ids.
func because(e saga.Entry, facts map[string]saga.Fact) string {
	switch fact, ok := facts[e.Cause.ID]; {
	case ok:
		return string(fact)
	case strings.HasPrefix(e.Cause.ID, string(saga.Clock)+":"):
		return string(saga.OrderOverdue)
	case saga.Routes[e.Fact].Source == saga.Orders && !slices.Contains(saga.Steps, saga.Step(e.Cause.Actor)):
		return "request " + e.Cause.ID
	}
	return e.Cause.ID
}
