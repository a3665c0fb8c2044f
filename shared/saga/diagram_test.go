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

// The drawings and tables of the documentation, and the comments of the facts, are generated from
// Routes and Tasks.
func TestRoutes_AreDrawnInTheDocumentation(t *testing.T) {
	for file, drawn := range map[string]func(page string) string{
		"../../README.md": between(drawing(undisturbed)),
		"../../docs/architecture.md": between(drawing(saga.Fact.HasConsumers) + "\n" + taskTable() + "\n" +
			factTable()),
		"facts.go": comments,
	} {
		kept, err := os.ReadFile(file)
		require.NoError(t, err)
		want := drawn(string(kept))
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
			continue
		}
		assert.Equal(t, want, string(kept),
			"%s differs from routes.go; to write it: go test ./shared/saga -run Drawn -update", file)
	}
}

// between returns a function that puts the text between the marks of a page. For a page without
// marks it returns an error message.
func between(text string) func(page string) string {
	return func(page string) string {
		before, rest, found := strings.Cut(page, begin)
		_, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			return "the page has no place for the drawing: " + begin + end
		}
		return before + begin + text + end + after
	}
}

// comments returns facts.go with the sentence of Routes behind each fact.
func comments(source string) string {
	fact := regexp.MustCompile(`(?m)^\t(\w+) +Fact = "(\w+)".*$`)
	commented := fact.ReplaceAllStringFunc(source, func(line string) string {
		name := fact.FindStringSubmatch(line)
		return fmt.Sprintf("\t%s Fact = %q // %s", name[1], name[2], saga.Routes[saga.Fact(name[2])].Says)
	})
	formatted, err := format.Source([]byte(commented))
	if err != nil {
		return err.Error()
	}
	return string(formatted)
}

// undisturbed reports whether a fact is sent for an order even if no message is lost and no refund
// fails.
func undisturbed(f saga.Fact) bool {
	return f.HasConsumers() && !slices.Contains(saga.Retries, f) && !slices.Contains(saga.Unretried, f)
}

// drawing returns a Mermaid diagram of which facts go from which rows to which step, and where a
// step writes. It leaves out the facts that are not shown.
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
		consumed := map[saga.Source][]string{}
		for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
			if route := saga.Routes[fact]; shown(fact) && slices.Contains(route.To, task.Step) {
				consumed[route.Source] = append(consumed[route.Source], string(fact))
			}
		}
		for _, rows := range slices.Sorted(maps.Keys(consumed)) {
			fmt.Fprintf(&b, "  %s -- \"%s\" --> %s\n", rows, strings.Join(consumed[rows], "<br/>"), task.Step)
		}
		if task.Writes != "" {
			fmt.Fprintf(&b, "  %s -.-> %s\n", task.Step, task.Writes)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// taskTable lists every step, what it does and where it writes.
func taskTable() string {
	var b strings.Builder
	b.WriteString("| Step | what it does | writes |\n|---|---|---|\n")
	for _, task := range saga.Tasks {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", task.Step, task.Does, cmp.Or(task.Writes, "–"))
	}
	return b.String()
}

// factTable lists every fact with its sentence, its source, its data and its consumers.
func factTable() string {
	var b strings.Builder
	b.WriteString("| Fact | meaning | source | data | consumers |\n|---|---|---|---|---|\n")
	for _, source := range []saga.Source{saga.Orders, saga.Reservations, saga.Charges, saga.Clock} {
		for _, fact := range slices.Sorted(maps.Keys(saga.Routes)) {
			route := saga.Routes[fact]
			if route.Source != source {
				continue
			}
			data, consumers := "–", "–"
			if fact.HasConsumers() {
				data = strings.Join(saga.Members(route.Data), ", ")
				var steps []string
				for _, step := range route.To {
					steps = append(steps, string(step))
				}
				consumers = strings.Join(steps, ", ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", fact, route.Says, source, data, consumers)
		}
	}
	return b.String()
}

func TestRoutes_EveryFactAndStepHasItsOwnSentence(t *testing.T) {
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

// A data type that no fact carries, or a step that consumes no fact, would be dead code.
func TestRoutes_EveryDataTypeAndEveryStepIsUsed(t *testing.T) {
	carried, consuming := map[reflect.Type]bool{}, map[saga.Step]bool{}
	for _, route := range saga.Routes {
		carried[reflect.TypeOf(route.Data)] = true
		for _, step := range route.To {
			consuming[step] = true
			assert.Contains(t, saga.Steps, step)
		}
	}
	assert.Len(t, carried, 10)
	assert.Len(t, consuming, len(saga.Steps))
}
