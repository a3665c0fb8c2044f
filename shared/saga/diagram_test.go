package saga_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/saga"
)

const (
	architecture = "../../docs/architecture.md"
	begin        = "<!-- from shared/saga/routes.go: go test ./shared/saga -run Drawn -update -->\n"
	end          = "<!-- end -->\n"
)

// The drawing of the saga in the documentation is made of Routes.
func TestTheSagaIsDrawnAsItIs(t *testing.T) {
	page, err := os.ReadFile(architecture)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	require.True(t, found && closed, "%s has a place for the drawing: %s…%s", architecture, begin, end)
	drawn := before + begin + drawing() + "\n" + table() + end + after
	if *update {
		require.NoError(t, os.WriteFile(architecture, []byte(drawn), 0o644))
		return
	}
	assert.Equal(t, drawn, string(page), "routes.go changed; next: go test ./shared/saga -run Drawn -update")
}

// drawing shows which rows tell which step what, and where a step writes, in the language of Mermaid.
func drawing() string {
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart LR\n")
	for _, rows := range []saga.Teller{saga.Orders, saga.Holds, saga.Charges} {
		fmt.Fprintf(&b, "  %s[(%s)]\n", rows, rows)
	}
	fmt.Fprintf(&b, "  %s{{wake-overdue}}\n", saga.Clock)
	for _, step := range saga.Steps {
		heard := map[saga.Teller][]string{}
		for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
			if route := saga.Routes[fact]; slices.Contains(route.To, step) {
				heard[route.By] = append(heard[route.By], string(fact))
			}
		}
		for _, rows := range slices.Sorted(maps.Keys(heard)) {
			fmt.Fprintf(&b, "  %s -- \"%s\" --> %s\n", rows, strings.Join(heard[rows], "<br/>"), step)
		}
		if rows, ok := saga.Writes[step]; ok {
			fmt.Fprintf(&b, "  %s -.-> %s\n", step, rows)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// table lists every fact with what it carries and who hears it.
func table() string {
	var b strings.Builder
	b.WriteString("| Fact | told by | carries | heard by |\n|---|---|---|---|\n")
	for _, by := range []saga.Teller{saga.Orders, saga.Holds, saga.Charges, saga.Clock} {
		for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
			route := saga.Routes[fact]
			if route.By != by {
				continue
			}
			carries, hears := "", "nobody"
			if fact.Heard() {
				carries = strings.Join(saga.Members(route.Carries), ", ")
				var steps []string
				for _, step := range route.To {
					steps = append(steps, string(step))
				}
				hears = strings.Join(steps, ", ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", fact, by, carries, hears)
		}
	}
	return b.String()
}

// A fact that a row never tells, or a body that no fact carries, would be a word without a meaning.
func TestEveryBodyIsCarriedAndEveryStepHearsSomething(t *testing.T) {
	carried, hearing := map[reflect.Type]bool{}, map[saga.Step]bool{}
	for _, route := range saga.Routes {
		carried[reflect.TypeOf(route.Carries)] = true
		for _, step := range route.To {
			hearing[step] = true
			assert.Contains(t, saga.Steps, step)
		}
	}
	assert.Len(t, carried, 8)
	assert.Len(t, hearing, len(saga.Steps))
}
