package saga_test

import (
	"cmp"
	"fmt"
	"go/format"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/saga"
)

const (
	begin = "<!-- from shared/saga/routes.go: go test ./shared/saga -run Drawn -update -->\n"
	end   = "<!-- end -->\n"
)

// Routes and Tasks make the drawings and the tables of the documentation, and the comments of the facts.
func TestTheSagaIsDrawnAsItIs(t *testing.T) {
	for file, drawn := range map[string]func(page string) string{
		"../../README.md":            between(drawing(ownStory)),
		"../../docs/architecture.md": between(drawing(saga.Fact.HasConsumers) + "\n" + taskTable() + "\n" + factTable()),
		"facts.go":                   comments,
	} {
		kept, err := os.ReadFile(file)
		require.NoError(t, err)
		want := drawn(string(kept))
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
			continue
		}
		assert.Equal(t, want, string(kept), "routes.go changed; next: go test ./shared/saga -run Drawn -update")
	}
}

// between returns what a page becomes with the text between its marks. A page without marks becomes an
// error message.
func between(text string) func(page string) string {
	return func(page string) string {
		before, rest, found := strings.Cut(page, begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			return "the page has no place for the drawing: " + begin + end
		}
		return before + begin + text + end + after
	}
}

// comments returns facts.go with what Routes says behind each fact.
func comments(source string) string {
	fact := regexp.MustCompile(`(?m)^\t(\w+) +Fact = "(\w+)".*$`)
	said := fact.ReplaceAllStringFunc(source, func(line string) string {
		name := fact.FindStringSubmatch(line)
		return fmt.Sprintf("\t%s Fact = %q // %s", name[1], name[2], saga.Routes[saga.Fact(name[2])].Says)
	})
	formatted, err := format.Source([]byte(said))
	if err != nil {
		return err.Error()
	}
	return string(formatted)
}

// ownStory reports whether a fact belongs to a story in which nothing gets lost and no refund fails.
func ownStory(f saga.Fact) bool {
	return f.HasConsumers() && !slices.Contains(saga.Asks, f) && !slices.Contains(saga.Unasked, f)
}

// drawing shows, in the language of Mermaid, which rows tell which step what, and where a step writes. It
// leaves out the facts that are not shown.
func drawing(shown func(saga.Fact) bool) string {
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart LR\n")
	b.WriteString("  place-order([\"POST /orders\"]) -.-> orders\n")
	for _, rows := range []saga.Source{saga.Orders, saga.Reservations, saga.Charges} {
		fmt.Fprintf(&b, "  %s[(%s)]\n", rows, rows)
	}
	if shown(saga.OrderOverdue) {
		fmt.Fprintf(&b, "  %s{{wake-overdue}}\n", saga.Clock)
	}
	for _, task := range saga.Tasks {
		heard := map[saga.Source][]string{}
		for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
			if route := saga.Routes[fact]; shown(fact) && slices.Contains(route.To, task.Step) {
				heard[route.Source] = append(heard[route.Source], string(fact))
			}
		}
		for _, rows := range slices.Sorted(maps.Keys(heard)) {
			fmt.Fprintf(&b, "  %s -- \"%s\" --> %s\n", rows, strings.Join(heard[rows], "<br/>"), task.Step)
		}
		if task.Writes != "" {
			fmt.Fprintf(&b, "  %s -.-> %s\n", task.Step, task.Writes)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// taskTable lists every step with what it does and where it writes.
func taskTable() string {
	var b strings.Builder
	b.WriteString("| Step | what it does | writes |\n|---|---|---|\n")
	for _, task := range saga.Tasks {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", task.Step, task.Does, cmp.Or(task.Writes, "–"))
	}
	return b.String()
}

// factTable lists every fact with what it says, its source, its data and its consumers.
func factTable() string {
	var b strings.Builder
	b.WriteString("| Fact | what it says | source | data | consumers |\n|---|---|---|---|---|\n")
	for _, by := range []saga.Source{saga.Orders, saga.Reservations, saga.Charges, saga.Clock} {
		for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
			route := saga.Routes[fact]
			if route.Source != by {
				continue
			}
			data, consumers := "", "–"
			if fact.HasConsumers() {
				data = strings.Join(saga.Members(route.Data), ", ")
				var steps []string
				for _, step := range route.To {
					steps = append(steps, string(step))
				}
				consumers = strings.Join(steps, ", ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", fact, route.Says, by, data, consumers)
		}
	}
	return b.String()
}

func TestEveryFactAndEveryStepHasASentenceOfItsOwn(t *testing.T) {
	said := map[string]string{}
	for fact, route := range saga.Routes {
		assert.NotEmpty(t, route.Says, "%s has no sentence", fact)
		assert.Empty(t, said[route.Says], "%s says the same", fact)
		said[route.Says] = string(fact)
	}
	for _, task := range saga.Tasks {
		assert.NotEmpty(t, task.Does, "%s has no sentence", task.Step)
		assert.Empty(t, said[task.Does], "%s says the same", task.Step)
		said[task.Does] = string(task.Step)
	}
}

// A fact that a row never tells, or a body that no fact carries, would be a word without a meaning.
func TestEveryBodyIsCarriedAndEveryStepHearsSomething(t *testing.T) {
	carried, hearing := map[reflect.Type]bool{}, map[saga.Step]bool{}
	for _, route := range saga.Routes {
		carried[reflect.TypeOf(route.Data)] = true
		for _, step := range route.To {
			hearing[step] = true
			assert.Contains(t, saga.Steps, step)
		}
	}
	assert.Len(t, carried, 8)
	assert.Len(t, hearing, len(saga.Steps))
}
